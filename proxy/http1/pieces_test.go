package http1

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// pieces are what requests are made of that parsers quarrel about; blind mutation seldom puts them together.
var pieces = struct{ methods, targets, names, spaces, values, bodies []string }{
	methods: []string{"GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "M-SEARCH", "SOURCE", "PURGE", "PRI", "ge"},
	targets: []string{"/", "/a?b", "//a", "*", "http://a/", "HTTP://a", "http://a?x", "/\x80", "/%", "/a\\b", "https://a:443/", "/http://b/", "/\"<>|^`{}"},
	names: []string{"Content-Length", "Transfer-Encoding", "Transfer-Encoding", "transfer-encoding", "Connection", "Connection", "Upgrade", "Upgrade",
		"Proxy-Connection", "Expect", "TE", "Trailer", "Keep-Alive", "Host", "X", "Content-Lengt", "Content-Length1", "Transfer-Encoding_", "Connectio", "C"},
	spaces: []string{"", " ", "\t", "  ", " \t"},
	values: []string{"", "0", "3", "03", "chunked", "chunked", "Chunked", "chunke", "chunkedd", "gzip, chunked", "close", "keep-alive", "upgrade",
		"upgrade", "upgrade, close", "close, upgrade", "closed", "clos", "close,", "close ,x", ",close", "x upgrade", "websocket", "h2c", "100-continue", "\x80\xff"},
	bodies: []string{"", "abc", "0\r\n\r\n", "0;a\r\n\r\n", "00\r\n\r\n", "1\r\na\r\n0\r\n\r\n", "A;a=b\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
		"1;a=\"\\\"\t\x80\";b\r\n\n\r\n01\r\n\r\r\n0\r\nContent-Lengt: \t\r\n\r\n"},
}

// madeOfPieces is one request, always the same for a seed.
func madeOfPieces(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	one := func(of []string) string { return of[r.IntN(len(of))] }
	var b strings.Builder
	b.WriteString(one([]string{"", "", "", "\r\n"}))
	b.WriteString(one(pieces.methods) + " " + one(pieces.targets) + " HTTP/1." + one([]string{"0", "1", "1", "1"}) + "\r\n")
	b.WriteString(one([]string{"", "Host:\r\n", "Host: a\r\n", "Host: a\r\n", "Host: a:80\r\n"}))
	for range r.IntN(5) {
		b.WriteString(one(pieces.names) + ":" + one(pieces.spaces) + one(pieces.values) + one(pieces.spaces) + "\r\n")
	}
	b.WriteString(one([]string{"", "", "Connection: upgrade\r\nUpgrade: x\r\n"}))
	b.WriteString(one([]string{"", "", "Transfer-Encoding:" + one(pieces.spaces) + "chunked" + one(pieces.spaces) + "\r\n"}))
	b.WriteString("\r\n" + one(pieces.bodies))
	return []byte(b.String())
}

func FuzzPieces_AgreeWithNode(f *testing.F) {
	for seed := range uint64(500) {
		f.Add(seed)
	}
	socket := startNode(f, "node")
	f.Fuzz(func(t *testing.T, seed uint64) { // many of one: the way through the fuzzing engine takes longer than Node
		for n := range uint64(20) {
			_ = agreesWithNode(t, socket, madeOfPieces(seed*20+n))
		}
	})
}
