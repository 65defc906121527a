'use strict';

// A primary whose workers have neither its environment nor its options. They listen on two ports.
const cluster = require('cluster');
const http = require('http');

if (cluster.isPrimary) {
  const env = process.argv[4] ? {} : { NODE_OPTIONS: '', PITSTOP_GENERATION_DIR: '' };
  for (let i = 0; i < 2; i++) cluster.fork(env);
} else {
  http.createServer().listen(Number(process.argv[3]), '127.0.0.1', () => {
    http.createServer((req, res) => res.end('bare')).listen(Number(process.argv[2]));
  });
}
