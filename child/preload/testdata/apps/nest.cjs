'use strict';

require('reflect-metadata');
const { Controller, Get, Module, Req } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { print, port, get } = require('./observe.cjs');

class Cats {
  all(req) { return { ip: req.ip, cats: 2 }; }
}
Req()(Cats.prototype, 'all', 0);
Get()(Cats.prototype, 'all', Object.getOwnPropertyDescriptor(Cats.prototype, 'all'));
Controller('cats')(Cats);
class App {}
Module({ controllers: [Cats] })(App);

(async () => {
  const app = await NestFactory.create(App, { logger: false });
  await app.listen(port);
  print(app.getHttpServer().address(), await app.getUrl(), await get('127.0.0.1', '/cats'));
  await app.close();
})();
