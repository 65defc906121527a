package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Promise 6: the container ends with the child's own exit code.
func TestRun_EndsWithTheChildsExitCode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		script string
		signal bool
		want   int
	}{
		"its own at SIGTERM":    {echoApp + `; process.on('SIGTERM', () => process.exit(42))`, true, 42},
		"no handler":            {echoApp, true, 143},
		"deaf to SIGTERM":       {echoApp + `; process.on('SIGTERM', () => {})`, true, 137},
		"ends by itself":        {echoApp + `; setTimeout(() => process.exit(0), 500)`, false, 0},
		"cannot be kept up":     {`process.exit(7)`, false, 7},
		"killed by a signal":    {`process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 1000)`, false, 139},
		"syntax error":          {`this is no JavaScript`, false, 1},
		"out of its event loop": {echoApp + `; setTimeout(() => { throw new Error('x') }, 200)`, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := start(t, scriptApp(t, tc.script), node, "--stop-timeout", "1s", "--restart-max", "1")
			if tc.signal {
				in.await("healthy", func() bool { return in.status("/_pitstop/ready") == http.StatusOK })
				if got := in.terminate(); got != tc.want {
					t.Errorf("exit code %d, want %d", got, tc.want)
				}
			} else if got := in.wait(); got != tc.want {
				t.Errorf("exit code %d, want %d", got, tc.want)
			}
			if conn, err := net.Dial("tcp", "127.0.0.1:"+in.appPort); err == nil {
				_ = conn.Close()
				t.Error("the app is left behind")
			}
		})
	}
}

func TestRun_TheEndingServesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	in := launch(t, exampleApp(t, "v1"), node, "--lame-duck", "1s")
	slow := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + in.addr + "/slow?ms=3000")
		if err != nil {
			slow <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		slow <- fmt.Sprint(resp.StatusCode, string(body))
	}()
	in.await("the request is in flight", func() bool {
		inFlight, _ := in.statusField("app", "in_flight").(map[string]any)
		return inFlight["request"] == float64(1)
	})
	if err := in.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	in.await("health is red", func() bool { return in.status("/_pitstop/ready") == http.StatusServiceUnavailable })
	resp, err := http.Get("http://" + in.addr + "/")
	if err != nil {
		t.Fatalf("a request of the lame duck: %v", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !resp.Close {
		t.Errorf("the lame duck answers %s, Connection: close is %t", resp.Status, resp.Close)
	}
	if got := <-slow; !strings.HasPrefix(got, "200") {
		t.Errorf("the request in flight got %s", got)
	}
	if got := in.wait(); got != 0 {
		t.Errorf("exit code %d, want the app's own 0", got)
	}
}

func TestRun_ASecondSignalSkipsTheWaits(t *testing.T) {
	t.Parallel()
	in := launch(t, exampleApp(t, "v1"), node, "--lame-duck", "15s")
	for range 2 {
		if err := in.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		in.await("the signal is seen", func() bool { return strings.Contains(read(t, in.stderr), "ending") })
	}
	if got := in.wait(); got != 0 {
		t.Errorf("exit code %d", got)
	}
	if !strings.Contains(read(t, in.stderr), "lame_duck=9s") {
		t.Error("the lame duck was not begun")
	}
}

func TestRun_AChildThatDiesIsReplacedAndRequestsWait(t *testing.T) {
	t.Parallel()
	in := launch(t, exampleApp(t, "v1"), node)
	resp, err := http.Post("http://"+in.addr+"/crash", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	in.await("the crash is seen", func() bool { return strings.Contains(read(t, in.stderr), "launching it again") })
	if got := in.commit(); got != "v1" {
		t.Errorf("%q answers", got)
	}
	if got := in.statusField("app", "generation"); got != float64(2) {
		t.Errorf("generation %v", got)
	}
}

func TestControl_IsAsDocumented(t *testing.T) {
	t.Parallel()
	in := launch(t, exampleApp(t, "v1"), node, "--commit", "v1", "--settle", "0s")
	in.publish(exampleApp(t, "v2"), "v2")
	list, err := exec.Command(grpcurl, "-plaintext", in.control, "list").CombinedOutput()
	if err != nil || !strings.Contains(string(list), "pitstop.v1.Control") || !strings.Contains(string(list), "grpc.health.v1.Health") {
		t.Errorf("reflection lists %s, %v", list, err)
	}
	healthy, err := exec.Command(grpcurl, "-plaintext", "-d", `{"service":"pitstop.v1.Control"}`, in.control, "grpc.health.v1.Health/Check").CombinedOutput()
	if err != nil || !strings.Contains(string(healthy), `"SERVING"`) {
		t.Errorf("health says %s, %v", healthy, err)
	}
	if resp, err := in.reload(`{"commit":"v2","no_launch":true}`); err != nil || resp["staged"] != true || in.commit() != "v1" {
		t.Errorf("staged: %v, %v", resp, err)
	}
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"reload", "v2"}, 0, "v1 → v2 in-place"},
		{[]string{"reload", "v2"}, 0, "nothing done"},
		{[]string{"reload", "v2", "--relaunch"}, 0, "v2 → v2 in-place"},
		{[]string{"reload", "v9"}, 1, "NotFound"},
		{[]string{"status"}, 0, "serving"},
		{[]string{"status", "--output", "json"}, 0, `"image_commit"`},
	} {
		out, code := pitstop(t, append(tc.args, "--addr", in.control)...)
		if code != tc.code || !strings.Contains(out, tc.says) {
			t.Errorf("pitstop %v: code %d, %s", tc.args, code, out)
		}
	}
	if out, code := pitstop(t, "reload", "v2", "--addr", "127.0.0.1:1"); code != 1 || !strings.Contains(out, "Unavailable") {
		t.Errorf("nobody there: code %d, %s", code, out)
	}
}

