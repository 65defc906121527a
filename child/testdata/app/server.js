// Says what it hears, and ends by itself with code 7 some time after the first SIGTERM, as an app that cleans up does.
'use strict';
let terms = 0;
process.on('SIGTERM', () => {
  console.log('TERM');
  if (++terms === 1) setTimeout(() => process.exit(7), 300);
});
process.on('SIGHUP', () => console.log('HUP'));
require('http').createServer((req, res) => res.end('ok')).listen(process.env.PORT, '127.0.0.1');
