'use strict';

// Socket.IO over polling and WebSocket; then behind a cluster whose primary hands connections to its workers.
const cluster = require('cluster');
const http = require('http');
const { setupMaster, setupWorker } = require('@socket.io/sticky');
const { Server } = require('socket.io');
const { io } = require('socket.io-client');
const { print, port, listening } = require('./observe.cjs');
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

async function primary() {
  const server = http.createServer();
  const sockets = serve(server);
  print(await listening(server, port));
  for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) await call(transports);
  const gone = new Promise((r) => server.once('close', r));
  sockets.close();
  server.closeAllConnections();
  await gone;

  const front = http.createServer();
  setupMaster(front, { loadBalancingMethod: 'round-robin' });
  cluster.setupPrimary({ exec: __filename });
  const workers = [cluster.fork(), cluster.fork()];
  await Promise.all(workers.map((worker) => event(worker, 'message')));
  print('sticky', await listening(front, port, '127.0.0.1'));
  await call(['polling']);
  await call(['websocket']);
  for (const worker of workers) worker.kill('SIGKILL');
  front.close();
  front.closeAllConnections();
}

function serve(server) {
  const sockets = new Server(server);
  sockets.on('connection', (s) => s.on('ping', (answer) => answer(s.handshake.address, s.conn.transport.name)));
  return sockets;
}

async function call(transports) {
  const client = io(`http://127.0.0.1:${port}`, { transports, upgrade: false, forceNew: true });
  print(transports, await new Promise((resolve) => client.emit('ping', (...said) => resolve(said))));
  client.close();
}

if (cluster.isPrimary) primary();
else {
  const sockets = serve(http.createServer());
  setupWorker(sockets);
  process.send('up');
}
