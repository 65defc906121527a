'use strict';

// Next behind a server of one's own.
const { createServer } = require('http');
const next = require('next');

const port = Number(process.env.PORT);
const app = next({ dev: false, hostname: 'localhost', port });
const handle = app.getRequestHandler();
app.prepare().then(() => createServer((req, res) => handle(req, res)).listen(port));
