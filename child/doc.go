// Package child runs one process of the app: starts it, finds out when it is ready, stops it, tells how it ended.
//
//   - The process stands in a group of its own and dies with pitstop, even when that is killed.
//   - Ready means that somebody accepts on the app's port who did not before the start, and that the process lives.
//   - Stopped means that its whole group is gone, so that nothing holds its port any more.
//   - Its environment is made anew at every launch and holds none of pitstop's own settings.
package child
