// The service that server.js has and client.js calls. Messages are JSON, so that no compiler is needed.
'use strict';

const pack = (value) => Buffer.from(JSON.stringify(value));
const unpack = (bytes) => JSON.parse(bytes.toString());

const method = (name, requestStream, responseStream) => ({
  path: `/test.Echo/${name}`, requestStream, responseStream,
  requestSerialize: pack, requestDeserialize: unpack, responseSerialize: pack, responseDeserialize: unpack,
});

module.exports = {
  unary: method('Unary', false, false),
  fail: method('Fail', false, false),
  wait: method('Wait', false, false), // never answers
  cancelled: method('Cancelled', false, false), // how many waits were cancelled
  down: method('Down', false, true),
  up: method('Up', true, false),
  talk: method('Talk', true, true),
};
