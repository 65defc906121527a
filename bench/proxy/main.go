// Command proxy measures what a request costs on its way through a proxy: pitstop's engines beside nginx and HAProxy,
// before the same apps, under the same load, on the same processor, in one run.
//
//   - The contenders take turns, in an order that changes each round, so that a noisy machine is noisy to all of them. What
//     is compared is taken from the same round.
//   - Each has an app of its own. Proxy and app share one processor, the load has another.
//   - Processor time is the kernel's, in nanoseconds, of the proxy and of the app apart.
//   - Nothing is left behind, also after SIGINT.
//
// It prints tables, ratios first; with -write it also puts them between the two markers of a file.
//
//	proxy -pitstop bin/pitstop [-quick] [-only fast/get/64] [-contenders 'lean|nginx'] [-write bench/README.md]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"pitstop/bench/report"
)

// The markers between which a file keeps the report.
const begin, end = "<!-- begin: written by bench/proxy -->\n", "<!-- end of bench/proxy -->\n"

// settings are the flags.
type settings struct {
	pitstop, write, perf  string
	only, contenders      string
	rounds, seconds, idle int
	cpu, loadCPU          int
	procs, nice           int
	quick                 bool

	files int // that a process may open
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == backendVerb {
		fmt.Fprintln(os.Stderr, "backend:", serveBackend())
		os.Exit(1)
	}
	var s settings
	flag.StringVar(&s.pitstop, "pitstop", "bin/pitstop", "the binary")
	flag.StringVar(&s.write, "write", "", "a file whose part between the markers becomes the tables")
	flag.StringVar(&s.only, "only", "", "play only the scenes whose name, as fast/get/64, matches this expression")
	flag.StringVar(&s.contenders, "contenders", "", "let only those take part whose name matches this expression")
	flag.IntVar(&s.rounds, "rounds", 6, "times that each contender plays each scene")
	flag.IntVar(&s.seconds, "seconds", 1, "length of one measurement")
	flag.IntVar(&s.idle, "idle", 10_000, "idle keep-alive connections of which the memory is told; 0: none")
	flag.IntVar(&s.cpu, "cpu", 1, "the processor of proxies and apps")
	flag.IntVar(&s.loadCPU, "load-cpu", 0, "the processor of the load")
	flag.IntVar(&s.procs, "gomaxprocs", 1, "GOMAXPROCS of pitstop; nginx has one worker and HAProxy one thread")
	flag.IntVar(&s.nice, "nice", 0, "niceness of the session meanwhile; below 0 others on the machine disturb less, and suffer")
	flag.BoolVar(&s.quick, "quick", false, "two rounds of a few scenes, two minutes")
	flag.StringVar(&s.perf, "perf", "", "a folder for what `perf record` sees of each proxy in each scene")
	flag.Parse()
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

func (s *settings) run() error {
	// Not handed back after the first signal: a second one would end us amid the cleaning up, which is bounded anyway.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if s.quick {
		s.rounds = 2
	}
	if s.rounds < 1 || s.seconds < 1 {
		return fmt.Errorf("-rounds and -seconds must be positive")
	}
	only, err := regexp.Compile(s.only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	wanted, err := regexp.Compile(s.contenders)
	if err != nil {
		return fmt.Errorf("-contenders: %w", err)
	}
	if s.files, err = raiseFileLimit(s.idle); err != nil {
		return err
	}
	giveBack, err := setNice(s.nice)
	if err != nil {
		return err
	}
	defer giveBack()
	p := &play{settings: s, machine: report.Look(), versions: s.versions()}
	for _, a := range apps() {
		if err := p.before(ctx, a, scenes(a, s.quick, only), s.chosen(wanted)); err != nil {
			return err
		}
	}
	text := p.report()
	fmt.Print(text)
	if s.write == "" {
		return nil
	}
	return report.Replace(s.write, begin, end, text)
}
