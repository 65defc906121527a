package preload

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const nextDir = "testdata/next"

func TestPreload_NextStartServesTheSameTwoSideBySide(t *testing.T) {
	sameNext(t, "node_modules/.bin/next", "start")
}

func TestPreload_NextBehindAServerOfItsOwnServesTheSame(t *testing.T) {
	sameNext(t, "node", "server.js")
}

// sameNext runs the built app over plain TCP and then preloaded, twice at the same time on one port where nobody can listen
// over TCP, and wants the same answers and the same end.
func sameNext(t *testing.T, command ...string) {
	t.Parallel()
	needNext(t)
	run := func(env []string) *process {
		return startIn(t, nextDir, append(env, "NEXT_TELEMETRY_DISABLED=1"), command[0], command[1:]...)
	}
	port := strconv.Itoa(freePort(t))
	addr := net.JoinHostPort("127.0.0.1", port)
	p := run([]string{"PORT=" + port})
	waitFor(t, func() bool { return answers("tcp", addr) })
	plain := visit(t, "tcp", addr, port) + ended(t, p)

	shared := freePort(t)
	occupy(t, shared)
	var both [2]*process
	for i := range both {
		g := newGeneration(t, shared)
		both[i] = run(g.env())
		socket := await(g, by(both[i].Process.Pid)).Socket
		defer func() { // both are up
			if preloaded := visit(t, "unix", socket, strconv.Itoa(shared)) + ended(t, both[i]); preloaded != plain {
				t.Errorf("number %d:\n%s", i, differing(plain, preloaded))
			}
			if bad, others := told[Unsupported](g), told[Other](g); len(bad)+len(others) > 0 {
				t.Errorf("told %+v %+v", bad, others)
			}
		}()
	}
}

func needNext(t *testing.T) {
	t.Helper()
	if _, err := os.ReadFile(filepath.Join(nextDir, ".next", "BUILD_ID")); err != nil {
		t.Fatal("the app of Next.js is not built: run make test, which does it")
	}
	_, _ = os.ReadFile(filepath.Join(nextDir, "server.js")) // as in needApps
}

var chunk = regexp.MustCompile(`/_next/static/[^"]+\.js`)

// visit asks for a page, a file that it names, what the app knows of its client, what it gets from itself, and what it does
// not have.
func visit(t *testing.T, network, addr, port string) string {
	t.Helper()
	page := fetch(t, network, addr, "/?name=Ada")
	if !strings.Contains(page, "Ada") {
		t.Fatalf("the page is\n%s", page)
	}
	all := page + fmt.Sprintf("%x\n", sha256.Sum256([]byte(fetch(t, network, addr, chunk.FindString(page)))))
	for _, path := range []string{"/asked", "/self", "/nowhere"} {
		all += fetch(t, network, addr, path)
	}
	return regexp.MustCompile(`\b`+port+`\b`).ReplaceAllString(all, "PORT")
}

func fetch(t *testing.T, network, addr, path string) string {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://shop.example"+path, nil)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Header.Del("Date")
	var headers strings.Builder
	_ = resp.Header.Write(&headers)
	return path + " " + resp.Status + "\n" + headers.String() + string(body) + "\n"
}

// ended asks it to end and says how it did.
func ended(t *testing.T, p *process) string {
	t.Helper()
	_ = p.Process.Signal(syscall.SIGTERM)
	_, code := p.end(t)
	return p.ProcessState.String() + " " + strconv.Itoa(code) + "\n"
}
