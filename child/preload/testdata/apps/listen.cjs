'use strict';

// An app that does what its test asks for over HTTP. Arguments: the port, and the options of listen as JSON.
const fs = require('fs');
const http = require('http');
const { ends } = require('./observe.cjs');

const port = Number(process.argv[2] || process.env.PORT);
const others = [];
const acts = {
  '/': (res, query, socket) => res.end(JSON.stringify(ends(socket))),
  '/block': (res, query) => {
    const end = Date.now() + Number(query);
    while (Date.now() < end);
    res.end();
  },
  '/close': (res) => {
    res.setHeader('Connection', 'close').end();
    server.close();
  },
  '/other': (res, query) => others.push(http.createServer().listen(Number(query), '127.0.0.1', function () { res.end(String(this.address().port)); })),
  // no timer of the app runs between the block's begin and this listen
  '/late-other': (res, query) => {
    fs.writeFileSync(process.env.PITSTOP_GENERATION_DIR + '/blocked', '');
    acts['/block']({ end() {} }, 300);
    acts['/other'](res, query);
  },
  '/other-close': (res) => others.pop().close(() => res.end()),
  '/exit': (res, query) => process.exit(Number(query)),
};

const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://app');
  acts[url.pathname](res, url.searchParams.get('q'), req.socket);
});
server.on('error', (err) => {
  console.log(err.code);
  process.exit(3);
});
server.listen({ port, ...JSON.parse(process.argv[3] || '{}') }, () => console.log('listening'));
