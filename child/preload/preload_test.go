package preload

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestPreload_ListenIsToldWithASocketThatAnswers(t *testing.T) {
	eachNode(t, allNodes(t), func(t *testing.T, n node) {
		g := newGeneration(t, 3000)
		p := start(t, g.env(), n.path, "listen.cjs", "3000") // hard-coded
		e := await(g, by(p.Process.Pid))
		if filepath.Dir(e.Socket) != g.dir {
			t.Errorf("socket %s", e.Socket)
		}
		var seen struct{ Remote, Local []any }
		if err := json.Unmarshal([]byte(get(t, e.Socket, "/")), &seen); err != nil {
			t.Fatal(err)
		}
		if seen.Remote[0] != "::ffff:127.0.0.1" || seen.Remote[1] != "ephemeral" || seen.Local[1] != 3000.0 {
			t.Errorf("the app saw %+v", seen)
		}
	})
}

func TestPreload_ClosedIsToldAndTheSocketIsGone(t *testing.T) {
	g := newGeneration(t, 3000)
	p := start(t, g.env(), "node", "listen.cjs", "3000")
	socket := await(g, by(p.Process.Pid)).Socket
	get(t, socket, "/close")
	if e := await(g, func(Closed) bool { return true }); e.Socket != socket || e.PID != p.Process.Pid {
		t.Errorf("told %+v", e)
	}
	// Nothing of ours keeps the process alive: neither its beats nor the FIFO.
	if out, code := p.end(t); code != 0 || out != "listening\n" {
		t.Errorf("it ended with %d: %s", code, out)
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket's file is still there: %v", err)
	}
}

func TestPreload_TwoGenerationsListenOnOnePort(t *testing.T) {
	needApps(t)
	for range 2 {
		g := newGeneration(t, 3000)
		p := start(t, g.env(), "node", "listen.cjs", "3000", `{"host":"0.0.0.0"}`)
		get(t, await(g, by(p.Process.Pid)).Socket, "/")
	}
}

func TestPreload_OtherListensAreToldAndTakenBack(t *testing.T) {
	eachNode(t, allNodes(t), func(t *testing.T, n node) {
		g := newGeneration(t, 3000)
		p := start(t, g.env(), n.path, "listen.cjs", "3000")
		socket := await(g, by(p.Process.Pid)).Socket
		port := freePort(t)
		get(t, socket, "/other?q=0") // the system's choice: must not be told
		get(t, socket, "/other?q="+strconv.Itoa(port))
		if e := await(g, func(Other) bool { return true }); e.Port != port || e.Address != "127.0.0.1" || e.PID != p.Process.Pid {
			t.Errorf("told %+v", e)
		}
		get(t, socket, "/other-close")
		await(g, func(e OtherClosed) bool { return e.Port == port })
		if all := told[Other](g); len(all) != 1 {
			t.Errorf("told %+v", all)
		}
	})
}

func TestPreload_EveryProcessTellsItsEntryOnce(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	link := filepath.Join(g.dir, "current")
	if err := os.Symlink(app("."), link); err != nil {
		t.Fatal(err)
	}
	p := start(t, g.env(), "node", filepath.Join(link, "threads")) // without its .cjs there is no such file
	p.end(t)
	p = start(t, g.env(), "node", filepath.Join(link, "listen.cjs"), "3000")
	await(g, by(p.Process.Pid))
	if e := await(g, func(e Main) bool { return e.PID == p.Process.Pid }); e.Entry != app("listen.cjs") || !strings.HasPrefix(e.Node, "v") {
		t.Errorf("told %+v", e)
	}
	if all := told[Main](g); len(all) != 2 || all[0].Entry != "" {
		t.Errorf("told %+v", all)
	}
}

func TestPreload_NPMStartWorks(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	start(t, g.env(), "npm", "start")
	e := await(g, func(Listening) bool { return true })
	get(t, e.Socket, "/")
	if m := await(g, func(m Main) bool { return m.PID == e.PID }); m.Entry != app("listen.cjs") {
		t.Errorf("told %+v", m)
	}
}

