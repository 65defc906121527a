'use strict'

// An echo for WebSockets, by ws: with compression, and with a few words that it obeys.

const http = require('node:http')
const { WebSocketServer } = require('ws')

const server = http.createServer((req, res) => res.end('no socket'))
const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 100 }, maxPayload: 64 << 20 })
sockets.on('connection', (socket) => {
  socket.on('error', () => {})
  socket.on('pong', (data) => socket.send(`pong ${data}`))
  socket.on('close', (code, reason) => console.log(`closed ${code} ${reason}`))
  socket.on('message', (data, isBinary) => {
    const word = isBinary || data.length > 100 ? '' : data.toString()
    if (word.startsWith('close ')) return socket.close(Number(word.slice(6)), 'as you wish')
    if (word === 'terminate') return socket.terminate()
    if (word === 'ping') return socket.ping('are you there')
    socket.send(data, { binary: isBinary })
  })
})
server.listen(process.env.PORT)
