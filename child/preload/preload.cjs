'use strict';

// pitstop preloads this file into every Node process of the app. It turns a TCP listen on the app's port, and
// only that, into a listen on a unix socket in the generation's folder, so that two generations can run side by
// side. What it is unsure of stays plain TCP: an app that works without this file must work with it.
//
// Node calls Server.prototype._listen2 for every listen, when it has read the arguments and looked up the host,
// and by that name so that code may wrap it (lib/net.js). If the server has a handle by then, that is used. So a
// server here gets the handle of a unix socket that answers getsockname as TCP would; everything else (callbacks,
// errors, cluster, abort signals, address()) is Node's own code.

// All is taken now: an app may delete its environment, fake its timers or patch its fs later.
const { closeSync, constants, openSync, readFileSync, readdirSync, readlinkSync, unlinkSync, writeSync } = require('fs');
const net = require('net');
const { isAbsolute, join, resolve } = require('path');
const { setInterval, setTimeout } = require('timers');
const { isMainThread } = require('worker_threads');

const { PITSTOP_GENERATION_DIR: dir, PITSTOP_APP_PORT: portText } = process.env;
const port = Number(portText);
const { _createServerHandle: createServerHandle, _normalizeArgs: normalizeArgs } = net;
const { _listen2: setupListenHandle } = net.Server.prototype;
const { connect, resetAndDestroy } = net.Socket.prototype;

const eaddrinuse = -require('os').constants.errno.EADDRINUSE;
const ipv6Only = 1; // UV_TCP_IPV6ONLY
const reusePort = 2; // UV_TCP_REUSEPORT
const maxPath = 107; // sockaddr_un(7) less its NUL; libuv cuts longer ones silently
const pipeBuf = 4096; // longer writes to a FIFO may mix with those of others
// A full backlog refuses a connect to a unix socket (EAGAIN) where TCP would try again. The kernel cuts it to somaxconn.
const maxBacklog = 65535;

function install() {
  net.Server.prototype._listen2 = listen;
  net._createServerHandle = createSharedHandle;
  net.Socket.prototype.connect = connectToSelf;
  if (resetAndDestroy) net.Socket.prototype.resetAndDestroy = reset;
  if (process.channel) process.on('internalMessage', receive);
  if (isMainThread) say({ event: 'main', entry: entryScript(), node: process.version });
}

// ---- listening

function listen(...args) {
  let place = null;
  try {
    if (args[1] === port) place = prepare(this, args);
  } catch (err) {
    unsupported(err);
  }
  const result = Reflect.apply(setupListenHandle, this, args);
  try {
    if (this._handle) serve(this._handle, place, args); // else it has failed
  } catch (err) {
    unsupported(err);
  }
  return result;
}

// prepare gives the server the handle of a unix socket, and returns its place. null: plain TCP.
function prepare(server, args) {
  const place = choose(args[0], args[2], args[5]);
  if (!place || server._handle) return place; // a worker of a cluster has got a handle from its primary
  const handle = bind(place);
  // An error looks like one of listen(2) here; Node emits the same as for TCP.
  server._handle = typeof handle === 'number' ? { listen: () => handle, close() {} } : handle;
  if (!args[0]) [args[0], args[2]] = [place.name.address, net.isIP(place.name.address)];
  args[3] = maxBacklog;
  return place;
}

// createSharedHandle is called by a cluster's primary that lets its workers accept (SCHED_NONE).
function createSharedHandle(...args) {
  try {
    const place = args[1] === port && choose(args[0], args[2], args[4]);
    if (place) return bind(place);
  } catch (err) {
    unsupported(err);
  }
  return Reflect.apply(createServerHandle, this, args);
}

function serve(handle, place, args) {
  const own = typeof handle.getAsyncId === 'function'; // else it stands in for that of the cluster's primary
  if (place) {
    dressAccepted(handle, place);
    if (own) announce(handle, place);
    beat();
  } else if (args[4] >= 0) {
    adopt(handle);
  } else if (own && args[1] > 0 && args[1] !== port) {
    reportOther(handle);
  }
}

function announce(handle, place) {
  dress(handle, place.name);
  say({ event: 'listening', socket: place.path });
  beforeClose(handle, () => say({ event: 'closed', socket: place.path }));
}

function reportOther(handle) {
  const name = {};
  if (handle.getsockname(name)) return;
  const other = { port: name.port, address: name.address };
  say({ event: 'other', ...other });
  beforeClose(handle, () => say({ event: 'other-closed', ...other }));
}

// beforeClose and not after: another process may listen there at once, and its event must come second.
function beforeClose(handle, tell) {
  const { close } = handle;
  let told = false;
  handle.close = function (...args) {
    if (!told) tell();
    told = true;
    return Reflect.apply(close, this, args);
  };
}

