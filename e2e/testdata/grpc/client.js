// node client.js ADDR check         calls every kind of method once, and says what is wrong
// node client.js ADDR load          calls until stdin ends, and tells as JSON what became of the calls
'use strict';

const assert = require('assert');
const grpc = require('@grpc/grpc-js');
const service = require('./service.js');

const [address, mode, ca] = process.argv.slice(2);
const credentials = ca ? grpc.credentials.createSsl(require('fs').readFileSync(ca)) : grpc.credentials.createInsecure();
const Client = grpc.makeGenericClientConstructor(service, 'Echo');
const options = { 'grpc.max_receive_message_length': -1, 'grpc.enable_retries': 0 };
const client = new Client(address, credentials, options);
const patience = () => ({ deadline: Date.now() + 40000 });

// call makes a unary call.
const call = (name, request, { metadata = new grpc.Metadata(), options = patience() } = {}) => new Promise((resolve, reject) => {
  const seen = {};
  const c = client[name](request, metadata, options, (err, response) => (err ? reject(err) : resolve({ ...seen, response })));
  c.on('metadata', (m) => (seen.head = m));
  c.on('status', (s) => (seen.status = s));
  seen.call = c;
});

// read collects a stream of messages.
const read = (stream, onMessage = () => {}) => new Promise((resolve, reject) => {
  const all = [];
  stream.on('data', (m) => { all.push(m); onMessage(m, all.length); });
  stream.on('error', reject);
  stream.on('end', () => resolve(all));
});

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const checks = {
  async 'unary, with metadata both ways'() {
    const metadata = new grpc.Metadata();
    metadata.set('x-asked', 'something');
    metadata.set('x-bin-bin', Buffer.from([0, 1, 255]));
    const { head, response } = await call('unary', { text: 'hello' }, { metadata });
    assert.strictEqual(response.text, 'hello');
    assert.deepStrictEqual(head.get('x-head'), ['something']);
    assert.deepStrictEqual([...head.get('x-bin-bin')[0]], [0, 1, 255]);
    const tail = await new Promise((resolve) => client.unary({ text: 'x' }, () => {}).on('status', (s) => resolve(s.metadata)));
    assert.deepStrictEqual(tail.get('x-tail'), ['end']);
  },
  async 'a status that is an error, in the trailer'() {
    const err = await call('fail', {}).catch((e) => e);
    assert.strictEqual(err.code, grpc.status.NOT_FOUND);
    assert.strictEqual(err.details, 'no such thing: ä%');
    assert.deepStrictEqual(err.metadata.get('x-why'), ['because']);
  },
  async 'a method that is not there'() {
    const missing = { missing: { ...service.unary, path: '/test.Echo/Missing' } };
    const other = new (grpc.makeGenericClientConstructor(missing, 'Echo'))(address, credentials, options);
    const err = await new Promise((resolve) => other.missing({}, resolve));
    assert.strictEqual(err.code, grpc.status.UNIMPLEMENTED);
    other.close();
  },
  async 'large messages'() {
    const text = require('crypto').randomBytes(6 << 20).toString('hex');
    assert.strictEqual((await call('unary', { text })).response.text, text);
  },
  async 'compressed messages'() {
    const other = new Client(address, credentials, { ...options, 'grpc.default_compression_algorithm': 2 });
    const text = 'a'.repeat(1 << 20);
    const response = await new Promise((resolve, reject) => other.unary({ text }, (err, r) => (err ? reject(err) : resolve(r))));
    assert.strictEqual(response.text, text);
    other.close();
  },
  async 'a stream of the server, as it comes'() {
    const times = [];
    const all = await read(client.down({ count: 5, ms: 100 }, patience()), () => times.push(Date.now()));
    assert.deepStrictEqual(all.map((m) => m.n), [0, 1, 2, 3, 4]);
    assert(times[4] - times[0] > 200, `all at once: ${times}`);
  },
  async 'a stream of the client'() {
    const response = await new Promise((resolve, reject) => {
      const stream = client.up(new grpc.Metadata(), patience(), (err, r) => (err ? reject(err) : resolve(r)));
      for (let i = 0; i < 100; i++) stream.write({ text: 'x'.repeat(1000) });
      stream.end();
    });
    assert.deepStrictEqual([response.count, response.size], [100, 100000]);
  },
  async 'a conversation'() {
    const stream = client.talk(patience());
    const all = read(stream, (m, n) => (n === 10 ? stream.end() : stream.write({ text: `${n}` })));
    stream.write({ text: '0' });
    assert.deepStrictEqual((await all).map((m) => m.text), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  },
  async 'deadlines and cancellations reach the server'() {
    const before = (await call('cancelled', {})).response.cancelled;
    const late = await call('wait', {}, { options: { deadline: Date.now() + 300 } }).catch((e) => e);
    assert.strictEqual(late.code, grpc.status.DEADLINE_EXCEEDED);
    const c = client.wait({}, patience(), () => {});
    await pause(200);
    c.cancel();
    for (let now = before; now !== before + 2; await pause(20)) {
      now = (await call('cancelled', {})).response.cancelled;
    }
  },
};

// load calls in all ways at once until stdin ends; each worker finishes what it has begun.
async function load() {
  let over = false;
  process.stdin.on('end', () => (over = true)).resume();
  const told = { unary: 0, streams: 0, commits: {}, lost: [], mixed: 0 };
  const work = async (one) => {
    while (!over) await one().catch((e) => { told.lost.push(`${e.code} ${e.details || e.stack}`); return pause(100); });
  };
  const count = (messages) => {
    const commits = new Set(messages.map((m) => m.commit));
    if (commits.size !== 1) told.mixed++;
    for (const c of commits) told.commits[c] = (told.commits[c] || 0) + 1;
  };
  const unary = async () => { count([(await call('unary', { text: 'x', ms: 20 })).response]); told.unary++; };
  const down = async () => {
    const all = await read(client.down({ count: 10, ms: 100 }, patience()));
    if (all.length !== 10) throw new Error(`${all.length} of 10 messages`);
    count(all); told.streams++;
  };
  const talk = async () => {
    const stream = client.talk(patience());
    const all = read(stream, (m, n) => (n === 10 ? stream.end() : setTimeout(() => stream.write({ text: `${n}` }), 100)));
    stream.write({ text: '0' });
    if ((await all).length !== 10) throw new Error(`${(await all).length} of 10 answers`);
    count(await all); told.streams++;
  };
  const up = () => new Promise((resolve, reject) => {
    const stream = client.up(new grpc.Metadata(), patience(), (err, r) => {
      if (err || r.count !== 10) return reject(err || new Error(`${r.count} of 10 counted`));
      count([r]); told.streams++; resolve();
    });
    let n = 0;
    const timer = setInterval(() => { stream.write({ text: 'x' }); if (++n === 10) { clearInterval(timer); stream.end(); } }, 100);
  });
  console.log('begun');
  await Promise.all([unary, unary, unary, unary, down, down, talk, talk, up, up].map(work));
  console.log(JSON.stringify(told));
}

async function check() {
  for (const [name, f] of Object.entries(checks)) {
    await f().catch((e) => { console.log(`${name}: ${e.stack}`); process.exitCode = 1; });
  }
}

(mode === 'load' ? load() : check()).finally(() => client.close());
