'use strict';

// What the tests compare between plain TCP and the preload: every line printed must be the same.
const http = require('http');
const net = require('net');

const port = Number(process.env.PORT);
exports.port = port;

// name hides the ephemeral ports, which differ between any two runs.
const hide = (p) => (p === port || p === undefined || p === null ? p : p >= 1024 ? 'ephemeral' : p);
exports.ends = (s) => ({
  remote: [s.remoteAddress, hide(s.remotePort), s.remoteFamily],
  local: [s.localAddress, hide(s.localPort), s.localFamily],
  address: { ...s.address(), port: hide(s.address().port) },
});
exports.hide = hide;

exports.print = (...args) => {
  const text = args.map((a) => (typeof a === 'string' ? a : JSON.stringify(a))).join(' ');
  process.stdout.write(text.replaceAll(String(port), 'PORT') + '\n');
};

exports.fields = (err) => ({
  name: err.name, code: err.code, syscall: err.syscall, errno: err.errno, address: err.address, port: err.port, message: err.message,
});

// listening resolves with 'listening', or the error's fields.
exports.listening = (server, ...args) => new Promise((resolve) => {
  server.once('error', (err) => resolve(exports.fields(err)));
  server.once('listening', () => resolve('listening'));
  server.listen(...args);
});

exports.closed = (server) => new Promise((resolve) => {
  server.close(resolve);
  if (server.closeAllConnections) server.closeAllConnections();
});

exports.get = (host, path = '/', options = {}) => new Promise((resolve) => {
  const req = http.get({ host, port, path, agent: false, ...options }, (res) => {
    let body = '';
    res.on('data', (d) => (body += d));
    res.on('end', () => resolve(res.statusCode + ' ' + body));
  });
  req.on('error', (err) => resolve(err.code));
});

// meet connects a client and resolves with both ends.
exports.meet = (server, host) => new Promise((resolve, reject) => {
  const client = net.connect({ port, host });
  client.on('error', reject);
  const both = { client: new Promise((done) => client.once('connect', () => done(client))) };
  both.server = new Promise((done) => server.once('connection', done));
  Promise.all([both.client, both.server]).then(([c, s]) => resolve({ client: c, server: s }));
});
