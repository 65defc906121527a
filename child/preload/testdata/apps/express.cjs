'use strict';

// Express as most apps have it, called by the clients that apps use.
const axios = require('axios');
const express = require('express');
const undici = require('undici');
const { print, port, get, ends } = require('./observe.cjs');

const app = express();
app.get('/', (req, res) => res.json({ ip: req.ip, ips: req.ips, host: req.hostname, protocol: req.protocol, ...ends(req.socket) }));

const server = app.listen(port, async () => {
  print(server.address(), await get('127.0.0.1'));
  app.set('trust proxy', 'loopback');
  print(await get('127.0.0.1', '/', { headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' } }));
  print('axios', (await axios.get(`http://127.0.0.1:${port}/`)).data);
  print('undici', await (await undici.request(`http://127.0.0.1:${port}/`)).body.json());
  print('fetch', (await (await fetch(`http://127.0.0.1:${port}/`)).json()).ip);
  server.close();
  server.closeAllConnections();
});
