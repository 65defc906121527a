package preload

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

func TestPreload_ClosedComesBeforeTheNextListening(t *testing.T) {
	needApps(t)
	g := newGeneration(t, 3000)
	p := start(t, g.env(), "node", "-e", `
		const net = require('net');
		const server = net.createServer().listen(3000, () => {
			server.close();
			net.createServer().listen(3000).unref();
		});`)
	if out, code := p.end(t); code != 0 {
		t.Fatalf("it ended with %d: %s", code, out)
	}
	waitFor(t, func() bool { return len(told[Listening](g)) == 2 })
	if got := order(g); got != "Main Listening Closed Listening" {
		t.Errorf("told in this order: %s", got)
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
		get(t, socket, "/block?q=700")
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
	get(t, socket, "/block?q=1500") // the beat that tells it is stale when it could be read
	// What waits must go first even when there is room again just as something new is told.
	go func() {
		waitFor(t, func() bool { _, err := os.Stat(filepath.Join(g.dir, "blocked")); return err == nil })
		g.read()
	}()
	get(t, socket, "/late-other?q="+strconv.Itoa(freePort(t)))
	get(t, socket, "/other-close")
	await(g, func(OtherClosed) bool { return true })
	await(g, by(p.Process.Pid))
	for _, e := range told[Beat](g) {
		if e.Lag > time.Second {
			t.Errorf("told %+v", e)
		}
	}
	if got := order(g); got != "Main Listening Other OtherClosed" {
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
