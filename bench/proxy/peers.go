package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// nginx is set for throughput: one worker, connections to the app kept, nothing logged, nothing put on the disk on its
// way, no connection ended after a number of requests. The app closes connections that were idle for 5 s, so they are
// kept for less.
func nginx(p place) ([]string, error) {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // who may reach the socket
	}
	text := fmt.Sprintf(`%s
daemon off;
worker_processes 1;
worker_rlimit_nofile %d;
pid nginx.pid;
error_log stderr warn;
events { worker_connections %d; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream app {
    server %s;
    keepalive 512;
    keepalive_requests 1000000000;
    keepalive_timeout 4s;
  }
  server {
    listen %s backlog=4096;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Request-Id $request_id;
      proxy_request_buffering off;
      client_body_buffer_size 128k;
      proxy_buffers 8 64k;
      proxy_buffer_size 16k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
    }
  }
}
`, user, p.files, p.connections, p.upstream("unix:"), p.listen)
	file := filepath.Join(p.dir, "nginx.conf")
	return []string{"nginx", "-e", "stderr", "-p", p.dir, "-c", file}, os.WriteFile(file, []byte(text), 0o644)
}

// haproxy runs in one thread, and shares connections to the app among clients. Idle clients need no second file, so it
// may have more than half as many of them as files. Buffers are twice the usual: larger bodies cost a sixth less, small ones
// the same.
func haproxy(p place) ([]string, error) {
	text := fmt.Sprintf(`global
  nbthread 1
  ulimit-n %d
  no strict-limits
  maxconn %d
  tune.bufsize 32768
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
  option http-keep-alive
  option forwardfor
  http-reuse always
frontend public
  bind %s backlog 4096
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %%[dst_port]
  unique-id-format %%{+X}o%%ci%%cp%%fi%%fp%%Ts%%rt%%pid
  unique-id-header X-Request-Id
  default_backend app
backend app
  server app %s pool-purge-delay 4s
`, p.files, p.connections, p.listen, p.upstream("unix@"))
	file := filepath.Join(p.dir, "haproxy.cfg")
	return []string{"haproxy", "-db", "-f", file}, os.WriteFile(file, []byte(strings.TrimLeft(text, "\n")), 0o644)
}
