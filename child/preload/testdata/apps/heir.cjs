'use strict';

// A parent that hands its connections to a child, which keeps them when the parent is killed.
const { fork } = require('child_process');
const net = require('net');

if (process.argv[2] === 'child') {
  const kept = [];
  process.on('message', (what, socket) => kept.push(socket.resume()) && socket.write('kept'));
  process.on('disconnect', () => {}); // and lives on
} else {
  const child = fork(__filename, ['child']);
  net.createServer((socket) => child.send('socket', socket)).listen(Number(process.env.PORT), '127.0.0.1');
}
