'use strict';

// The life of a server: order of events, closing with clients, listening again, options of sockets.
const http = require('http');
const net = require('net');
const { print, port, listening, closed, meet, get, ends, fields } = require('./observe.cjs');
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

(async () => {
  // order
  const order = [];
  const server = net.createServer((s) => s.on('error', () => {}));
  server.on('listening', () => order.push('listening', server.address().port === port));
  server.listen(port, () => order.push('callback'));
  order.push('returned', server.listening);
  try { server.listen(port); } catch (err) { order.push(err.code); }
  await event(server, 'listening');
  print('order', order, server.listenerCount('listening'), server.listenerCount('error'));

  // sockets
  const { client, server: socket } = await meet(server, '127.0.0.1');
  print('chain', ['setNoDelay', 'setKeepAlive', 'ref', 'unref', 'pause', 'resume'].map((m) => socket[m](true) === socket && client[m](true) === client));
  client.ref();
  socket.ref();
  print('timeout', socket.setTimeout(1e6) === socket, socket.timeout, socket.bytesRead, socket.readyState, socket.pending);
  print('connections', await new Promise((r) => server.getConnections((err, n) => r(n))));
  client.end('bye');
  const [bye] = await event(socket, 'data');
  print('data', String(bye), ends(socket));
  await event(socket, 'close');
  print('after the end', socket.remoteAddress === undefined || socket.remoteAddress, socket.destroyed);

  // a reset
  const second = await meet(server, '127.0.0.1');
  second.server.resetAndDestroy();
  print('reset', second.server.destroyed);
  await event(second.client, 'close').catch((err) => print(err.code));

  // too many
  server.maxConnections = 1;
  const only = await meet(server, '127.0.0.1');
  const drop = event(server, 'drop');
  net.connect(port, '127.0.0.1').on('error', () => {});
  const [dropped] = await drop;
  print('drop', dropped.localAddress, dropped.localPort, dropped.remoteAddress, dropped.remoteFamily);
  server.maxConnections = undefined;
  only.client.destroy();
  await event(only.server.resume(), 'close');

  // close waits for the last connection
  const third = await meet(server, '127.0.0.1');
  third.server.on('data', () => {});
  server.close(() => print('closed'));
  print('closing', server.listening, server.address());
  print('refused', await new Promise((r) => net.connect(port, '127.0.0.1').on('error', (err) => r(fields(err)))));
  third.server.end();
  third.client.resume().end();
  await event(server, 'close');
  server.close((err) => print('again', err.code));

  // listen again, on the same one and at once
  print(await listening(server, port, '127.0.0.1'), server.address());
  server.close();
  const sibling = net.createServer();
  print(await listening(server.listen(port, '0.0.0.0') && sibling, port, '::1'), server.address(), sibling.address());
  await closed(server);
  await closed(sibling);

  // keep-alive and closeAllConnections
  const web = http.createServer((req, res) => res.end(req.url));
  print(await listening(web, port, '0.0.0.0'));
  const agent = new http.Agent({ keepAlive: true });
  print(await get('127.0.0.1', '/kept', { agent }), await get('localhost', '/kept', { agent, family: 4 }));
  const held = http.get({ port, host: '127.0.0.1', path: '/' });
  await event(held, 'response');
  web.close(() => print('web closed'));
  web.closeIdleConnections();
  web.closeAllConnections();
  await event(web, 'close');
  agent.destroy();

  // nothing here keeps the process alive
  await listening(http.createServer().unref(), port);
  process.on('exit', (code) => print('exit', code));
  setTimeout(() => print('still alive'), 20000).unref();
})();
