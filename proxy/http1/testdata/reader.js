'use strict';
// Answers each request with what Node read of it.
const http = require('http');
const latin1 = (s) => Buffer.from(s, 'latin1').toString('base64');
const answer = (req, res) => {
  const body = [];
  req.on('data', (b) => body.push(b));
  req.on('end', () => {
    const read = {
      method: req.method, url: latin1(req.url), version: req.httpVersion, fields: req.rawHeaders.map(latin1),
      body: Buffer.concat(body).toString('base64'), trailers: req.rawTrailers.map(latin1),
    };
    res.writeHead(200, { 'Content-Length': 0, 'X-Read': JSON.stringify(read) });
    res.end();
  });
};
const server = http.createServer(answer);
server.on('checkExpectation', answer);
server.listen(process.argv[2], () => console.log('listening'));
process.stdin.on('end', () => process.exit()).resume(); // it ends with the test
