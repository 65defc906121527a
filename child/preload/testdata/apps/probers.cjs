'use strict';

// Apps that look for a free port first, with what they use for it.
const net = require('net');
const { detectPort } = require('detect-port');
const portfinder = require('portfinder');
const { print, port, listening, closed } = require('./observe.cjs');

(async () => {
  print('detect-port', await detectPort(port));
  print('portfinder', await portfinder.getPortPromise({ port, stopPort: port }));
  const server = net.createServer();
  print(await listening(server, port), server.address());
  print('detect-port', (await detectPort(port)) !== port);
  print('portfinder', await portfinder.getPortPromise({ port, stopPort: port }).catch((err) => err.message));
  await closed(server);
})();
