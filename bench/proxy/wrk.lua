-- What wrk sends, and its figures in one line.

if os.getenv("KIND") == "up" then
  wrk.method = "POST"
  wrk.body = string.rep("x", 1048576)
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    "figures requests=%d bytes=%d us=%d p50=%d p99=%d connect=%d read=%d write=%d status=%d timeout=%d\n",
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