func TestPreload_BeatsTellTheLagAndStopWhenTheLoopHangs(t *testing.T) {
	eachNode(t, ownNode(t), func(t *testing.T, n node) {
		g := newGeneration(t, 3000)
		// another thread that listens does not cover up for the main one
		p := start(t, g.env(), n.path, "threaded.cjs", "3000")
		await(g, func(e Listening) bool { return filepath.Base(e.Socket) == "127.0.0.1.sock" })
		socket := await(g, func(e Listening) bool { return filepath.Base(e.Socket) == "::1.sock" }).Socket
		await(g, func(Beat) bool { return true })
		before := len(told[Beat](g))
		get(t, socket, "/block?q=2500")
		if during := len(told[Beat](g)) - before; during > 1 {
			t.Errorf("%d beats while the loop hung", during)
		}
		if e := await(g, func(e Beat) bool { return e.Lag > time.Second }); e.Lag < 2300*time.Millisecond || e.PID != p.Process.Pid {
			t.Errorf("told %+v", e)
		}
		// a block shorter than the beat's own second is seen as well
		get(t, socket, "/block?q=500")
		await(g, func(e Beat) bool { return e.Lag > 300*time.Millisecond && e.Lag < time.Second })
	})
}

func TestPreload_FullFIFONeitherBlocksNorLosesWhatMatters(t *testing.T) {
	needApps(t)
	g := newMuteGeneration(t, 3000)
	fill(t, g)
	if _, code := start(t, g.env(), "node", "-e", "").end(t); code != 0 {
		t.Errorf("a process with nothing to do ended with %d", code)
	}
	p := start(t, g.env(), "node", "listen.cjs", "3000")
	socket := filepath.Join(g.dir, "::.sock")
	waitFor(t, func() bool { return answers("unix", socket) })
	// What waits must go first even when there is room again just as something new is told.
	go func() {
		waitFor(t, func() bool { _, err := os.Stat(filepath.Join(g.dir, "blocked")); return err == nil })
		g.read()
	}()
	get(t, socket, "/late-other?q="+strconv.Itoa(freePort(t)))
	get(t, socket, "/other-close")
	await(g, func(OtherClosed) bool { return true })
	await(g, by(p.Process.Pid))
	var order []string
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.events {
		switch e.(type) {
		case Main:
			order = append(order, "main")
		case Listening:
			order = append(order, "listening")
		case Other:
			order = append(order, "other")
		case OtherClosed:
			order = append(order, "other-closed")
		}
	}
	if got := strings.Join(order, " "); got != "main listening other other-closed" {
		t.Errorf("told in this order: %s", got)
	}
}

func TestPreload_NobodyWhoReadsTheFIFOIsNoHarm(t *testing.T) {
	eachNode(t, allNodes(t), func(t *testing.T, n node) {
		g := newMuteGeneration(t, 3000)
		_ = g.fifo.Close()
		start(t, g.env(), n.path, "listen.cjs", "3000")
		socket := filepath.Join(g.dir, "::.sock")
		waitFor(t, func() bool { return answers("unix", socket) })
		get(t, socket, "/")
	})
}