func TestRun_TheChildsEnvironmentIsMadeAnew(t *testing.T) {
	t.Parallel()
	t.Log("a variable of pitstop's own must not reach the app")
	in := start(t, scriptApp(t, `
		require('node:http').createServer((req, res) => res.end(JSON.stringify(process.env))).listen(process.env.PORT)`),
		[]string{"env", "VISIBLE=1", "node", "server.js"}, "--commit", "v1")
	in.await("healthy", func() bool { return in.status("/_pitstop/ready") == http.StatusOK })
	resp, err := http.Get("http://" + in.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var env map[string]string
	if err := json.NewDecoder(resp.Body).Decode(&env); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"PORT": in.appPort, "PITSTOP_COMMIT": "v1", "PITSTOP_RELEASE_DIR": in.cmd.Dir, "VISIBLE": "1",
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	for name := range env {
		if strings.HasPrefix(name, "PITSTOP_LAME") {
			t.Errorf("%s reached the app", name)
		}
	}
}

// A WebSocket and an event stream do not hold a drain up: they get --stream-drain-timeout.
func TestReload_EndsStreamsAndTunnelsAfterTheirTime(t *testing.T) {
	t.Parallel()
	in := launch(t, exampleApp(t, "v1"), node, "--commit", "v1", "--stream-drain-timeout", "500ms", "--settle", "0s")
	in.publish(exampleApp(t, "v2"), "v2")

	resp, err := http.Get("http://" + in.addr + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewReader(resp.Body)
	if line, err := events.ReadString('\n'); err != nil || !strings.Contains(line, `"commit":"v1"`) {
		t.Fatalf("the first event is %q, %v", line, err)
	}
	socket := openWebSocket(t, in.addr)
	in.await("both are counted apart", func() bool {
		n, _ := in.statusField("app", "in_flight").(map[string]any)
		return n["stream"] == float64(1) && n["tunnel"] == float64(1) && n["request"] == float64(0)
	})

	in.mustReload("v2")
	if rest, err := io.ReadAll(events); err != nil {
		t.Errorf("the event stream did not end as a whole response: %v after %q", err, rest)
	}
	if _, err := io.ReadAll(socket); err != nil && !isReset(err) {
		t.Errorf("the WebSocket: %v", err)
	}
	if got := in.commit(); got != "v2" {
		t.Errorf("%s serves", got)
	}
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }

// openWebSocket makes the handshake of RFC 6455 by hand and reads the greeting.
func openWebSocket(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", resp, err)
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("Sec-WebSocket-Accept is %q", got)
	}
	frame := make([]byte, 2+len(`{"commit":"v1"}`))
	if _, err := io.ReadFull(r, frame); err != nil || !strings.Contains(string(frame), "v1") {
		t.Fatalf("greeting: %q, %v", frame, err)
	}
	return conn
}

// What the app sees of a request is what the client sent: target, fields, body.
func TestProxy_TheAppSeesWhatTheClientSent(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, `
		require('node:http').createServer((req, res) => {
			const chunks = []
			req.on('data', (c) => chunks.push(c))
			req.on('end', () => {
				res.removeHeader('date')
				res.sendDate = false
				res.end(JSON.stringify({method: req.method, url: req.url, fields: req.headers, body: Buffer.concat(chunks).toString()}))
			})
		}).listen(process.env.PORT)`), node)
	for _, target := range []string{"/", "/a%2Fb?x=%20y;z&bad=%zz", "/a|[x]{y}~'\"", "/%c3%bc", "/a/../b//c/./d", "/?", "//double", "/x?a=1&a=2"} {
		conn, err := net.Dial("tcp", in.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: app.example:81\r\nX-Odd: a, b\r\nX-Request-Id: 7\r\nX-Forwarded-For: 192.0.2.1\r\n"+
			"Connection: close, X-Drop\r\nX-Drop: me\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", target)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		var saw struct {
			Method, URL, Body string
			Fields            map[string]string
		}
		body, _ := io.ReadAll(resp.Body)
		_ = conn.Close()
		if resp.StatusCode == http.StatusBadRequest {
			t.Errorf("%s was refused: %s", target, body)
			continue
		}
		if err := json.Unmarshal(body, &saw); err != nil {
			t.Fatalf("%s: %s %v", target, body, err)
		}
		if saw.Method != "PATCH" || saw.URL != target || saw.Body != "abc" {
			t.Errorf("sent PATCH %s abc, the app saw %s %s %s", target, saw.Method, saw.URL, saw.Body)
		}
		for name, want := range map[string]string{
			"host": "app.example:81", "x-odd": "a, b", "x-request-id": "7", "x-drop": "",
			"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "http", "user-agent": "", "accept-encoding": "",
		} {
			if saw.Fields[name] != want {
				t.Errorf("%s: the app saw %s: %q, want %q", target, name, saw.Fields[name], want)
			}
		}
		if got := resp.Header.Values("Content-Type"); got != nil {
			t.Errorf("%s: the client saw Content-Type %q, the app sent none", target, got)
		}
	}
}
