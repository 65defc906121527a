package child

import (
	"os/exec"
	"runtime"
)

// Launcher starts processes from one operating-system thread that lives as long as pitstop: the kernel sends
// the parent-death signal when the thread that started the child ends (PR_SET_PDEATHSIG(2const)), and Go ends
// threads as it likes. A program has one launcher: it is what tells Reap which processes are waited for.
type Launcher struct {
	starts chan launch
	family *family
}

type launch struct {
	spec   Spec
	result chan<- started
}

type started struct {
	child *Child
	err   error
}

// NewLauncher returns a launcher whose thread lives until the program ends.
func NewLauncher() *Launcher {
	l := &Launcher{starts: make(chan launch), family: newFamily()}
	go l.run()
	return l
}

// Start starts the process. It returns a *PortTakenError when its port is not free.
func (l *Launcher) Start(spec Spec) (*Child, error) {
	result := make(chan started, 1)
	l.starts <- launch{spec: spec, result: result}
	r := <-result
	return r.child, r.err
}

// Run is cmd.Run for any other program that pitstop needs: with Reap about, a bare cmd.Run may find its status taken.
// Its errors are those of exec.Cmd.Run.
func (l *Launcher) Run(cmd *exec.Cmd) error {
	if err := l.family.start(cmd); err != nil {
		return err
	}
	defer l.family.collected(cmd.Process.Pid)
	return cmd.Wait()
}

func (l *Launcher) run() {
	runtime.LockOSThread() // never unlocked: see above
	for s := range l.starts {
		c, err := startProcess(l.family, s.spec)
		s.result <- started{c, err}
	}
}
