// Package child runs one process of the app: starts it, finds out when it is ready, stops it, tells how it ended.
// It also does what PID 1 owes to processes that nobody else waits for.
//
//   - The process stands in a group of its own and dies with pitstop, even when that is killed.
//   - Ready means that somebody accepts on the app's port who did not before the start, and that the process lives.
//   - The app's graceful end is asked for once, behind npm or a shell too, and its exit code is passed on exactly.
//   - Stopped means that its whole group is gone, so that nothing holds its port any more.
//   - No zombie stays, and no status of a process that is waited for is lost.
//   - Its environment is made anew at every launch and holds none of pitstop's own settings.
//
// What is not promised: when pitstop is killed and is not PID 1, what stands behind npm or a shell lives on. The
// parent-death signal reaches pitstop's own child only: it is not inherited by fork (PR_SET_PDEATHSIG(2const)), and an
// ordinary user has no other way to tie a grandchild to a process. As PID 1 the kernel ends the whole namespace
// (pid_namespaces(7)). A program with set-user-ID bits or file capabilities, such as a node after setcap, clears the
// parent-death signal when it is executed. A process that leaves the group, as a browser started with detached: true
// does, is reaped when it ends but not stopped.
package child
