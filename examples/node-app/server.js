'use strict'

// A small app as users have them: Express, WebSockets, a graceful end. The commit it runs is in commit.txt, as a
// build step would leave it.

const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const express = require('express')
const { WebSocketServer } = require('ws')

const commit = fs.readFileSync(path.join(__dirname, 'commit.txt'), 'utf8').trim()
const port = Number(process.env.PORT || 3000)
const app = express()

// One line a request, as most apps write.
app.use((req, res, next) => {
  res.on('finish', () => console.log(`${req.method} ${req.originalUrl} ${res.statusCode} ${req.get('x-request-id') || '-'}`))
  next()
})

app.get('/', (req, res) => res.json({ commit, pid: process.pid }))

app.get('/healthz', (req, res) => res.send('ok'))

// Anything that takes its time: a report, a slow query.
app.all('/slow', (req, res) => {
  setTimeout(() => res.json({ commit, pid: process.pid }), Number(req.query.ms) || 1000)
})

// Answers the digest of the body, so that a client knows whether it arrived whole.
app.post('/upload', (req, res, next) => {
  const hash = crypto.createHash('sha256')
  let size = 0
  req.on('data', (chunk) => { hash.update(chunk); size += chunk.length })
  req.on('end', () => res.json({ commit, size, sha256: hash.digest('hex') }))
  req.on('error', next)
})

// Server-sent events: the time, once a second.
app.get('/events', (req, res) => {
  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  res.flushHeaders()
  const send = () => res.write(`data: ${JSON.stringify({ commit, time: new Date() })}\n\n`)
  send()
  const timer = setInterval(send, 1000)
  res.on('close', () => clearInterval(timer))
})

// Two switches for those who want to see what happens.
app.post('/crash', (req, res) => {
  res.json({ commit, crashing: true })
  setTimeout(() => { throw new Error('crashed on request') }, 10)
})

const leaked = []
app.post('/leak', (req, res) => {
  leaked.push(Buffer.alloc((Number(req.query.mb) || 10) << 20, 1))
  res.json({ commit, rss: process.memoryUsage().rss })
})

const server = http.createServer(app)

const sockets = new WebSocketServer({ server, path: '/ws' })
sockets.on('connection', (socket) => {
  socket.send(JSON.stringify({ commit }))
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})

server.listen(port, () => console.log(`commit ${commit} listens on port ${port}`))

process.on('SIGTERM', () => {
  server.close(() => process.exit(0))
  for (const socket of sockets.clients) socket.close(1001)
})
