package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// act is what the raw app does (testdata/raw.js).
type act struct {
	Send  string  `json:"send,omitempty"`
	Times int     `json:"times,omitempty"`
	Wait  int     `json:"wait,omitempty"` // ms
	End   bool    `json:"end,omitempty"`
	Reset bool    `json:"reset,omitempty"`
	Greet *string `json:"greet,omitempty"` // what the next connection is sent before it asks
}

// Whatever an app sends, nobody gets what is not the answer to his request, a cut body is never presented as whole, and
// pitstop lives on with its counts at zero.
func TestHostile_NobodyGetsWhatIsNotHisAnswer(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		in := launch(t, scriptApp(t, read(t, "testdata/raw.js")), node, engineFlags(engine, "--connect", "tcp")...) // only TCP can be reset
		for i, c := range hostileAnswers() {
			began := time.Now()
			if err := c.run(in, engine, i); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Logf("%s: took %s", c.name, took)
			}
			if in.ended() {
				t.Fatalf("%s: pitstop has ended", c.name)
			}
		}
		in.awaitNobody()
	})
}

// awaitNobody waits until nobody is with the app any more, and nobody waits.
func (in *instance) awaitNobody() {
	in.t.Helper()
	in.await("nobody is in flight or held", func() bool {
		inFlight, known := in.statusField("app", "in_flight").(map[string]any)
		for _, n := range inFlight {
			if n != float64(0) {
				return false
			}
		}
		return known && in.statusField("held", "now") == float64(0)
	})
}

// run asks for the hostile answer, and then for others, on the same connection and on new ones.
func (c hostileAnswer) run(in *instance, engine string, i int) error {
	client, err := dialRaw(in.addr)
	if err != nil {
		return err
	}
	defer client.Close()
	script, _ := json.Marshal(c.acts)
	got := client.ask(c.method, fmt.Sprintf("/hostile-%d", i), c.fields+"X-Play: "+escapeLatin1(script)+"\r\n", c.body)
	want := c.want
	if other, ok := c.known[engine]; ok {
		want = other.want
	}
	if !fits(want, got) {
		return fmt.Errorf("the client got %.200q, want %q", got, want)
	}
	for j := range 3 {
		time.Sleep(time.Duration(c.later) * time.Millisecond) // what comes by then was not asked for
		target := fmt.Sprintf("/probe-%d-%d", i, j)
		probes := []*rawClient{client}
		if fresh, err := dialRaw(in.addr); err == nil {
			defer fresh.Close()
			probes = append(probes, fresh)
		}
		for k, p := range probes {
			got := p.ask("GET", target, "", "")
			if p == client && got == "closed" {
				continue
			}
			if got != "200 "+target && !(c.greets && got == "502") && !(got == "200 EVIL" && (c.greets || c.glued && poolsFirst[engine] != "")) {
				return fmt.Errorf("after it probe %d.%d got %.200q", j, k, got)
			}
		}
	}
	return nil
}

// escapeLatin1 writes JSON in ASCII.
func escapeLatin1(script []byte) string {
	var b strings.Builder
	for _, r := range string(script) {
		if r < 0x7f {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// fits says whether an outcome is one of those that are wanted.
func fits(want []string, got string) bool {
	for _, w := range want {
		if w == got || w == bad && (got == "closed" || strings.HasPrefix(got, "50")) || w == cut && strings.HasPrefix(got, "cut ") {
			return true
		}
	}
	return false
}

// rawClient reads answers as strictly as it can.
type rawClient struct {
	net.Conn
	r *bufio.Reader
}

func dialRaw(addr string) (*rawClient, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &rawClient{conn, bufio.NewReader(conn)}, nil
}

// ask sends a request and says what came: "200 body", "cut 200 body", "closed" before a head, or what is wrong.
func (c *rawClient) ask(method, target, fields, body string) string {
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	if body != "" {
		fields += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	if _, err := io.WriteString(c, method+" "+target+" HTTP/1.1\r\nHost: app.example\r\n"+fields+"\r\n"+body); err != nil {
		return "closed"
	}
	for {
		var timeout net.Error
		if _, err := c.r.Peek(1); errors.As(err, &timeout) && timeout.Timeout() {
			return "silence"
		} else if err != nil {
			return "closed"
		}
		resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
		if err != nil {
			return fmt.Sprintf("no response: %v", err)
		}
		if resp.StatusCode >= 200 || resp.StatusCode == 101 {
			return c.outcome(resp)
		}
	}
}

func (c *rawClient) outcome(resp *http.Response) string {
	for name, values := range resp.Header {
		if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
			return fmt.Sprintf("a control byte in %q: %q", name, values)
		}
	}
	if resp.StatusCode == 101 {
		return "101"
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Sprintf("cut %d %s", resp.StatusCode, body)
	}
	if resp.Close || resp.ContentLength < 0 && resp.TransferEncoding == nil && len(body) > 0 {
		_ = c.Close()
	}
	if resp.StatusCode >= 500 {
		return fmt.Sprint(resp.StatusCode)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, body)
}
