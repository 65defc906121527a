// Command demo shows the whole way on this machine: it publishes two commits of an app, starts pitstop, keeps a steady
// load on it, reloads forward and back over gRPC, and accounts for every request. It ends with 1 if one was lost.
//
//	demo PITSTOP APP
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pitstop/e2e/load"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: demo PITSTOP APP")
		os.Exit(2)
	}
	binary, _ := filepath.Abs(os.Args[1])
	if err := demo(binary, os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// stage is where the demo plays: a folder that is removed at its end, and the addresses.
type stage struct {
	binary, dir            string
	addr, control, appPort string
	began                  time.Time
}

func demo(binary, app string) error {
	dir, err := os.MkdirTemp("", "pitstop-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		_ = os.RemoveAll(dir)
		os.Exit(1) // the children have got the signal too
	}()
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	s := &stage{binary: binary, dir: dir, addr: "127.0.0.1:" + ports[0], control: "127.0.0.1:" + ports[1], appPort: ports[2], began: time.Now()}

	s.say("The app is %s: Express and ws from npm, a 'commit.txt' tells its commit. It knows nothing of pitstop.", app)
	for _, commit := range []string{"v2", "v1"} { // v1 last: its folder is the image's code
		if err := s.publish(app, commit); err != nil {
			return err
		}
	}
	run, err := s.start()
	if err != nil {
		return err
	}
	defer func() { _ = run.Process.Kill() }()

	s.say("Load: 32 keep-alive connections, GET / and POST /upload with bodies up to 256 KiB. Each answer is checked.")
	requests := load.Start(load.Config{
		Addr: s.addr, Workers: 32, Mix: []load.Kind{load.Get, load.Get, load.Upload}, Bodies: []int{0, 1000, 100_000, 256 << 10},
		Pause: 20 * time.Millisecond, Patience: time.Minute,
	})
	s.watch(requests, 2*time.Second)
	for i, commit := range []string{"v2", "v1", "v2"} {
		what := []string{"forward", "back, which is the rollback", "forward again: v2 is on the disk by now"}[i]
		if err := s.reload(requests, commit, what); err != nil {
			return err
		}
		s.watch(requests, 2*time.Second)
	}
	requests.Stop()
	if err := s.end(run); err != nil {
		return err
	}
	return s.sum(requests.Totals())
}

// say prints a line with the time since the beginning.
func (s *stage) say(format string, args ...any) {
	fmt.Printf("%5.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func (s *stage) publish(app, commit string) error {
	dir := filepath.Join(s.dir, "app")
	_ = os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS(app)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "commit.txt"), []byte(commit+"\n"), 0o644); err != nil {
		return err
	}
	s.say("$ pitstop publish app --commit %s --releases store", commit)
	return s.command("publish", dir, "--commit", commit, "--releases", filepath.Join(s.dir, "store"))
}

// start starts pitstop with v1 as the image's code, and returns when the app serves.
func (s *stage) start() (*exec.Cmd, error) {
	s.say("$ pitstop run --commit v1 --releases store --strategy overlap -- node server.js")
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	run := exec.Command(s.binary, "run", "--listen", s.addr, "--control", s.control, "--app-port", s.appPort, "--commit", "v1",
		"--releases", filepath.Join(s.dir, "store"), "--release-dir", filepath.Join(s.dir, "releases"),
		"--strategy", "overlap", "--lame-duck", "1s", "--", "node", "server.js")
	run.Dir = filepath.Join(s.dir, "app")
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		return nil, err
	}
	began := time.Now()
	for {
		resp, err := http.Get("http://" + s.addr + "/_pitstop/ready")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				s.say("v1 serves on http://%s after %d ms", s.addr, time.Since(began).Milliseconds())
				return run, nil
			}
		}
		if time.Since(began) > time.Minute {
			text, _ := os.ReadFile(log.Name())
			_ = run.Process.Kill()
			return nil, fmt.Errorf("pitstop does not become ready:\n%s", text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// reload reloads over gRPC while the load goes on.
func (s *stage) reload(requests *load.Load, commit, what string) error {
	before := requests.Totals()
	requests.ResetLongest()
	s.say("$ pitstop reload %s        (%s)", commit, what)
	if err := s.command("reload", commit, "--addr", s.control); err != nil {
		return err
	}
	s.watch(requests, 300*time.Millisecond)
	after := requests.Totals()
	s.say("       during it: %d answered, %d lost, longest wait %d ms", after.Answered-before.Answered, after.Lost-before.Lost,
		requests.ResetLongest().Milliseconds())
	return nil
}

// command runs a verb of pitstop and prints what it says.
func (s *stage) command(args ...string) error {
	out, err := exec.Command(s.binary, args...).CombinedOutput()
	for line := range strings.Lines(strings.ReplaceAll(string(out), s.dir+"/", "")) {
		s.say("       %s", strings.TrimSpace(line))
	}
	return err
}

// watch lets the load run on for a while and prints the sums once a second.
func (s *stage) watch(requests *load.Load, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(time.Second, time.Until(end)))
		if d >= time.Second {
			t := requests.Totals()
			s.say("       %d sent, %d answered, %d lost; by v1 %d, by v2 %d", t.Sent, t.Answered, t.Lost, t.ByCommit["v1"], t.ByCommit["v2"])
		}
	}
}

func (s *stage) end(run *exec.Cmd) error {
	s.say("$ kill -TERM %d          (what an orchestrator does)", run.Process.Pid)
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := run.Wait()
	s.say("       pitstop ended with %d, the app's own exit code", run.ProcessState.ExitCode())
	return err
}

func (s *stage) sum(t load.Totals) error {
	fmt.Printf("\n  requests sent   %7d\n  answered        %7d\n  lost            %7d\n", t.Sent, t.Answered, t.Lost)
	if t.Lost > 0 || t.Sent != t.Answered {
		return errors.New("requests were lost")
	}
	fmt.Println("\nThe new app started beside the old one, and took over once it was ready; the command waits another two\n" +
		"seconds (--settle) to see that it stays up. Where memory has no room for two apps, requests wait instead.")
	return nil
}

func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		ports = append(ports, port)
	}
	return ports, nil
}
