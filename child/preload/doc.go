// Package preload holds the file that is preloaded into every Node process of the app, and reads what it tells.
//
//   - A TCP listen on the app's port becomes a listen on a unix socket of this generation; nothing else does.
//   - Two listens on one port get a socket each, or clash as over TCP, across all processes of the generation.
//   - Addresses, errors, events and closing read as with TCP, in every version of Node that is tested.
//   - The app that calls itself on its own port reaches itself.
//   - Pitstop is told when the app listens, when it has closed, what else it listens on, and that its loop turns.
//   - A full FIFO, or nobody who reads it, neither blocks the app nor loses what matters once it is read again.
//   - What the file is unsure of stays plain TCP, and a process that never listens is not disturbed.
//
// Node is asked to load the file with NODE_OPTIONS=--require=FILE, and finds the generation's folder in
// [GenerationDirEnv] and the app's port in [AppPortEnv]. The folder (mode 0700, owned by the child's user) holds a
// FIFO named [FIFO], which pitstop keeps open for reading and writing; the sockets appear beside it.
package preload
