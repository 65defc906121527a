'use strict';

// An app with TLS that calls itself.
const fs = require('fs');
const tls = require('tls');
const cert = fs.readFileSync(process.env.TEST_CERT);

const server = tls.createServer({ cert, key: fs.readFileSync(process.env.TEST_KEY) }, (socket) => socket.end());
server.listen(Number(process.env.PORT), () => {
  const client = tls.connect({ port: process.env.PORT, host: '127.0.0.1', servername: 'localhost', ca: cert });
  client.on('secureConnect', () => console.log('connected')).on('error', (err) => console.log(err.code));
  client.on('close', () => server.close()).resume();
});
