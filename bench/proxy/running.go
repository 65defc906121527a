package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// running is a contender that runs, with its app.
type running struct {
	contender
	addr string
	// proxy and app are their processes; one of them is missing where the other is all there is.
	proxy, app *process
	proxyPIDs  []int
	appPIDs    []int
}

// start runs a contender before an app, in a folder of its own, on one processor.
func start(ctx context.Context, c contender, a app, dir string, s *settings) (r *running, err error) {
	r = &running{contender: c}
	defer func() {
		if err != nil {
			r.stop()
			err = fmt.Errorf("%s before %s: %w\n%s", c.name, a.name, err, logs(dir))
		}
	}()
	p, err := newPlace(dir, a, s)
	if err != nil {
		return r, err
	}
	if r.addr = p.listen; c.command == nil {
		r.addr = p.app
	}
	if !c.launches {
		_, port, _ := net.SplitHostPort(p.app)
		if r.app, err = launch(dir, "app", pinned(s.cpu, p.appCommand...), "PORT="+port, "SOCKET="+p.socket); err != nil {
			return r, err
		}
		if err = r.app.answers(ctx, p.app); err != nil {
			return r, err
		}
	}
	if c.command != nil {
		command, err := c.command(p)
		if err != nil {
			return r, err
		}
		if r.proxy, err = launch(dir, "proxy", pinned(s.cpu, command...), c.env...); err != nil {
			return r, err
		}
	}
	if r.proxy != nil {
		err = r.proxy.answers(ctx, r.addr)
	}
	r.look()
	return r, err
}

// logs is what those who run in dir had to say.
func logs(dir string) (text []byte) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, file := range files {
		log, _ := os.ReadFile(file)
		text = append(text, log...)
	}
	return text
}

// look notes which processes are the proxy's and which are the app's.
func (r *running) look() {
	if r.app != nil {
		r.appPIDs = tree(r.app.Process.Pid)
	}
	if r.proxy == nil {
		return
	}
	r.proxyPIDs = tree(r.proxy.Process.Pid)
	if r.launches {
		r.proxyPIDs, r.appPIDs = r.proxyPIDs[:1], r.proxyPIDs[1:]
	}
}

func (r *running) stop() {
	for _, p := range []*process{r.proxy, r.app} {
		if p != nil {
			p.stop()
		}
	}
}

func newPlace(dir string, a app, s *settings) (p place, err error) {
	ports, err := freePorts(4)
	if err != nil {
		return p, err
	}
	command, err := a.command(dir)
	return place{
		dir: dir, appCommand: command, files: s.files, connections: s.idle + spareFiles, listen: "127.0.0.1:" + ports[0], app: "127.0.0.1:" + ports[1],
		socket: filepath.Join(dir, "app.sock"), control: "127.0.0.1:" + ports[2], appPort: ports[3],
	}, err
}

// freePorts are ports that nobody listens on, found together so that they differ.
func freePorts(n int) (ports []string, err error) {
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		ports = append(ports, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

// process is one that was launched, in a process group of its own: Ctrl-C is for us, who then end it in order.
type process struct {
	*exec.Cmd
	ended chan struct{}
}

// pinned is a command on one processor.
func pinned(cpu int, command ...string) []string {
	return append([]string{"taskset", "-c", strconv.Itoa(cpu)}, command...)
}

// launch runs a command, and keeps its log in dir.
func launch(dir, name string, command []string, env ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// answers waits until it answers at addr, unless it has ended.
func (p *process) answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.ended:
			cancel(errors.New("it has ended at once"))
		case <-ctx.Done():
		}
	}()
	return answers(ctx, addr)
}

func (p *process) stop() {
	_ = p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
}
