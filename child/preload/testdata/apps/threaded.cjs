'use strict';

// An app that listens in its main thread, on ::1, and in another, on 127.0.0.1.
const { Worker } = require('worker_threads');

new Worker(require.resolve('./listen.cjs'), { argv: [process.argv[2], '{"host":"127.0.0.1"}'] });
process.argv[3] = '{"host":"::1"}';
require('./listen.cjs');
