'use strict';

const Koa = require('koa');
const { print, port, get } = require('./observe.cjs');

const app = new Koa();
app.use((ctx) => (ctx.body = { ip: ctx.ip, host: ctx.host }));
const server = app.listen(port, '0.0.0.0', async () => {
  print(server.address(), await get('127.0.0.1'));
  server.close();
});
