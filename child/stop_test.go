package child

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestStop_TheAppIsAskedOnceAndItsCodePassedOn(t *testing.T) {
	needs(t, "node")
	for _, command := range [][]string{
		{"node", "server.js"},
		{"npm", "start"},
		{"npm", "run", "start"},
		{"npx", "node", "server.js"},
		{"node", programFile("npm"), "start"},
		{"yarn", "start"},
		{"pnpm", "start"},
		{pnpm12(), "start"},
		{"sh", "-c", "node server.js"},
		{"sh", "-c", "exec node server.js"},
		{"sh", "-c", "node server.js; exit $?"},
		{"bash", "-c", "node server.js; exit $?"},
		{"busybox", "sh", "-c", "node server.js; exit $?"},
		{"./start.sh"},
		{"env", "A=b", "node", "server.js"},
		{"tini", "--", "node", "server.js"},
		{"tini", "--", "npm", "start"},
		{"dumb-init", "node", "server.js"},
		{"dumb-init", "npm", "start"},
	} {
		name := strings.ReplaceAll(strings.Join(command, " "), runners+"/", "")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needs(t, command[0])
			c, out := startApp(t, command)
			stopsWell(t, c, out)
		})
	}
}

// Yarn 4 runs nothing in a project that it has not installed.
func TestStop_BehindYarn4(t *testing.T) {
	t.Parallel()
	yarn := filepath.Join(runners, "yarn4", "bin", "yarn.js")
	needs(t, yarn)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/app")); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "HOME="+dir, "YARN_ENABLE_TELEMETRY=0", "YARN_ENABLE_NETWORK=0", "YARN_NODE_LINKER=node-modules",
		"YARN_ENABLE_IMMUTABLE_INSTALLS=0") // which CI=true would make of it
	install := exec.Command("node", yarn, "install")
	install.Dir, install.Env = dir, env
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c, out := startReady(t, Spec{Command: []string{"node", yarn, "start"}, Dir: dir, Env: env})
	stopsWell(t, c, out)
}

func TestStop_BehindNpmAsInit(t *testing.T) {
	needs(t, "npm")
	if !inside(t, anInit) {
		return
	}
	c, out := startApp(t, []string{"npm", "start"})
	// npm ends alone: the app is pitstop's orphan now, and a zombie when it has ended; nobody else reaps here
	_ = syscall.Kill(c.Pid(), syscall.SIGKILL)
	<-c.Exited()
	ctx, cancel := context.WithTimeout(t.Context(), deadlineFor)
	defer cancel()
	if took, killed := c.Stop(ctx); killed {
		t.Errorf("had to kill after %v", took)
	}
	if heard := strings.Count(read(t, out), "TERM"); heard != 1 {
		t.Errorf("the app heard SIGTERM %d times", heard)
	}
	if living, zombies := own(t); len(living)+len(zombies) > 0 {
		t.Errorf("left: %v, zombies %v", living, zombies)
	}
}

func TestStop_KillReachesTheAppInAGroupOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"tini", "--", "node", "server.js"}, {"dumb-init", "--", "node", "server.js"}, {pnpm12(), "start"}} {
		t.Run(filepath.Base(command[0]), func(t *testing.T) {
			t.Parallel()
			needs(t, "node")
			needs(t, command[0])
			c, _ := startApp(t, command)
			kill(c)
			if err := CheckPort(c.spec.Port); err != nil {
				t.Error(err)
			}
		})
	}
}

// What stands between may die alone, by the OOM killer for one.
func TestStop_TheAppThatWasLeftBehindInAGroupOfItsOwnIsFound(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"tini", "--", "node", "server.js"}, {pnpm12(), "start"}} {
		t.Run(filepath.Base(command[0]), func(t *testing.T) {
			t.Parallel()
			needs(t, command[0])
			c, _ := startApp(t, command) // what it says goes through pnpm, and is lost
			_ = syscall.Kill(c.Pid(), syscall.SIGKILL)
			<-c.Exited()
			ctx, cancel := context.WithTimeout(t.Context(), deadlineFor)
			defer cancel()
			if took, killed := c.Stop(ctx); killed {
				t.Errorf("had to kill after %v", took)
			}
			if err := CheckPort(c.spec.Port); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStop_AShellThatGoesOnIsAskedToo(t *testing.T) {
	t.Parallel()
	c, _ := startApp(t, []string{"npm", "run", "chain"})
	ctx, cancel := context.WithTimeout(t.Context(), deadlineFor)
	defer cancel()
	if took, killed := c.Stop(ctx); killed {
		t.Errorf("had to kill after %v", took)
	}
}

func TestStop_AStormOfCallsIsOneSIGTERM(t *testing.T) {
	if !inside(t, anInit) {
		return
	}
	l := NewLauncher()
	reap(t, l)
	c, out := startPart(t, l, "listener")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), deadlineFor)
			defer cancel()
			if took, killed := c.Stop(ctx); killed {
				t.Errorf("had to kill after %v", took)
			}
		})
	}
	all.Wait()
	if c.Exit().Code != 7 {
		t.Errorf("%v, want its own 7", c.Exit())
	}
	if heard := strings.Count(read(t, out), "terminated"); heard != 1 {
		t.Errorf("it heard SIGTERM %d times", heard)
	}
}

