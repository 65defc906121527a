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
	served := 0
	for i, s := range saw {
		switch {
		case s.State == "refused": // by Node: as good as by pitstop, but nothing may come after it
			if i != len(saw)-1 {
				return fmt.Errorf("after a request that Node refused came another: %+v", saw[i+1])
			}
		case i < len(m.whole):
			if err := same(m.whole[i], s, engine); err != nil {
				return fmt.Errorf("request %d: %w\nmeant %+v\nseen  %+v", i, err, m.whole[i], s)
			}
			if s.State == "whole" {
				served++
			} else if m.whole[i].choice == "" {
				return fmt.Errorf("request %d was cut on its way: %+v", i, s)
			}
		case i == len(m.whole) && m.part != nil && s.State == "aborted" && bytes.HasPrefix(m.part.body, s.Body):
			if err := sameHead(*m.part, s, engine); err != nil {
				return fmt.Errorf("a cut request: %w\nmeant %+v\nseen  %+v", err, *m.part, s)
			}
		default:
			return fmt.Errorf("SMUGGLED: the app saw request %d, which is none (%s): %+v", i, m.stop, s)
		}
	}
	if served < len(m.whole) && m.whole[served].choice == "" && (served == 0 || m.whole[served-1].choice == "") {
		return fmt.Errorf("request %d is good, and the app did not see it; the answers: %+v", served, got)
	}
	return fitting(m, saw[:served], got)
}

// fitting compares the answers with what the app saw: in order, and no good one for what it did not see.
func fitting(m meaning, served []sighting, got []answer) error {
	for i, a := range got {
		switch {
		case i < len(served) && (a.status != 200 || a.seen != served[i].N):
			return fmt.Errorf("answer %d is %+v, the app answered %d", i, a, served[i].N)
		case i >= len(served) && a.status < 400:
			return fmt.Errorf("answer %d is %+v to what the app did not see", i, a)
		}
	}
	for i := range served {
		if i >= len(got) && m.whole[i].choice == "" {
			return fmt.Errorf("the app answered request %d, and the client has got %+v", i, got)
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
	if hosts := valuesOf(fields, "host"); len(hosts) != 1 || hosts[0] != m.host {
		return fmt.Errorf("its Host is %q, want %q", hosts, m.host)
	}
	if err := cleaned(fields); err != nil {
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
func cleaned(fields []field) error {
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
