package child

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// The parent-death signal is set after the change of user, which would clear it.
func TestUser_AnothersChildDiesWithItsParentToo(t *testing.T) {
	needsRoot(t)
	diesWithParent(t, "pitstop", "TEST_UID=54321")
}

func TestChild_DiesWithItsParentEvenWhenThatIsKilled(t *testing.T) {
	diesWithParent(t, "pitstop")
}

// Behind npm the kernel's namespace does it, and nothing else can.
func TestChild_TheAppBehindNpmDiesWithAnInit(t *testing.T) {
	t.Parallel()
	needs(t, "npm")
	diesWithParent(t, "init with npm")
}

// diesWithParent kills a part that has started a child, and waits for the end of the pipe that all of them hold.
func diesWithParent(t *testing.T, part string, env ...string) {
	t.Helper()
	parent := exec.Command("/proc/self/exe")
	parent.Env = append(os.Environ(), append(env, "TEST_CHILD="+part, "TEST_PORT="+strconv.Itoa(freePort(t)))...)
	if part != "pitstop" {
		parent.SysProcAttr = newNamespace()
	}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Skip(err)
	}
	ended := make(chan error, 1)
	var said string
	if _, err := fmt.Fscan(out, &said); err != nil || said != "started" {
		t.Fatalf("the child said %q, %v", said, err)
	}
	_ = parent.Process.Kill()
	go func() {
		_, err := io.ReadAll(out)
		ended <- err
	}()
	eventually(t, "nobody holds the pipe", func() bool { return len(ended) > 0 })
	if err := <-ended; err != nil {
		t.Error(err)
	}
	_ = parent.Wait()
}
