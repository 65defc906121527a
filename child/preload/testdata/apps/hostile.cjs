'use strict';

// Apps that rearrange what they run in before they listen.
const http = require('http');
const net = require('net');
const fs = require('fs');
const { print, port, get, ends, listening } = require('./observe.cjs');

(async () => {
  print('stdout is made at its first use');
  for (const key of Object.keys(process.env)) delete process.env[key];
  process.env = { NODE_OPTIONS: '--max-old-space-size=100' };
  process.chdir('/');
  for (const name of ['openSync', 'writeSync', 'readdirSync', 'readFileSync']) fs[name] = () => { throw new Error('patched'); };
  globalThis.setTimeout = globalThis.setInterval = () => { throw new Error('patched'); };
  for (const type of [Object, Array, Function, Map, net.Server, net.Socket, http.Server, http.ClientRequest]) Object.freeze(type.prototype);
  Object.freeze(net);
  Object.defineProperty(process, 'pid', { value: process.pid });

  const answer = (req, res) => res.end(JSON.stringify(ends(req.socket)));
  for (const host of ['127.0.0.1', '::1']) {
    const server = new http.Server(answer);
    print(await listening(server, port, host), server.address(), await get(host));
    server.close();
    print(server.listening, await get(host));
  }
  print(Object.keys(globalThis).sort());
})();
