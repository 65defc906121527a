'use strict';

// A primary whose workers have neither its environment nor its options.
const cluster = require('cluster');
const http = require('http');

if (cluster.isPrimary) cluster.fork({ NODE_OPTIONS: '', PITSTOP_GENERATION_DIR: '' });
else http.createServer((req, res) => res.end('bare')).listen(Number(process.argv[2]));
