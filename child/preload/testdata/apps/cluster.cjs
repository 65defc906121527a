'use strict';

// Workers that share the port; one is killed and forked again; one listens alone.
const cluster = require('cluster');
const http = require('http');
const { print, port, get, ends, hide, listening, closed } = require('./observe.cjs');
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

async function primary() {
  const policy = (cluster.schedulingPolicy = process.argv[2] === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR);
  for (const host of ['', '127.0.0.1']) {
    cluster.setupPrimary({ args: [host] });
    const workers = [];
    for (let i = 0; i < 2; i++) {
      workers.push(cluster.fork());
      const [worker, address] = await event(cluster, 'listening');
      print(policy, host, 'listening', worker === workers[i], address);
    }
    print(await get('127.0.0.1'));
    workers[0].process.kill('SIGKILL');
    await event(workers[0], 'exit');
    workers[0] = cluster.fork();
    await event(cluster, 'listening');
    print(await get('127.0.0.1'), await get('127.0.0.1'));
    const [address] = await new Promise((r) => (workers[0].once('message', (m) => r([m])), workers[0].send('address')));
    print('address', address);
    workers[0].send('exclusive');
    print('exclusive', (await event(workers[0], 'message'))[0]);
    for (const worker of workers) {
      worker.disconnect();
      await event(worker, 'exit');
    }
    print('gone', await get('127.0.0.1'));
  }
  // and the port is free again
  const server = http.createServer();
  print(await listening(server, port));
  await closed(server);
}

function worker() {
  const server = http.createServer((req, res) => res.end(JSON.stringify(ends(req.socket))));
  server.listen(...(process.argv[2] ? [port, process.argv[2]] : [port]));
  process.on('message', async (message) => {
    if (message === 'address') return process.send(server.address());
    const alone = http.createServer();
    const said = await listening(alone, { port, host: '127.0.0.3', exclusive: true });
    const taken = await listening(http.createServer(), { port, host: '127.0.0.3', exclusive: true });
    process.send([said, alone.address(), taken]);
    if (alone.listening) await closed(alone);
  });
}

if (cluster.isPrimary) primary();
else worker();