func TestPreload_StaysTCPWhereItCannotDoBetter(t *testing.T) {
	needApps(t)
	t.Run("the folder is gone", func(t *testing.T) {
		g := newGeneration(t, freePort(t))
		_ = os.RemoveAll(g.dir)
		staysTCP(t, g, g.env())
	})
	t.Run("the path is too long", func(t *testing.T) {
		g := newGeneration(t, freePort(t))
		dir := filepath.Join(g.dir, strings.Repeat("x", MaxDir+1+len("/ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")-len(g.dir)))
		_ = os.Mkdir(dir, 0o700)
		_ = os.Symlink(filepath.Join(g.dir, FIFO), filepath.Join(dir, FIFO))
		staysTCP(t, g, append(g.env(), GenerationDirEnv+"="+dir))
		if e := await(g, func(Unsupported) bool { return true }); !strings.Contains(e.Reason, "longer than 107") {
			t.Errorf("told %+v", e)
		}
	})
	for name, odd := range map[string]string{
		"no folder": GenerationDirEnv + "=", "a relative folder": GenerationDirEnv + "=.", "no port": AppPortEnv + "=",
		"an odd port": AppPortEnv + "=80x", "port 0": AppPortEnv + "=0", "a port beyond": AppPortEnv + "=70000",
	} {
		t.Run(name, func(t *testing.T) {
			g := newGeneration(t, freePort(t))
			staysTCP(t, g, append(g.env(), odd))
			if all := told[Main](g); len(all) > 0 {
				t.Errorf("told %+v", all)
			}
		})
	}
}

func TestPreload_ProcessesOfOneGenerationClashAsOverTCP(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	first := start(t, g.env(), "node", "listen.cjs", "3000", `{"host":"127.0.0.1"}`)
	socket := await(g, by(first.Process.Pid)).Socket
	for _, host := range []string{"127.0.0.1", "0.0.0.0", "::"} {
		if out, code := start(t, g.env(), "node", "listen.cjs", "3000", `{"host":"`+host+`"}`).end(t); out != "EADDRINUSE\n" || code != 3 {
			t.Errorf("a second one on %s ended with %d: %s", host, code, out)
		}
	}
	second := start(t, g.env(), "node", "listen.cjs", "3000", `{"host":"::1"}`)
	get(t, await(g, by(second.Process.Pid)).Socket, "/")

	// A killed one leaves its file, and a connection that a child of it might hold.
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first.kill()
	if _, err := os.Stat(socket); err != nil {
		t.Fatal("the killed one should have left its socket: ", err)
	}
	third := start(t, g.env(), "node", "listen.cjs", "3000", `{"host":"127.0.0.1"}`)
	get(t, await(g, by(third.Process.Pid)).Socket, "/")
}

func TestPreload_ReusePortGivesEachASocket(t *testing.T) {
	eachNode(t, allNodes(t), func(t *testing.T, n node) {
		if n.major < 23 { // older ones do not know the option
			return
		}
		g := newGeneration(t, 3000)
		sockets := map[string]bool{}
		for range 2 {
			p := start(t, g.env(), n.path, "listen.cjs", "3000", `{"host":"0.0.0.0","reusePort":true}`)
			socket := await(g, by(p.Process.Pid)).Socket
			get(t, socket, "/")
			sockets[socket] = true
		}
		if len(sockets) != 2 {
			t.Errorf("sockets %v", sockets)
		}
		if out, _ := start(t, g.env(), n.path, "listen.cjs", "3000").end(t); out != "EADDRINUSE\n" {
			t.Errorf("one that does not share: %s", out)
		}
	})
}

func TestPreload_ProcessThatNeverListensIsNotDisturbed(t *testing.T) {
	eachNode(t, allNodes(t), func(t *testing.T, n node) {
		g := newGeneration(t, 3000)
		for script, want := range map[string]int{"": 0, "process.exitCode = 7": 7, "process.exit(88)": 88, "process.kill(process.pid, 'SIGTERM')": -1} {
			if out, code := start(t, g.env(), n.path, "-e", script).end(t); out != "" || code != want {
				t.Errorf("%q ended with %d: %s", script, code, out)
			}
		}
		script := "console.log(Object.keys(globalThis).length, process.listenerCount('exit'), process._getActiveHandles().length)"
		plain, _ := start(t, nil, n.path, "-e", script).end(t)
		if out, _ := start(t, g.env(), n.path, "-e", script).end(t); out != plain {
			t.Errorf("it finds %s instead of %s", out, plain)
		}
	})
}

