package main

import (
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"pitstop/bench/report"
)

// figure is one thing that is compared.
type figure struct {
	title string
	of    func(turn) float64
	// more says that more is better.
	more bool
}

var (
	proxyCPU = figure{"proxy's CPU", func(t turn) float64 { return float64(t.proxy) }, false}
	bothCPU  = figure{"proxy's and app's CPU", func(t turn) float64 { return float64(t.proxy + t.app) }, false}
	rate     = figure{"requests/s", func(t turn) float64 { return float64(t.requests) / t.took.Seconds() }, true}
	p50      = figure{"p50", func(t turn) float64 { return float64(t.p50) }, false}
	loadCPU  = figure{"load's CPU", func(t turn) float64 { return t.cpu.Seconds() / t.took.Seconds() }, false}
	others   = figure{"others", func(t turn) float64 { return t.others }, false}
	p99      = figure{"p99", func(t turn) float64 { return float64(t.p99) }, false}
)

var compared = []figure{proxyCPU, bothCPU, rate, p50, p99}

// ratio is the median, over the rounds, of how many times the figure is of the best peer's in the same round. There is
// none without a peer.
func (r *result) ratio(name string, peers []string, f figure) float64 {
	var ratios []float64
	for round, t := range r.turns[name] {
		best := math.NaN()
		for _, peer := range peers {
			p := r.turns[peer][round]
			if v := f.of(p); p.requests > 0 && (math.IsNaN(best) || (v > best) == f.more) {
				best = v
			}
		}
		if t.requests > 0 && best > 0 {
			ratios = append(ratios, f.of(t)/best)
		}
	}
	return median(ratios)
}

func (r *result) median(name string, f figure) float64 {
	var all []float64
	for _, t := range r.turns[name] {
		if t.requests > 0 {
			all = append(all, f.of(t))
		}
	}
	return median(all)
}

// median is not a number if there is none.
func median(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	return report.Median(all)
}

func (r *result) errors(name string) (n int) {
	for _, t := range r.turns[name] {
		n += t.errors
	}
	return n
}

// line says in short how a scene went: for each contender requests a second, and the proxy's time of one.
func (r *result) line(names []string) string {
	var b strings.Builder
	b.WriteString(r.name())
	for _, name := range names {
		fmt.Fprintf(&b, "\n    %-14s %8.0f/s %10s", name, r.median(name, rate), micro(r.median(name, proxyCPU)))
		if n := r.errors(name); n > 0 {
			fmt.Fprintf(&b, "  %d ERRORS", n)
		}
	}
	return b.String()
}

// report is the whole result as Markdown, ratios first.
func (p *play) report() string {
	var b strings.Builder
	share := p.others()
	fmt.Fprintf(&b, "\n%s %s. %d rounds of %d s; GOMAXPROCS=%d for pitstop. While it was measured others used %.0f %% of the processors (median).\n",
		p.machine, p.versions, p.rounds, p.seconds, p.procs, 100*share)
	if share > 0.1 {
		b.WriteString("\n**Provisional: the machine was busy with other work.** Trust the ratios more than the figures.\n")
	}
	peers := p.peers()
	for _, name := range p.names {
		if strings.HasPrefix(name, "pitstop") && len(peers) > 0 {
			p.ratios(&b, name, peers)
		}
	}
	p.memory(&b)
	for _, r := range p.results {
		p.figures(&b, r)
	}
	b.WriteString("\n")
	return b.String()
}

// others is how much of the machine was used for something else.
func (p *play) others() float64 {
	var shares []float64
	for _, r := range p.results {
		for _, name := range p.names {
			if share := r.median(name, others); share >= 0 {
				shares = append(shares, share)
			}
		}
	}
	return median(shares)
}

func (p *play) peers() (names []string) {
	for _, c := range p.chosen(regexp.MustCompile("")) {
		if c.peer && slices.Contains(p.names, c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

func (p *play) ratios(b *strings.Builder, name string, peers []string) {
	fmt.Fprintf(b, "\n### Ratios: how many times the better peer's is that of %q\n\n", name)
	head := []string{""}
	for _, f := range compared {
		head = append(head, f.title)
	}
	report.Head(b, append(head, "errors")...)
	for _, r := range p.results {
		cells := []string{r.name()}
		for _, f := range compared {
			cells = append(cells, number("%.2f", r.ratio(name, peers, f)))
		}
		report.Row(b, append(cells, fmt.Sprint(r.errors(name)))...)
	}
}

func (p *play) memory(b *strings.Builder) {
	fmt.Fprintf(b, "\n### Memory of the proxy, with %d idle connections and without\n\n", p.idle)
	report.Head(b, "", "fresh: resident", "anonymous", "with them: resident", "anonymous", "anonymous, a connection", "after the load: resident", "anonymous")
	for _, name := range p.names {
		h, known := p.holdings[name]
		if !known {
			continue
		}
		with, each := []string{"–", "–"}, "–"
		if h.connections > 0 {
			with = []string{mb(h.with.resident), mb(h.with.anonymous)}
			each = fmt.Sprintf("%.2f kB", float64(h.with.minus(h.before).anonymous)/1e3/float64(h.connections))
		}
		report.Row(b, name, mb(h.before.resident), mb(h.before.anonymous), with[0], with[1], each, mb(p.after[name].resident), mb(p.after[name].anonymous))
	}
}

func (p *play) figures(b *strings.Builder, r *result) {
	fmt.Fprintf(b, "\n### Figures, %s\n\n", r.name())
	report.Head(b, "", "requests/s", "p50", "p99", "proxy's CPU", "app's CPU", "errors", "load's CPU")
	for _, name := range p.names {
		report.Row(b, name, number("%.0f", r.median(name, rate)), micro(r.median(name, p50)), micro(r.median(name, p99)), micro(r.median(name, proxyCPU)),
			micro(r.median(name, bothCPU)-r.median(name, proxyCPU)), fmt.Sprint(r.errors(name)),
			number("%.0f %%", 100*r.median(name, loadCPU)))
	}
}

// number is a dash if there is none.
func number(format string, v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf(format, v)
}

func micro(ns float64) string { return number("%.1f µs", ns/1e3) }
func mb(bytes int64) string   { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

// versions says with what it was measured.
func (s *settings) versions() string {
	of := func(command ...string) string {
		out, _ := exec.Command(command[0], command[1:]...).CombinedOutput()
		return regexp.MustCompile(`\d+\.\d+(\.\d+)?`).FindString(string(out))
	}
	commit, _ := exec.Command(s.pitstop, "version").Output()
	return fmt.Sprintf("pitstop %s, nginx %s, HAProxy %s, Node %s, Go %s, wrk %s", strings.TrimSpace(string(commit)),
		of("nginx", "-v"), of("haproxy", "-v"), of("node", "--version"), strings.TrimPrefix(runtime.Version(), "go"), of("wrk", "-v"))
}
