'use strict';

// Which two addresses may listen on one port, and what the second one hears.
const net = require('net');
const { print, port, listening, closed } = require('./observe.cjs');

const addresses = [undefined, '127.0.0.1', '127.0.0.2', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1'].map((host) => ({ host, port }));
addresses.push({ host: '::', ipv6Only: true, port });

(async () => {
  for (const a of addresses) {
    for (const b of addresses) {
      const [first, second] = [net.createServer(), net.createServer()];
      await listening(first, a);
      print(a.host || 'any', Boolean(a.ipv6Only), 'then', b.host || 'any', Boolean(b.ipv6Only), await listening(second, b));
      print('  ', second.listening, second.address());
      if (second.listening) await closed(second);
      await closed(first);
      print('   again', await listening(second, b));
      await closed(second);
    }
  }
})();