func TestPreload_WorkersWithoutItAreServedByAPrimaryThatHasIt(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	start(t, g.env(), "node", "bare-workers.cjs", "3000", strconv.Itoa(freePort(t)))
	get(t, await(g, func(Listening) bool { return true }).Socket, "/")
}

func TestPreload_OnlyThePrimaryOfAClusterTellsWhatItListensOn(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	p := start(t, g.env(), "node", "bare-workers.cjs", "3000", strconv.Itoa(freePort(t)), "preloaded")
	socket := await(g, by(p.Process.Pid)).Socket
	for range 3 { // every worker's turn
		get(t, socket, "/")
	}
	// two workers and their primary beat: all has been told by then
	for _, m := range told[Main](g) {
		await(g, func(e Beat) bool { return e.PID == m.PID })
	}
	if all := told[Other](g); len(all) != 1 || all[0].PID != p.Process.Pid {
		t.Errorf("told %+v", all)
	}
	if all := told[Listening](g); len(all) != 1 {
		t.Errorf("told %+v", all)
	}
}

func TestPreload_ThreadsAreNoProcesses(t *testing.T) {
	needApps(t)
	g := newGeneration(t, freePort(t))
	start(t, g.env(), "node", "threads.cjs").end(t)
	await(g, func(Listening) bool { return true })
	if all := told[Main](g); len(all) != 1 {
		t.Errorf("told %+v", all)
	}
}

func TestPreload_BurstOfConnectionsWaitsAsOverTCP(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	p := start(t, g.env(), "node", "listen.cjs", "3000", `{"backlog":4}`)
	socket := await(g, by(p.Process.Pid)).Socket
	_ = p.Process.Signal(syscall.SIGSTOP)
	for i := range 1000 {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer conn.Close()
	}
}

func TestPreload_ConnectionsOfADeadListenerDoNotKeepItsAddress(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	parent := start(t, append(g.env(), "PORT=3000"), "node", "heir.cjs")
	conn, err := net.Dial("unix", await(g, by(parent.Process.Pid)).Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len("kept"))); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(parent.Process.Pid, syscall.SIGKILL)
	second := start(t, g.env(), "node", "listen.cjs", "3000", `{"host":"127.0.0.1"}`)
	get(t, await(g, by(second.Process.Pid)).Socket, "/")
}

func TestPreload_CallsToItselfOverTLSStayTCP(t *testing.T) {
	eachNode(t, allNodes(t), func(t *testing.T, n node) {
		g := newGeneration(t, freePort(t))
		occupy(t, g.port)
		if out, code := start(t, append(g.env(), certificate(t)...), n.path, "secret.cjs").end(t); out != "ECONNREFUSED\n" || code != 0 {
			t.Errorf("it ended with %d: %s", code, out)
		}
	})
}

// Helpers

// get asks over a unix socket, as pitstop does, and wants 200.
func get(t *testing.T, socket, path string) string {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://app"+path, nil)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return string(body)
}

func staysTCP(t *testing.T, g *generation, env []string) {
	t.Helper()
	start(t, env, "node", "listen.cjs", strconv.Itoa(g.port))
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(g.port))
	waitFor(t, func() bool { return answers("tcp", addr) })
	if all := told[Listening](g); len(all) > 0 {
		t.Errorf("told %+v", all)
	}
}

func answers(network, addr string) bool {
	conn, err := net.Dial(network, addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// waitFor polls what nobody tells.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it never came")
		}
	}
}

// fill writes lines into the FIFO until no more go in.
func fill(t *testing.T, g *generation) {
	t.Helper()
	line := append(bytes.Repeat([]byte(" "), 900), `{"event":"beat","lag_ms":0,"pid":1}`+"\n"...)
	fd, err := syscall.Open(filepath.Join(g.dir, FIFO), syscall.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	for err == nil {
		_, err = syscall.Write(fd, line)
	}
	for err = nil; err == nil; {
		_, err = syscall.Write(fd, []byte(" ")) // the last line's rest: a short line of the app would still fit
	}
}