// ---- places: a TCP address, and the socket that stands for it and bears its name

// choose returns the place of an address. null: TCP cannot have it either, and will say why.
function choose(address, addressType, flags) {
  // Of a socket that cannot be told nobody would learn. ENXIO: nobody reads at present.
  const code = write(Buffer.alloc(0));
  if (code && code !== 'ENXIO' && !worthRetrying.includes(code)) throw new Error(`${join(dir, 'events')}: ${code}`);

  // Any free port tells whether the address can be had, and how the kernel spells it.
  const probe = createServerHandle(address, 0, addressType, undefined, flags & ipv6Only);
  if (typeof probe === 'number') return null;
  const name = {};
  probe.getsockname(name);
  probe.close();

  let file = name.address;
  if (file === '::' && flags & ipv6Only) file += 'only';
  if (flags & reusePort) file += `+${process.pid}.${++shares}`; // several may have the same address
  const place = placeOf(file + '.sock');
  if (Buffer.byteLength(place.path) > maxPath) throw new Error(`the path ${place.path} is longer than ${maxPath} bytes`);
  return place;
}
let shares = 0;

// placeOf reads a file's name. seen is what connections from this machine show as the server's end.
function placeOf(file) {
  const key = file.slice(0, -'.sock'.length).split('+')[0];
  const address = key.replace('only', '');
  const name = { address, family: net.isIPv6(address) ? 'IPv6' : 'IPv4', port };
  const any = { '0.0.0.0': '127.0.0.1', '::': '::ffff:127.0.0.1', '::only': '::1' };
  return { file, key, path: join(dir, file), name, seen: { ...name, address: any[key] || address } };
}

// places lists the sockets of the generation, living and dead.
function places() {
  return readdirSync(dir).filter((file) => file.endsWith('.sock')).map(placeOf);
}

// bind returns a handle, or EADDRINUSE where TCP would.
function bind(place) {
  for (const other of places()) {
    if (!clash(place, other)) continue;
    if (bound((path) => path === other.path)) return eaddrinuse;
    if (other.file === place.file) unlinkSync(place.path); // left by a process that was killed
  }
  const handle = createServerHandle(place.path, -1, -1);
  if (typeof handle !== 'number') dress(handle, place.name);
  else if (handle !== eaddrinuse) throw new Error(`bind ${place.path}: error ${handle}`);
  return handle;
}

// clash says whether Linux lets only one of two TCP addresses listen on a port.
function clash(a, b) {
  if (a.file.includes('+') && b.file.includes('+')) return false;
  const [x, y] = [a, b].map((place) => place.key.replace('::ffff:', ''));
  const covers = (any, one) =>
    any === '::' || (any === '0.0.0.0' && net.isIPv4(one)) || (any === '::only' && one.includes(':'));
  return x === y || covers(x, y) || covers(y, x);
}

// bound asks the kernel for the path of a socket that exists and is no connection (state 01): a file may be a dead one's.
function bound(matches) {
  for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    const fields = line.split(/\s+/);
    const path = fields.slice(7).join(' ');
    if (fields[5] === '01' && matches(path, fields[6])) return path;
  }
  return '';
}

// ---- names: handles of unix sockets answer as those of TCP do

const dressed = new WeakSet();

function dress(handle, name, peer) {
  dressed.add(handle);
  handle.getsockname = (out) => (Object.assign(out, name), 0);
  if (peer) handle.getpeername = (out) => (Object.assign(out, peer), 0);
}

function dressAccepted(handle, place) {
  const { onconnection } = handle;
  handle.onconnection = function (...args) {
    if (args[1] && !args[1].getpeername) dress(args[1], place.seen, clientOf(place.seen));
    return Reflect.apply(onconnection, this, args);
  };
}

// clientOf names the other end of a connection on this machine. Some apps know a client by its address and port.
function clientOf(server) {
  lastPort = lastPort < 60999 ? lastPort + 1 : 32768; // ip_local_port_range
  return { ...server, address: server.address.replace(/127\..*/, '127.0.0.1'), port: lastPort };
}
let lastPort = 32768 + (process.pid * 97) % 28000;

// receive dresses a connection that the parent sends: child.send('socket', socket). Sticky sessions do that.
function receive(message, handle) {
  try {
    // The key of its server: address type, address, port.
    const [, address, at] = (message.type === 'net.Socket' && /^[46]:(.*):(\d+)$/.exec(message.key)) || [];
    if (Number(at) !== port || !handle || handle.getpeername) return;
    const { seen } = placeOf(address + '.sock');
    dress(handle, seen, clientOf(seen));
  } catch {
    // it stays nameless
  }
}

