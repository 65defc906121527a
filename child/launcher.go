package child

import (
	"runtime"
)

// Launcher starts processes from one operating-system thread that lives as long as pitstop: the kernel sends
// the parent-death signal when the thread that started the child ends (prctl(2), PR_SET_PDEATHSIG), and Go ends
// threads as it likes.
type Launcher struct {
	starts chan launch
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
	l := &Launcher{starts: make(chan launch)}
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

func (l *Launcher) run() {
	runtime.LockOSThread() // never unlocked: see above
	for s := range l.starts {
		c, err := startProcess(s.spec)
		s.result <- started{c, err}
	}
}
