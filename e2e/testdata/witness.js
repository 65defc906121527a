'use strict'

// A plain server that writes down exactly what it saw of each request, and tells it over a socket of its own: a line
// asks, a line of JSON answers with what has been seen since. Strings are latin1: a character is a byte.

const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const path = require('node:path')

let records = []
let seen = 0
let connections = 0

function record(req, what) {
  const r = { n: ++seen, state: what, connection: req.socket.id, method: req.method, url: req.url, version: req.httpVersion, fields: req.rawHeaders, body: '', trailers: [] }
  records.push(r)
  return r
}

const server = http.createServer((req, res) => {
  const r = record(req, 'open')
  const chunks = []
  req.on('data', (c) => { chunks.push(c); r.body = Buffer.concat(chunks).toString('base64') })
  req.on('end', () => {
    r.state = 'whole'
    r.trailers = req.rawTrailers
    res.setHeader('X-Seen', r.n)
    res.end(`seen ${r.n}\n`)
  })
  req.on('close', () => { if (r.state === 'open') r.state = 'aborted' })
  req.on('error', () => {})
})
server.on('connection', (socket) => { socket.id = ++connections })
server.on('connect', (req, socket) => { record(req, 'whole'); socket.destroy() })
server.on('clientError', (err, socket) => {
  records.push({ n: ++seen, state: 'refused', url: err.code || String(err) })
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
})

const told = path.join(__dirname, 'told')
fs.rmSync(told, { force: true }) // of one that died
net.createServer((socket) => {
  socket.on('data', () => setImmediate(() => setImmediate(() => {
    socket.write(JSON.stringify(records) + '\n')
    records = records.filter((r) => r.state === 'open')
  })))
  socket.on('error', () => {})
}).listen(told, () => server.listen(process.env.PORT))