func TestStop_ACancelledContextKillsAtOnce(t *testing.T) {
	t.Parallel()
	c, out := startPart(t, NewLauncher(), "listener")
	kill(c)
	if c.Exit().Code != 137 || len(c.asked) > 0 || strings.Contains(read(t, out), "terminated") {
		t.Errorf("%v, asked %v, and it said %q", c.Exit(), c.asked, read(t, out))
	}
}

func TestGroup_OnceSeenEmptyItsNumberIsNotSignalledAgain(t *testing.T) {
	other, _ := startPart(t, NewLauncher(), "listener") // was given the number
	g := &group{id: other.Pid(), leaderless: true, empty: true}
	if err := g.signal(syscall.SIGKILL); err != syscall.ESRCH {
		t.Errorf("signal returned %v", err)
	}
	if !g.gone() || other.hasExited() {
		t.Error("another's group was signalled")
	}
}

func TestGroup_ALeaderThatWasAloneIsGoneAtOnce(t *testing.T) {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g := &group{id: cmd.Process.Pid}
	g.collectLeader(func() { _ = cmd.Wait() })
	if !g.empty {
		t.Error("its number may be another's, and would still be signalled")
	}
}

// Helpers

// stopsWell stops testdata/app: it hears SIGTERM once, its own code comes through, and nothing of it is left.
func stopsWell(t *testing.T, c *Child, out *os.File) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadlineFor)
	defer cancel()
	if took, killed := c.Stop(ctx); killed {
		t.Errorf("had to kill after %v", took)
	}
	if c.Exit().Code != 7 {
		t.Errorf("%v, want the app's code 7", c.Exit())
	}
	if heard := strings.Count(read(t, out), "TERM"); heard != 1 {
		t.Errorf("the app heard SIGTERM %d times", heard)
	}
	if err := CheckPort(c.spec.Port); err != nil {
		t.Error(err)
	}
}

// startApp starts testdata/app and waits until it listens.
func startApp(t *testing.T, command []string) (c *Child, out *os.File) {
	t.Helper()
	dir, err := filepath.Abs("testdata/app")
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "npm_config_update_notifier=false", "npm_config_logs_max=0")
	return startReady(t, Spec{Command: command, Dir: dir, Env: env})
}

// startReady starts an app on a free port and waits until it listens.
func startReady(t *testing.T, spec Spec) (c *Child, out *os.File) {
	t.Helper()
	spec.Port = freePort(t)
	spec.Env = append(spec.Env, "PORT="+strconv.Itoa(spec.Port))
	c, out = startSpec(t, NewLauncher(), spec)
	ctx, cancel := context.WithTimeout(t.Context(), deadlineFor)
	defer cancel()
	if _, err := c.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return c, out
}

// startPart starts a part that the test binary plays and waits until it has said something.
func startPart(t *testing.T, l *Launcher, part string, env ...string) (c *Child, out *os.File) {
	t.Helper()
	c, out = startSpec(t, l, Spec{Command: []string{os.Args[0]}, Env: append(append(os.Environ(), "TEST_CHILD="+part), env...)})
	eventually(t, part+" has started", func() bool { return read(t, out) != "" })
	return c, out
}

func startSpec(t *testing.T, l *Launcher, spec Spec) (c *Child, out *os.File) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	spec.Stdout, spec.Stderr = out, out
	if c, err = l.Start(spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(c) })
	return c, out
}

func read(t *testing.T, f *os.File) string {
	t.Helper()
	text, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// kill ends what is left of a child at once.
func kill(c *Child) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Stop(ctx)
}

func needs(t *testing.T, program string) {
	t.Helper()
	if strings.HasPrefix(program, ".") {
		return
	}
	if _, err := os.Stat(filepath.Join(runners, "yarn")); err != nil {
		t.Fatal("run make test, which installs what stands between: ", err)
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skip(err)
	}
}

// runners holds yarn and pnpm.
var runners, _ = filepath.Abs("testdata/runners/node_modules")

// pnpm12 is no Node program any more, and gives what it starts a group of its own.
func pnpm12() string {
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	return filepath.Join(runners, "pnpm12-"+cmp.Or(arch, runtime.GOARCH), "pnpm")
}

func programFile(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return name
	}
	return path
}
