package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// judge says how what the app saw and what the client got differ from what the client's bytes mean; nil if they do not.
func judge(m meaning, saw []sighting, got []answer, engine string) error {
	byNumber := map[int]sighting{}
	for _, s := range saw {
		if s.State != "refused" { // by Node's parser: the app saw nothing
			byNumber[s.N] = s
		}
	}
	refused := false
	for i, a := range got {
		s, seen := byNumber[a.seen]
		delete(byNumber, a.seen)
		switch {
		case i >= len(m.whole) && (seen || a.status < 400):
			return fmt.Errorf("SMUGGLED: %+v was answered to what is no request (%s): %+v", a, m.stop, s)
		case !seen && a.status < 400:
			return fmt.Errorf("answer %d is %+v, and not the app's", i, a)
		case !seen && i < len(m.whole):
			if m.whole[i].choice == "" {
				return fmt.Errorf("request %d is good and was refused: %+v", i, a)
			}
			refused = true
		case seen && i < len(m.whole):
			if err := same(m.whole[i], s, engine); err != nil {
				return fmt.Errorf("request %d: %w\nmeant %+v\nseen  %+v", i, err, m.whole[i], s)
			}
		}
	}
	if i := len(got); i < len(m.whole) && m.whole[i].choice == "" && !refused && !(m.whole[i].last != "" && m.tolerates(losesLast, engine)) {
		return fmt.Errorf("request %d is good and was not answered; the app saw %+v, the client got %+v", i, saw, got)
	}
	return judgeCut(m, byNumber, engine)
}

// judgeCut looks at what the app saw and nobody got the answer of: beginnings of requests that were refused in the middle.
func judgeCut(m meaning, left map[int]sighting, engine string) error {
	may := m.whole
	if m.part != nil {
		may = append(may[:len(may):len(may)], *m.part)
	}
	for _, s := range left {
		fits := func(r meant) bool { return bytes.HasPrefix(r.body, s.Body) && sameHead(r, s, engine) == nil }
		if !slices.ContainsFunc(may, fits) {
			return fmt.Errorf("SMUGGLED: the app saw what is no request (%s): %+v", m.stop, s)
		}
		if s.State == "whole" && m.part != nil && fits(*m.part) && !slices.ContainsFunc(m.whole, fits) {
			return fmt.Errorf("a cut request was whole to the app: %+v", s)
		}
	}
	return nil
}

func same(m meant, s sighting, engine string) error {
	if err := sameHead(m, s, engine); err != nil {
		return err
	}
	if s.State == "whole" && !bytes.Equal(m.body, s.Body) {
		return fmt.Errorf("its body is %.100q, want %.100q", s.Body, m.body)
	}
	for i := 0; i+1 < len(s.Trailers); i += 2 {
		f := field{s.Trailers[i], s.Trailers[i+1]}
		if !slices.ContainsFunc(m.trailer, func(sent field) bool { return strings.EqualFold(sent.name, f.name) && sent.value == f.value }) ||
			slices.Contains(hopByHop, lower(f.name)) {
			return fmt.Errorf("its trailer has %q", f)
		}
	}
	return nil
}

func sameHead(m meant, s sighting, engine string) error {
	if s.Method != m.method || !slices.Contains(m.targets, s.URL) {
		return fmt.Errorf("it is %s %q, want %s %q", s.Method, s.URL, m.method, m.targets)
	}
	if s.Version != "1.1" {
		return fmt.Errorf("it came as HTTP/%s", s.Version)
	}
	var fields []field
	for i := 0; i+1 < len(s.Fields); i += 2 {
		fields = append(fields, field{s.Fields[i], s.Fields[i+1]})
	}
	if hosts := valuesOf(fields, "host"); len(hosts) != 1 || strings.TrimSuffix(hosts[0], ":80") != strings.TrimSuffix(m.host, ":80") && m.host != "" {
		return fmt.Errorf("its Host is %q, want %q", hosts, m.host)
	}
	if err := cleaned(fields, engine); err != nil {
		return err
	}
	return sameFields(m.fields, fields, engine)
}

// added are fields that a proxy may set where the client sent none.
var added = []string{"x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-request-id"}

// sameFields wants the same values of each end-to-end field in the same order, and in lean the same spelling.
func sameFields(want, seen []field, engine string) error {
	spell := func(name string) string {
		if engine == lean {
			return name
		}
		return lower(name)
	}
	values := map[string][]string{}
	for _, f := range want {
		values[spell(f.name)] = append(values[spell(f.name)], f.value)
	}
	got := map[string][]string{}
	for _, f := range seen {
		if name := lower(f.name); !slices.Contains(hopByHop, name) &&
			!(slices.Contains(added, name) && valuesOf(want, name) == nil) {
			got[spell(f.name)] = append(got[spell(f.name)], f.value)
		}
	}
	for name, v := range values {
		if !slices.Equal(v, got[name]) {
			return fmt.Errorf("its %.60s is %.200q, want %.200q", name, got[name], v)
		}
	}
	for name, v := range got {
		if values[name] == nil {
			return fmt.Errorf("it has %.60s: %.200q, which nobody sent to it", name, v)
		}
	}
	return nil
}

// cleaned checks that nothing is left of the client's hop.
func cleaned(fields []field, engine string) error {
	for _, name := range []string{"keep-alive", "proxy-connection", "http2-settings"} {
		if v := valuesOf(fields, name); v != nil {
			return fmt.Errorf("its %s is left: %q", name, v)
		}
	}
	for _, te := range valuesOf(fields, "te") {
		if te != "trailers" {
			return fmt.Errorf("its TE is left: %q", te)
		}
	}
	if slices.Contains(listOf(fields, "upgrade"), "h2c") {
		return errors.New("it asks for h2c")
	}
	return nil
}
