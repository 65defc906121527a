'use strict'

// What HTTP/1.1 has beside plain answers, a path each.

const http = require('node:http')

const echo = (req, res) => {
  const chunks = []
  req.on('data', (c) => chunks.push(c))
  req.on('end', () => res.end(JSON.stringify({ method: req.method, body: Buffer.concat(chunks).toString(), trailers: req.trailers, te: req.headers.te || '' })))
}

const paths = {
  '/echo': echo,
  '/chunks': (req, res) => { // the second only when the first was surely not kept back
    res.write('one\n')
    setTimeout(() => res.end('two\n'), 300)
  },
  '/talk': (req, res) => { // answers each piece when it comes
    res.flushHeaders()
    req.on('data', (c) => res.write(`got ${c}\n`))
    req.on('end', () => res.end('bye\n'))
  },
  '/hints': (req, res) => res.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => res.end('after the hints')),
  '/trailers': (req, res) => {
    res.setHeader('Trailer', 'X-Sum')
    res.write('body')
    res.addTrailers({ 'X-Sum': 'forty-two' })
    res.end()
  },
  '/204': (req, res) => res.writeHead(204).end(),
  '/304': (req, res) => res.writeHead(304, { ETag: '"x"' }).end(),
  '/refuses': (req, res) => res.writeHead(413, { Connection: 'close' }).end('no'),
  '/events': (req, res) => { // each event in three pieces
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    let n = 0
    const timer = setInterval(() => {
      if (n % 3 === 0) res.write(`id: ${n / 3}\n`)
      if (n % 3 === 1) res.write('data: half')
      if (n++ % 3 === 2) res.write(' and half\n\n')
    }, 3)
    res.on('close', () => clearInterval(timer))
  },
}

http.createServer((req, res) => (paths[req.url.split('?')[0]] || ((req, res) => res.end(`this is ${req.url}`)))(req, res)).listen(process.env.PORT)
