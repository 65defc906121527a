package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The other readers are looser, and that is what they are here for: whatever is accepted here must be the same to them.
// Of what is refused here nothing is said.

func FuzzRequest_AgreesWithNetHTTP(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		var h Head
		if done, err := h.Request(input, roomy); !done || err != nil {
			return
		}
		target := string(h.Target.In(input))
		other := readBeside(input)
		r, err := http.ReadRequest(other.buffered)
		if err != nil {
			// net/url refuses targets that clients do send, such as a '%' that begins no escape: Node takes them.
			if _, odd := url.ParseRequestURI(target); odd != nil || badTrailer(&h, err) {
				return
			}
			t.Fatalf("%q: net/http: %v", input, err)
		}
		if r.Method != string(h.Method.In(input)) || r.RequestURI != target || r.ProtoMajor != 1 || r.ProtoMinor != h.Minor {
			t.Fatalf("%q: to net/http %s %q %s", input, r.Method, r.RequestURI, r.Proto)
		}
		host := string(h.Find(input, Host))
		if authority, _, absolute := absolute([]byte(target)); absolute && target[0] != '/' {
			host, _ = url.PathUnescape(string(authority)) // net/url undoes escapes
		}
		if r.Host != host {
			t.Fatalf("%q: Host %q, to net/http %q", input, host, r.Host)
		}
		sameFields(t, input, &h, r.Header, "Host", "Transfer-Encoding")
		length := max(h.Length, 0)
		if h.Chunked {
			length = -1
		}
		sameFraming(t, input, &h, length, h.Close, r.ContentLength, r.TransferEncoding, r.Close)
		other.endsAt(t, h.Size)
	})
}

func FuzzResponse_AgreesWithNetHTTP(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		var h Head
		if done, err := h.Response(input, roomy); !done || err != nil {
			return
		}
		other := readBeside(input)
		r, err := http.ReadResponse(other.buffered, nil)
		if err != nil {
			if badTrailer(&h, err) {
				return
			}
			t.Fatalf("%q: net/http: %v", input, err)
		}
		if r.StatusCode != h.Status || strings.TrimPrefix(r.Status[3:], " ") != string(h.Reason.In(input)) || r.ProtoMajor != 1 || r.ProtoMinor != h.Minor {
			t.Fatalf("%q: to net/http %q %s", input, r.Status, r.Proto)
		}
		deleted := []string{"Transfer-Encoding"}
		if _, there := r.Header["Connection"]; !there && h.Close {
			deleted = append(deleted, "Connection")
		}
		sameFields(t, input, &h, r.Header, deleted...)
		length, closes := h.Length, h.Close || !h.Chunked && h.Length < 0
		if h.Status < 200 || h.Status == 204 || h.Status == 304 {
			length, closes = 0, h.Close
		}
		sameFraming(t, input, &h, length, closes, r.ContentLength, r.TransferEncoding, r.Close)
		if h.HasBody(false) == (r.Body == http.NoBody) {
			t.Fatalf("%q: a body: %v", input, h.HasBody(false))
		}
		other.endsAt(t, h.Size)
	})
}

func FuzzChunked_AgreesWithNetHTTP(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		got := dechunked(t, body)
		if !got.done {
			return
		}
		other := readBeside(body)
		want, err := io.ReadAll(httputil.NewChunkedReader(other.buffered))
		if err != nil && strings.Contains(err.Error(), "too much non-data") { // a limit that is the caller's here
			return
		}
		if err != nil || string(want) != got.data {
			t.Fatalf("%q: %v, to net/http %q %v", body, got, want, err)
		}
		other.endsAt(t, got.n)
	})
}

func FuzzSplits(f *testing.F) {
	tight := Limits{Bytes: 100, Target: 8, Fields: 3}
	f.Fuzz(func(t *testing.T, input []byte, one, two uint16) {
		cuts := []int{int(one) % (len(input) + 1), int(two) % (len(input) + 1)}
		slices.Sort(cuts)
		for _, limits := range []Limits{roomy, tight} {
			for _, read := range []reader{(*Head).Request, (*Head).Response, (*Head).Trailers} {
				same(t, shown(read, input, limits), shown(read, input, limits, cuts...), input, cuts)
			}
		}
		if want, got := dechunked(t, input), dechunked(t, input, cuts...); got != want {
			t.Fatalf("%q cut at %v: %v, want %v", input, cuts, got, want)
		}
		want, before := boundaries(t, input)
		got, after := boundaries(t, input, cuts...)
		if !slices.Equal(got, want) || before.Between() != after.Between() || before.left != after.left {
			t.Fatalf("%x cut at %v: %v %+v, want %v %+v", input, cuts, got, after, want, before)
		}
	})
}

func FuzzFrames_AgreeWithAnotherReader(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		ends, frames := boundaries(t, input)
		want, within := otherBoundaries(input)
		if !slices.Equal(ends, want) || frames.Between() == within {
			t.Fatalf("%x: %v, between %v; another reader %v, within %v", input, ends, frames.Between(), want, within)
		}
	})
}

// badTrailer says that net/http refuses a Trailer, which announces fields that may not stand there. What is announced
// says nothing of where a message ends.
func badTrailer(h *Head, err error) bool {
	return h.HasField(Trailer) && strings.Contains(err.Error(), "bad trailer key")
}

// otherReader is what net/http reads from, which tells how far it has come.
type otherReader struct {
	input    []byte
	rest     *bytes.Reader
	buffered *bufio.Reader
}

// readBeside stands behind the empty lines, which net/http does not skip.
func readBeside(input []byte) otherReader {
	r := otherReader{input: input, rest: bytes.NewReader(input)}
	for bytes.HasPrefix(input, []byte("\r\n")) {
		input = input[2:]
	}
	_, _ = r.rest.Seek(int64(r.rest.Len()-len(input)), io.SeekStart)
	r.buffered = bufio.NewReader(r.rest)
	return r
}

func (r otherReader) endsAt(t *testing.T, want int) {
	t.Helper()
	if got := len(r.input) - r.rest.Len() - r.buffered.Buffered(); got != want {
		t.Fatalf("%q: it ends at %d, to net/http at %d", r.input, want, got)
	}
}

func sameFields(t *testing.T, input []byte, h *Head, other http.Header, deleted ...string) {
	t.Helper()
	fields := http.Header{}
	for _, f := range h.Fields {
		name := textproto.CanonicalMIMEHeaderKey(string(f.Name.In(input)))
		fields[name] = append(fields[name], string(f.Value.In(input)))
	}
	for _, name := range deleted {
		delete(fields, name)
	}
	if h.Chunked { // it is told in another place then
		delete(fields, "Trailer")
	}
	if p := fields["Pragma"]; len(p) > 0 && p[0] == "no-cache" && fields["Cache-Control"] == nil {
		fields["Cache-Control"] = []string{"no-cache"} // net/http's own addition
	}
	if !maps.EqualFunc(fields, other, slices.Equal) {
		t.Fatalf("%q:\n%q, to net/http\n%q", input, fields, other)
	}
}

func sameFraming(t *testing.T, input []byte, h *Head, length int64, closes bool, otherLength int64, otherCoding []string, otherCloses bool) {
	t.Helper()
	want := fmt.Sprint(length, h.Chunked, closes)
	if got := fmt.Sprint(otherLength, reflect.DeepEqual(otherCoding, []string{"chunked"}), otherCloses); got != want {
		t.Fatalf("%q: length, chunked, close: %s, to net/http %s", input, want, got)
	}
}
