'use strict';

// A parent that sends its connections, and then its server, to a child (sticky sessions do the first).
const { fork } = require('child_process');
const net = require('net');
const { print, port, listening, ends, closed } = require('./observe.cjs');
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
const ask = (host) => new Promise((resolve, reject) => {
  let text = '';
  net.connect({ port, host }).on('data', (d) => (text += d)).on('end', () => resolve(text)).on('error', reject);
});

async function parent() {
  const child = fork(__filename, ['child']);
  await event(child, 'message');
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    const server = net.createServer({ pauseOnConnect: true }, (socket) => child.send('socket', socket));
    await listening(server, { port, host });
    print(host, await ask('127.0.0.1'));
    server.close();
    await event(server, 'close');
  }
  // now both accept: ask until it was the child
  const server = net.createServer((socket) => socket.end('parent'));
  await listening(server, { port, host: '127.0.0.1' });
  child.send('server', server);
  print((await event(child, 'message'))[0]);
  global.gc();
  let answer = 'parent';
  while (answer === 'parent') answer = await ask('127.0.0.1');
  print(answer);
  child.kill();
  await event(child, 'exit');
  await closed(server);
}

function child() {
  const answer = (socket) => socket.end(JSON.stringify(ends(socket)));
  process.on('message', (what, handle) => {
    if (what === 'socket') return answer(handle);
    handle.on('connection', answer);
    global.gc();
    setImmediate(() => process.send(handle.address()));
  });
  process.send('up');
}

if (process.argv[2]) child();
else parent();
