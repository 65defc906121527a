'use strict';

// A server in a worker thread, called from the main one, and a second thread that wants the same port.
const http = require('http');
const { Worker, isMainThread, parentPort, threadId } = require('worker_threads');
const { print, port, get, ends, listening } = require('./observe.cjs');
const message = (w) => new Promise((resolve, reject) => (w.once('message', resolve), w.once('error', reject)));

async function main() {
  const first = new Worker(__filename);
  print('first', await message(first));
  print(await get('127.0.0.1'));
  const second = new Worker(__filename);
  print('second', await message(second));
  await second.terminate();
  await first.terminate();
  const third = new Worker(__filename);
  print('third', await message(third), await get('localhost', '/', { family: 4 }));
  await third.terminate();
}

async function thread() {
  const server = http.createServer((req, res) => res.end(JSON.stringify(ends(req.socket))));
  const said = await listening(server, port);
  parentPort.postMessage([said, server.address(), threadId]);
}

if (isMainThread) main();
else thread();
