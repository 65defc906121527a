'use strict';

// Every form of server.listen that names the app's port, and some that do not.
const net = require('net');
const { print, port, listening, closed, meet, ends, hide } = require('./observe.cjs');

const forms = {
  '(port)': [port],
  '(port, host)': [port, '127.0.0.1'],
  '(port, localhost)': [port, 'localhost'],
  '(port, host, backlog)': [port, '127.0.0.1', 16],
  '(port, backlog)': [port, 16],
  '(string)': [String(port)],
  '(string, host)': [String(port), '0.0.0.0'],
  '({port})': [{ port }],
  '({port as string})': [{ port: String(port) }],
  '({port, host, backlog})': [{ port, host: '127.0.0.1', backlog: 5 }],
  '({exclusive})': [{ port, exclusive: true }],
  '({::})': [{ port, host: '::' }],
  '({ipv6Only})': [{ port, host: '::', ipv6Only: true }],
  '({::1})': [{ port, host: '::1' }],
  '({signal})': [{ port, host: '0.0.0.0', signal: new AbortController().signal }],
  '({other loopback})': [{ port, host: '127.0.0.2' }],
  '(null host)': [port, null],
  'port 0': [0, '127.0.0.1'],
  'no port': [],
  'host not here': [port, '203.0.113.7'],
  'no such host': [port, 'nowhere.invalid'],
};

(async () => {
  for (const [form, args] of Object.entries(forms)) {
    const server = net.createServer();
    const said = await listening(server, ...args);
    const address = server.address();
    print(form, said.code === 'EAI_AGAIN' ? 'ENOTFOUND' : said.code === 'ENOTFOUND' ? said.code : said);
    if (!address) continue;
    print('  ', { ...address, port: hide(address.port) }, server.listening, server._connectionKey.replace(/:\d+$/, ''));
    if (address.port === port) {
      const host = { '0.0.0.0': '127.0.0.1', '::': args[0].ipv6Only ? '::1' : '127.0.0.1' }[address.address] || address.address;
      const both = await meet(server, host);
      print('  ', ends(both.server), ends(both.client));
      both.client.destroy();
      both.server.destroy();
    }
    print('   closed', await closed(server), server.address(), server.listening);
  }

  // the callback, and the three ways to name something else than a port
  await new Promise((r) => net.createServer().listen(port, '127.0.0.1', 8, function () { print('callback', this.address()); this.close(r); }));
  await new Promise((r) => net.createServer().listen({ port }, function () { print('callback', this.address()); this.close(r); }));
  const path = `/tmp/preload-forms-${process.pid}.sock`;
  const file = net.createServer();
  print('path', await listening(file, path), file.address() === path);
  const handle = net.createServer();
  print('handle', await listening(handle, { _handle: file._handle }), handle.address() && 'named');
  const fd = net.createServer();
  print('fd', await listening(fd, { fd: 9999 }));
  await closed(file);
  try { net.createServer().listen(port + 65536); } catch (err) { print(err.code); }

  const abort = new AbortController();
  const server = net.createServer().listen({ port, signal: abort.signal });
  server.once('close', () => print('aborted', server.listening));
  server.once('listening', () => abort.abort());
})();
