'use strict'

// The other end: node sockets-client.js NODE_MODULES URL check | hold N. It prints a line of JSON, or dies.

const assert = require('node:assert')
const crypto = require('node:crypto')
const { once } = require('node:events')
const path = require('node:path')

const [modules, url, what, n] = process.argv.slice(2)
const WebSocket = require(path.join(modules, 'ws'))

async function open(options) {
  const socket = new WebSocket(url, { maxPayload: 64 << 20, ...options })
  await once(socket, 'open')
  return socket
}

async function ask(socket, data, options = {}) {
  const answer = once(socket, 'message')
  socket.send(data, options)
  const [got, isBinary] = await answer
  return { got, isBinary }
}

const checks = {
  async echoes(options) {
    const socket = await open(options)
    for (const size of [0, 1, 125, 126, 127, 65535, 65536, 100000, 1 << 20, 9 << 20]) {
      const data = crypto.randomBytes(size)
      const { got, isBinary } = await ask(socket, data)
      assert(isBinary && data.equals(got), `${size} bytes came back otherwise`)
      const words = 'é'.repeat(size / 2)
      const text = await ask(socket, words)
      assert(!text.isBinary && text.got.toString() === words, `text of ${size} bytes came back otherwise`)
    }
    socket.close()
    await once(socket, 'close')
  },
  async fragments(options) {
    const socket = await open(options)
    const answer = once(socket, 'message')
    for (let i = 0; i < 100; i++) {
      socket.send(`${i} `, { fin: i === 99 })
      if (i % 10 === 0) socket.ping(`${i}`) // control frames may come between
    }
    assert.strictEqual((await answer)[0].toString(), [...Array(100).keys()].map((i) => `${i} `).join(''))
    socket.terminate()
  },
  async pings(options) {
    const socket = await open(options)
    const pong = once(socket, 'pong')
    socket.ping('hello')
    assert.strictEqual((await pong)[0].toString(), 'hello')
    assert.strictEqual((await ask(socket, 'ping')).got.toString(), 'pong are you there')
    socket.terminate()
  },
  async closes(options) {
    for (const code of [1000, 1001, 1011, 3000, 4999]) {
      const socket = await open(options)
      const closed = once(socket, 'close')
      socket.send(`close ${code}`)
      const [got, reason] = await closed
      assert.strictEqual(got, code)
      assert.strictEqual(reason.toString(), 'as you wish')
    }
    const socket = await open(options)
    socket.close(4321, 'I leave')
    assert.strictEqual((await once(socket, 'close'))[0], 4321)
    const cut = await open(options)
    cut.send('terminate')
    assert.strictEqual((await once(cut, 'close'))[0], 1006)
  },
  async halfCloses(options) { // what was said before the end of a side arrives
    const socket = await open(options)
    const closed = once(socket, 'close')
    socket.send(Buffer.alloc(1 << 20, 1))
    socket.close(4000, 'said all')
    assert.strictEqual((await closed)[0], 4000)
  },
}

async function check() {
  for (const perMessageDeflate of [false, true]) {
    for (const [name, run] of Object.entries(checks)) {
      await run({ perMessageDeflate }).catch((err) => { throw new Error(`${name}, deflate ${perMessageDeflate}: ${err.stack}`) })
    }
  }
  console.log(JSON.stringify({ checks: Object.keys(checks).length * 2 }))
}

// hold opens n sockets that talk without a pause, and tells how each ended.
async function hold() {
  const ends = []
  for (let i = 0; i < n; i++) {
    const socket = await open({ perMessageDeflate: i % 2 === 0 })
    const end = { socket: i, errors: [], heard: 0 }
    socket.on('error', (err) => end.errors.push(String(err)))
    socket.on('message', (data) => {
      end.heard++
      if (data.length !== 5000) end.errors.push(`${data.length} bytes`)
      if (socket.readyState === WebSocket.OPEN) socket.send(data)
    })
    ends.push(new Promise((resolve) => socket.on('close', (code, reason) => resolve({ ...end, code, reason: reason.toString(), at: performance.now() }))))
    socket.send(crypto.randomBytes(5000))
  }
  console.log('open')
  console.log(JSON.stringify(await Promise.all(ends)))
}

({ check, hold })[what]()
