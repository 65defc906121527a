package preload

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestPreload_TwoGenerationsListenOnOnePort(t *testing.T) {
	needApps(t)
	for range 2 {
		g := newGeneration(t, 3000)
		p := start(t, g.env(), "node", "listen.cjs", "3000", `{"host":"0.0.0.0"}`)
		get(t, await(g, by(p.Process.Pid)).Socket, "/")
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

func TestPreload_StaysTCPWhereItCannotDoBetter(t *testing.T) {
	needApps(t)
	t.Run("the folder is gone", func(t *testing.T) {
		g := newGeneration(t, freePort(t))
		_ = os.RemoveAll(g.dir)
		staysTCP(t, g, g.env())
	})
	t.Run("the FIFO is gone", func(t *testing.T) {
		g := newGeneration(t, freePort(t))
		_ = os.Remove(filepath.Join(g.dir, FIFO))
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
