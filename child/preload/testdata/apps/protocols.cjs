'use strict';

// Servers of every kind that Node has, and the app's own calls to them.
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');
const net = require('net');
const tls = require('tls');
const { print, port, listening, closed, get, ends, hide } = require('./observe.cjs');

const key = fs.readFileSync(process.env.TEST_KEY);
const cert = fs.readFileSync(process.env.TEST_CERT);

(async () => {
  const h1 = http.createServer((req, res) => res.end(JSON.stringify(ends(req.socket))));
  print('http', await listening(h1, port));
  print(await get('127.0.0.1'), await get('localhost', '/', { family: 4 }), await get('0.0.0.0'));
  print('fetch', await (await fetch(`http://127.0.0.1:${port}/`)).text());
  await closed(h1);

  const h2 = http2.createServer();
  h2.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(headers[':path'] + JSON.stringify(ends(stream.session.socket)));
  });
  print('h2c', await listening(h2, port, '0.0.0.0'));
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':path': '/h2' });
  let body = '';
  for await (const d of stream) body += d;
  print(body, session.socket.remoteAddress, session.socket.remotePort);
  session.close();
  await closed(h2);

  // TLS: the server's side is ours; a client of its own goes over TCP, so this one brings its socket.
  const s1 = https.createServer({ key, cert }, (req, res) => res.end(JSON.stringify(ends(req.socket))));
  print('https', await listening(s1, port, '127.0.0.1'));
  const secure = tls.connect({ socket: net.connect(port, '127.0.0.1'), ca: cert, servername: 'localhost' });
  secure.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let answer = '';
  for await (const d of secure) answer += d;
  print(secure.authorized, secure.remoteAddress || 'gone', answer.slice(answer.indexOf('\r\n\r\n')).trim());
  await closed(s1);

  // others' ports stay theirs
  const other = http.createServer((req, res) => res.end('other'));
  print(await listening(other, 0, '127.0.0.1'), hide(other.address().port) === 'ephemeral');
  print(await get('127.0.0.1', '/', { port: other.address().port }), await get('127.0.0.1'));
  await closed(other);
})();
