package preload

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Each of these runs an app twice, over plain TCP and preloaded, and wants the same to be said. While it is preloaded
// nobody can listen on its port over TCP, and nobody answers there.

func TestPreload_EveryFormOfListenAnswersAsOverTCP(t *testing.T) { same(t, allNodes, "forms.cjs") }
func TestPreload_TwoListensOnOnePortClashAsOverTCP(t *testing.T) { same(t, allNodes, "pairs.cjs") }
func TestPreload_LifeOfAServerIsAsOverTCP(t *testing.T)          { same(t, allNodes, "lifecycle.cjs") }
func TestPreload_ServersOfAllKindsWork(t *testing.T)             { same(t, allNodes, "protocols.cjs") }
func TestPreload_WorkersOfAClusterShareTheSocket(t *testing.T)   { same(t, allNodes, "cluster.cjs") }
func TestPreload_WorkersThatAcceptThemselvesShareIt(t *testing.T) {
	same(t, allNodes, "cluster.cjs", "none")
}
func TestPreload_WorkerThreadsMayListen(t *testing.T)          { same(t, allNodes, "threads.cjs") }
func TestPreload_ConnectionsAndServersCanBeSent(t *testing.T)  { same(t, allNodes, "ipc.cjs") }
func TestPreload_PortProbersFindTheirPort(t *testing.T)        { same(t, allNodes, "probers.cjs") }
func TestPreload_AppThatCallsItselfReachesItself(t *testing.T) { same(t, allNodes, "selfcall.cjs") }
func TestPreload_SurvivesAppsThatRearrangeNode(t *testing.T)   { same(t, allNodes, "hostile.cjs") }
func TestPreload_SurvivesFrozenIntrinsics(t *testing.T) {
	same(t, ownNode, "--no-warnings", "--frozen-intrinsics", "forms.cjs")
}
func TestPreload_ExpressAndItsClientsSeeTheSame(t *testing.T) { same(t, ownNode, "express.cjs") }
func TestPreload_FastifyAsAnESMEntrySeesTheSame(t *testing.T) { same(t, ownNode, "fastify.mjs") }
func TestPreload_KoaSeesTheSame(t *testing.T)                 { same(t, ownNode, "koa.cjs") }
func TestPreload_NestJSSeesTheSame(t *testing.T)              { same(t, ownNode, "nest.cjs") }
func TestPreload_SocketIOSeesTheSameEvenSticky(t *testing.T)  { same(t, ownNode, "socketio.cjs") }

func same(t *testing.T, nodes func(*testing.T) []node, args ...string) {
	t.Parallel()
	cert := certificate(t)
	eachNode(t, nodes(t), func(t *testing.T, n node) {
		args := append([]string{"--expose-gc"}, args...)
		plain, code := start(t, append(slices.Clone(cert), "PORT="+strconv.Itoa(freePort(t))), n.path, args...).end(t)
		if code != 0 {
			t.Fatalf("over TCP it ended with %d:\n%s", code, plain)
		}
		g := newGeneration(t, freePort(t)) // another port: the first one's connections linger
		occupy(t, g.port)
		preloaded, code := start(t, append(g.env(), cert...), n.path, args...).end(t)
		if code != 0 || preloaded != plain {
			t.Errorf("preloaded it ended with %d:\n%s", code, differing(plain, preloaded))
		}
		await(g, func(Listening) bool { return true })
		if bad := told[Unsupported](g); len(bad) > 0 {
			t.Errorf("told %+v", bad)
		}
	})
}

func differing(plain, preloaded string) string {
	var b strings.Builder
	want, got := strings.Split(plain, "\n"), strings.Split(preloaded, "\n")
	for i := range max(len(want), len(got)) {
		w, g := at(want, i), at(got, i)
		if w != g {
			b.WriteString("TCP:       " + w + "\npreloaded: " + g + "\n")
		}
	}
	return b.String()
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// certificate makes one for localhost, and returns the variables that tell where it is.
func certificate(t *testing.T) []string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return []string{
		"TEST_CERT=" + writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", cert),
		"TEST_KEY=" + writePEM(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", private),
	}
}

func writePEM(t *testing.T, path, kind string, der []byte) string {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
