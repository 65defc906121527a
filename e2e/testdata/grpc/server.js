'use strict';

const grpc = require('@grpc/grpc-js');
const service = require('./service.js');

const commit = process.env.PITSTOP_COMMIT;
let cancelled = 0;

const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.default_compression_algorithm': 2 });
server.addService(service, {
  unary(call, done) {
    const head = new grpc.Metadata();
    head.set('x-head', call.metadata.get('x-asked')[0] || 'none');
    head.set('x-bin-bin', call.metadata.get('x-bin-bin')[0] || Buffer.alloc(0));
    call.sendMetadata(head);
    const tail = new grpc.Metadata();
    tail.set('x-tail', 'end');
    setTimeout(() => done(null, { commit, text: call.request.text }, tail), call.request.ms || 0);
  },
  fail(call, done) {
    const metadata = new grpc.Metadata();
    metadata.set('x-why', 'because');
    done({ code: grpc.status.NOT_FOUND, details: 'no such thing: ä%', metadata });
  },
  wait(call) {
    call.on('cancelled', () => cancelled++);
  },
  cancelled(call, done) {
    done(null, { cancelled });
  },
  down(call) {
    let n = 0;
    const next = () => {
      if (n === call.request.count) return call.end();
      call.write({ commit, n: n++ });
      setTimeout(next, call.request.ms || 0);
    };
    next();
  },
  up(call, done) {
    let count = 0;
    let size = 0;
    call.on('data', (m) => { count++; size += m.text.length; });
    call.on('end', () => done(null, { commit, count, size }));
  },
  talk(call) {
    call.on('data', (m) => call.write({ commit, text: m.text }));
    call.on('end', () => call.end());
  },
});
const port = process.env.PORT;
server.bindAsync(`${process.env.BIND || '0.0.0.0'}:${port}`, grpc.ServerCredentials.createInsecure(), (err) => {
  if (err) throw err;
});
process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));
