'use strict'

// A server of bytes: a request's field X-Play is JSON, a list of what to do on its connection. Without it the answer is
// the request's own target. Strings are latin1: a character is a byte.

const net = require('node:net')

let greeting = null // what the next connection is sent before it asks

function play(socket, steps, done) {
  if (steps.length === 0 || socket.destroyed) return done()
  const [step, ...rest] = steps
  const next = () => play(socket, rest, done)
  if (step.send !== undefined) return socket.write(Buffer.from(step.send.repeat(step.times || 1), 'latin1'), next)
  if (step.wait) return setTimeout(next, step.wait)
  if (step.greet !== undefined) greeting = step.greet
  if (step.end) socket.end()
  if (step.reset) socket.resetAndDestroy()
  return next()
}

net.createServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
  let bytes = ''
  let skip = 0 // what is left of a body
  let busy = false
  socket.on('error', () => {})
  if (greeting !== null) {
    socket.write(Buffer.from(greeting, 'latin1'))
    greeting = null
  }
  const read = () => {
    const cut = Math.min(skip, bytes.length)
    bytes = bytes.slice(cut)
    skip -= cut
    const end = bytes.indexOf('\r\n\r\n')
    if (busy || skip > 0 || end < 0) return
    const head = bytes.slice(0, end)
    bytes = bytes.slice(end + 4)
    skip = Number((/^content-length: *(\d+)/im.exec(head) || [])[1] || 0)
    const target = head.split(' ')[1]
    const script = /^x-play: *(.*?)\r?$/im.exec(head)
    busy = true
    play(socket, script ? JSON.parse(script[1]) : [{ send: `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}` }], () => { busy = false; read() })
  }
  socket.on('data', (c) => { bytes += c.toString('latin1'); read() })
}).listen(process.env.PORT)
