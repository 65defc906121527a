// Package memory answers one question: is there room in memory for a second child beside the first?
//
//   - Room is decided by the least room of all limits that hold: of every cgroup up to the root, v1 and v2, of the ECS
//     container and of the ECS task.
//   - What other containers of the task use is not room, and is asked anew each time.
//   - Nothing is room on a guess: without a limit, or with a figure that cannot be read, the verdict is in-place, and
//     says which figure is missing.
//   - File cache that the kernel drops by itself is not in use.
//   - A second child needs what the first one's whole tree needed at its peak, and a quarter more.
//   - An OOM kill in the own cgroup is counted.
//   - A newcomer can be made the OOM killer's first choice and be put back, without privilege.
//
// The machine's own memory (/proc/meminfo) is no limit here: on Fargate it is that of a larger machine than the task
// pays for, and beside other containers it is everybody's.
//
// What is not promised: limits above what a cgroup namespace shows are invisible, and so are the neighbours below them.
// A sidecar may grow after the verdict. What a child shares with nobody but keeps outside its anonymous memory (tmpfs
// files, shared memory, socket buffers) is left to the quarter more.
package memory