// adopt dresses a listening socket that came as a descriptor, as a server does that the parent sent.
function adopt(handle) {
  if (handle.getsockname) return; // TCP's
  const inode = readlinkSync(`/proc/self/fd/${handle.fd}`).replace(/\D/g, '');
  const path = bound((_, number) => number === inode);
  const place = places().find((p) => p.path === path);
  if (!place) return; // the app's own unix socket
  dress(handle, place.name);
  dressAccepted(handle, place);
}

// reset exists for TCP only; Node throws for others.
function reset(...args) {
  return dressed.has(this._handle) ? this.destroy() : Reflect.apply(resetAndDestroy, this, args);
}

// ---- the app that calls itself

function connectToSelf(...args) {
  let own = null;
  try {
    if (!this._handle) own = ownSocket(args); // TLS has made a handle for TCP by now
  } catch {
    // plain TCP
  }
  if (!own) return Reflect.apply(connect, this, args);
  const result = Reflect.apply(connect, this, [{ ...own.options, path: own.path }, own.callback]);
  if (this._handle) dress(this._handle, clientOf(own.server), own.server);
  return result;
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|::|::1|::ffff:127(\.\d{1,3}){3})$/i;

// ownSocket finds the socket that this connect would reach. null: it does not mean the app's port, or nobody is there.
function ownSocket(args) {
  // Node's own callers pass arguments that are normalized already.
  const [options, callback] = Array.isArray(args[0]) ? args[0] : normalizeArgs(args);
  const host = String(options.host || 'localhost').toLowerCase();
  if (options.path || Number(options.port) !== port || !loopback.test(host)) return null;

  let addresses = [{ '0.0.0.0': '127.0.0.1', '::': '::1' }[host] || host.replace('::ffff:', '')];
  if (host === 'localhost') addresses = { 4: ['127.0.0.1'], 6: ['::1'] }[options.family] || ['127.0.0.1', '::1'];
  const all = places();
  for (const address of addresses) {
    const family = net.isIPv6(address) ? 'IPv6' : 'IPv4';
    const keys = family === 'IPv6' ? [address, '::', '::only'] : [address, '::ffff:' + address, '0.0.0.0', '::'];
    const place = keys.map((key) => all.find((p) => p.key === key)).find(Boolean);
    if (place) return { options, callback, path: place.path, server: { address, family, port } };
  }
  return null;
}

// ---- telling pitstop

const pending = [];
let retry = null;
const worthRetrying = ['EAGAIN', 'EMFILE', 'ENFILE']; // it is full, or there are no descriptors left

// say writes one line to the FIFO. While that is full, lines to keep wait in their order; others are dropped.
function say(event, keep = true) {
  const line = Buffer.from(JSON.stringify({ ...event, pid: process.pid }) + '\n');
  if (line.length > pipeBuf || (pending.length === 0 && !worthRetrying.includes(write(line)))) return;
  if (!keep) return;
  pending.push(line);
  sayLater();
}

function sayLater() {
  if (retry) return;
  retry = setTimeout(() => {
    retry = null;
    while (pending.length > 0 && !worthRetrying.includes(write(pending[0]))) pending.shift();
    if (pending.length > 0) sayLater();
  }, 20);
  retry.unref();
}

// write returns the code of the error, if any. The FIFO is opened each time: an app that closes all its descriptors
// would otherwise get our lines into a file of its own.
function write(line) {
  try {
    const fd = openSync(join(dir, 'events'), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fd, line);
    } finally {
      closeSync(fd);
    }
  } catch (err) {
    return err.code;
  }
  return '';
}

function unsupported(err) {
  say({ event: 'unsupported', reason: String(err.message).slice(0, 1000) });
}

// beat tells every second that the event loop of this process turns, and how late it was at most. Once begun it goes
// on until the process ends, so that silence means a loop that hangs.
function beat() {
  if (beating || !isMainThread) return;
  beating = true;
  const tick = 200; // ms; monitorEventLoopDelay would be blind for two of its ticks after each reset
  const { performance } = require('perf_hooks');
  const now = performance.now.bind(performance);
  let [last, told, lag] = [now(), now(), 0];
  setInterval(() => {
    const at = now();
    lag = Math.max(lag, at - last - tick);
    last = at;
    if (last - told < 1000 - tick / 2) return;
    say({ event: 'beat', lag_ms: Math.round(lag) }, false);
    [told, lag] = [last, 0];
  }, tick).unref();
}
let beating = false;

// entryScript is the real path of the program's file; empty for `node -e`, standard input and the like.
function entryScript() {
  try {
    return process._eval === undefined && process.argv[1] ? require.resolve(resolve(process.argv[1])) : '';
  } catch {
    return '';
  }
}

try {
  const asked = dir && isAbsolute(dir) && /^[1-9]\d{0,4}$/.test(portText) && port < 65536;
  if (asked && setupListenHandle && createServerHandle && normalizeArgs) install();
} catch {
  // the app runs without
}
