'use strict';

// The app that calls itself, by every form of connect and every name of this machine.
const http = require('http');
const net = require('net');
const { print, port, get, listening, closed, fields } = require('./observe.cjs');
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
const hosts = ['localhost', 'LOCALHOST', '127.0.0.1', '127.0.0.9', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1'];

(async () => {
  const server = http.createServer((req, res) => res.end('self'));
  for (const host of ['::', '0.0.0.0', '127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    print(host, await listening(server, port, host));
    // 'localhost' may be ::1 first or 127.0.0.1; over TCP newer versions of Node try both, older ones do not
    for (const to of hosts) if (host === '::' || !/localhost/i.test(to)) print('  ', to, await get(to));
    await closed(server);
  }

  print(await listening(server, port));
  const forms = [[port], [String(port)], [port, '127.0.0.1'], [{ port }], [{ port, host: 'localhost', family: 4 }], [{ port, host: '127.0.0.1', localAddress: '127.0.0.1' }], [{ port, onread: { buffer: Buffer.alloc(9), callback() {} } }]];
  for (const form of forms) {
    const order = [];
    const socket = net.connect(...form, () => order.push('callback'));
    socket.on('connect', () => order.push('connect'));
    order.push(socket.connecting, socket.remoteAddress === undefined);
    await event(socket, 'ready');
    order.push(socket.connecting, socket.remotePort, socket.setNoDelay() === socket);
    socket.destroy();
    await event(socket, 'close');
    print('connect', order);
  }
  // a socket used twice
  const socket = new net.Socket();
  for (let i = 0; i < 2; i++) {
    socket.connect(port, '127.0.0.1');
    await event(socket, 'connect');
    socket.destroy();
    await event(socket, 'close');
    print('connected', i);
  }
  const other = http.createServer((req, res) => res.end('other'));
  await listening(other, 0, '127.0.0.1');
  print('other', await get('127.0.0.1', '/', { port: other.address().port }));
  await closed(other);
  const path = `/tmp/preload-selfcall-${process.pid}.sock`;
  const file = net.createServer((s) => s.end('by its path'));
  await listening(file, path);
  print('path', String((await event(net.connect({ port, host: '127.0.0.1', path }), 'data'))[0]));
  await closed(file);
  await closed(server);
  print('nobody', await get('127.0.0.1'), fields((await event(net.connect(port, '127.0.0.1'), 'error'))[0]));
  try { net.connect(); } catch (err) { print(err.code); }
  try { net.connect({ port: 70000 }); } catch (err) { print(err.code); }
})();
