package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// h2specFails are the cases of h2spec that may fail, each with the reason.
var h2specFails = map[string]string{
	"http2/3.5: Sends invalid connection preface":                                                                     "the same port speaks HTTP/1.1, which answers nonsense with 400",
	"http2/6.5.3: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE":                                              "net/http closes the connection: a guard against abuse",
	"http2/8.1.2.2: Sends a HEADERS frame that contains the connection-specific header field":                         "net/http answers 400 where it ought to reset the stream, and asks no handler",
	"http2/8.1.2.2: Sends a HEADERS frame that contains the TE header field with any value other than \"trailers\"":   "as above",
	"http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream": "now and then the answer has ended the stream before",
}

func TestHTTP2_H2spec(t *testing.T) {
	t.Parallel()
	in := launch(t, scriptApp(t, echoApp), node, "--engine", "std", "--commit", "v1")
	report := filepath.Join(t.TempDir(), "report.xml")
	host, port, _ := strings.Cut(in.addr, ":")
	out, _ := exec.CommandContext(t.Context(), h2spec, "-h", host, "-p", port, "-P", "/", "-o", "5", "-j", report).CombinedOutput()
	var suites struct {
		Suites []struct {
			Cases []struct {
				Package string    `xml:"package,attr"`
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(read(t, report)), &suites); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cases := 0
	for _, suite := range suites.Suites {
		for _, c := range suite.Cases {
			cases++
			if failed := c.Failure != nil || c.Error != nil; failed && h2specFails[c.Package+": "+c.Name] == "" {
				t.Errorf("failed: %q", c.Package+": "+c.Name)
			}
		}
	}
	if cases < 140 {
		t.Errorf("%d cases\n%s", cases, out)
	}
}

// Clear text, TLS, HTTP/1.1 and HTTP/2 on one address, through a certificate that is renewed, one that is broken, and a reload.
func TestTLS_ACertificateIsRenewedWhileServing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	makeCertificate(t, cert, key, "first")
	app := scriptApp(t, `
		require('node:http').createServer((req, res) => res.end(JSON.stringify({commit: req.headers['x-forwarded-proto']}))).listen(process.env.PORT)`)
	in := launch(t, app, node, "--engine", "std", "--commit", "v1", "--tls-cert", cert, "--tls-key", key, "--settle", "0s")
	if got := in.commit(); got != "http" {
		t.Errorf("in the clear the app was told %q", got)
	}
	var seen []string
	for _, h2 := range []bool{false, true} {
		name, proto, told := in.overTLS(h2, 0)
		seen = append(seen, fmt.Sprint(name, " ", proto, " ", told))
	}
	if want := []string{"first HTTP/1.1 https", "first HTTP/2.0 https"}; !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
	makeCertificate(t, cert, key, "second")
	in.await("the new certificate", func() bool { name, _, _ := in.overTLS(true, 0); return name == "second" })
	write(t, dir, "cert.pem", "broken")
	in.await("the broken one is told of", func() bool {
		name, _, _ := in.overTLS(true, 0)
		return name == "second" && strings.Contains(read(t, in.stderr), "the new certificate cannot be used")
	})
	<-time.After(1100 * time.Millisecond) // until it is looked at again
	if name, _, _ := in.overTLS(true, 0); name != "second" || strings.Count(read(t, in.stderr), "cannot be used") != 1 {
		t.Errorf("%s serves; the log is\n%s", name, read(t, in.stderr))
	}
	makeCertificate(t, cert, key, "third")
	in.await("the third certificate", func() bool { name, _, _ := in.overTLS(false, 0); return name == "third" })
	if _, _, err := in.overTLS(false, tls.VersionTLS11); !strings.Contains(err, "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	if curl, err := exec.LookPath("curl"); err == nil {
		for _, args := range [][]string{{"--http1.1", "https://"}, {"--http2", "https://"}, {"--http2-prior-knowledge", "http://"}, {"--http1.1", "http://"}} {
			out, err := exec.Command(curl, "-sk", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", args[0], args[1]+in.addr).CombinedOutput()
			if want := map[bool]string{true: "1.1 200", false: "2 200"}[args[0] == "--http1.1"]; string(out) != want {
				t.Errorf("curl %v: %q, %v", args, out, err)
			}
		}
	}
	if code := in.terminate(); code != 143 && code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

func TestRun_TLSFilesThatCannotBeUsedStopTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	makeCertificate(t, cert, key, "x")
	write(t, dir, "other.pem", "nothing")
	for says, flags := range map[string][]string{
		"belong together":                   {"--tls-cert", cert},
		"no such file":                      {"--tls-cert", cert, "--tls-key", filepath.Join(dir, "absent")},
		"--tls-cert and --tls-key: tls":     {"--tls-cert", cert, "--tls-key", filepath.Join(dir, "other.pem")},
		"--access-log (PITSTOP_ACCESS_LOG)": {"--access-log", filepath.Join(dir, "absent", "log")},
	} {
		ports := freePorts(t, 3)
		args := append([]string{"run", "--listen", "127.0.0.1:" + ports[0], "--control", "127.0.0.1:" + ports[1], "--app-port", ports[2]}, flags...)
		if out, code := pitstop(t, append(args, "--", "node", "x.js")...); code == 0 || !strings.Contains(out, says) {
			t.Errorf("%v: %d %q", flags, code, out)
		}
	}
}

func TestRun_TheAccessLogHasALineForEachRequest(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "access.log")
	write(t, filepath.Dir(file), "access.log", "what was there\n")
	in := launch(t, scriptApp(t, echoApp), node, "--engine", "std", "--commit", "v1", "--access-log", file)
	for range 3 {
		_ = in.status("/a?b")
	}
	in.await("the lines", func() bool {
		return strings.Count(read(t, file), `"target":"/a?b"`) == 3 && strings.HasSuffix(read(t, file), "\n")
	})
	if err := os.Truncate(file, 0); err != nil { // as copytruncate does
		t.Fatal(err)
	}
	_ = in.status("/after")
	in.await("the line", func() bool { return strings.HasSuffix(read(t, file), "\n") })
	var line struct {
		Target, Method, Proto, Backend, Kind string
		Status                               int
		RequestID                            string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(read(t, file)), &line); err != nil {
		t.Fatalf("%q: %v", read(t, file), err)
	}
	if line.Target != "/after" || line.Status != 200 || line.Proto != "HTTP/1.1" || line.Kind != "request" || !strings.HasPrefix(line.Backend, "unix:") || len(line.RequestID) != 32 {
		t.Errorf("%+v", line)
	}
}

// overTLS asks for / and returns the certificate's name, the protocol, and what the app was told, or the error.
func (in *instance) overTLS(h2 bool, version uint16) (name, proto, told string) {
	in.t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!h2)
	protocols.SetHTTP2(h2)
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Get("https://" + in.addr)
	if err != nil {
		return "", "", err.Error()
	}
	defer resp.Body.Close()
	var answer struct{ Commit string }
	body, _ := io.ReadAll(resp.Body)
	_ = json.Unmarshal(body, &answer)
	return resp.TLS.PeerCertificates[0].Subject.CommonName, resp.Proto, answer.Commit
}

// makeCertificate writes a certificate and its key, in the way of certificate managers: the files are replaced.
func makeCertificate(t *testing.T, certFile, keyFile, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{keyFile: {Type: "PRIVATE KEY", Bytes: bytes}, certFile: {Type: "CERTIFICATE", Bytes: cert}} {
		write(t, filepath.Dir(file), filepath.Base(file)+".new", string(pem.EncodeToMemory(block)))
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
}
