'use strict'

// The app behind the proxies: as little as a Node server can do. It listens on PORT, and on the unix socket SOCKET
// as well if there is one.

const http = require('node:http')

const hello = 'Hello, World!'
const large = Buffer.alloc(1 << 20, 'x')

function answer (req, res) {
  if (req.method === 'POST') {
    let size = 0
    req.on('data', (chunk) => { size += chunk.length })
    req.on('end', () => send(res, String(size)))
    return
  }
  send(res, req.url === '/large' ? large : hello)
}

function send (res, body) {
  res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length })
  res.end(body)
}

http.createServer(answer).listen(Number(process.env.PORT), '127.0.0.1', 4096)
if (process.env.SOCKET) http.createServer(answer).listen(process.env.SOCKET, 4096)
