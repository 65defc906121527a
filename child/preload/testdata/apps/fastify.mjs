// Fastify, from an ESM entry, on 'localhost': it listens on every address of that name.
import Fastify from 'fastify';
import observe from './observe.cjs';

const { print, port, get, ends } = observe;
const app = Fastify();
for (const host of ['0.0.0.0', 'localhost', '::']) {
  const app = Fastify();
  app.get('/', async (req) => ({ ip: req.ip, hostname: req.hostname, ...ends(req.socket) }));
  print(await app.listen({ port, host }), app.addresses(), await get('127.0.0.1'));
  await app.close();
}
