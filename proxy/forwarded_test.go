package proxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestForward_PassesWhatALoadBalancerSaysAndSetsTheRest(t *testing.T) {
	for name, tc := range map[string]struct {
		peer string
		in   http.Header
		want http.Header
	}{
		"load balancer": {"10.0.0.7:1", http.Header{"X-Forwarded-For": {"1.2.3.4", "5.6.7.8"}, "X-Forwarded-Proto": {"https"}},
			http.Header{"X-Forwarded-For": {"1.2.3.4", "5.6.7.8"}, "X-Forwarded-Proto": {"https"}}},
		"nothing said":  {"10.0.0.7:1", nil, http.Header{"X-Forwarded-For": {"10.0.0.7"}, "X-Forwarded-Proto": {"http"}}},
		"a stranger":    {"203.0.113.5:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}, "Forwarded": {"for=1.2.3.4"}}, http.Header{"X-Forwarded-For": {"203.0.113.5"}, "X-Forwarded-Proto": {"http"}}},
		"mapped":        {"[::ffff:10.0.0.7]:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Proto": {"http"}}},
		"a cloud's own": {"100.64.3.4:1", http.Header{"Forwarded": {"for=1.2.3.4"}}, http.Header{"Forwarded": {"for=1.2.3.4"}, "X-Forwarded-For": {"100.64.3.4"}, "X-Forwarded-Proto": {"http"}}},
	} {
		in := httptest.NewRequest(http.MethodGet, "/", nil)
		in.RemoteAddr, in.Header = tc.peer, tc.in
		out := http.Header{}
		ForwardedAuto.Apply(out, in)
		for _, field := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"} {
			if got, want := fmt.Sprint(out[field]), fmt.Sprint(tc.want[field]); got != want {
				t.Errorf("%s: %s is %s, want %s", name, field, got, want)
			}
		}
	}
}

func TestForwarded_EachModeHasItsTable(t *testing.T) {
	stranger, inside := "203.0.113.5:1", "10.0.0.7:1"
	given := http.Header{
		"X-Forwarded-For": {"1.2.3.4", "5.6.7.8"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"h"}, "Forwarded": {"for=1.2.3.4"}, "X-Forwarded-Port": {"443"},
	}
	untouched := "1.2.3.4,5.6.7.8 https 443 h for=1.2.3.4"
	for _, tc := range []struct {
		mode Forwarded
		peer string
		in   http.Header
		want string
	}{
		{ForwardedAuto, inside, given, untouched},
		{ForwardedAuto, inside, nil, "10.0.0.7 http 80  "},
		{ForwardedAuto, stranger, given, "203.0.113.5 http 80  "},
		{ForwardedSet, inside, given, "10.0.0.7 http 80  "},
		{ForwardedSet, stranger, given, "203.0.113.5 http 80  "},
		{ForwardedAppend, stranger, given, "1.2.3.4, 5.6.7.8, 203.0.113.5 https 443 h for=1.2.3.4"},
		{ForwardedAppend, inside, nil, "10.0.0.7 http 80  "},
		{ForwardedOff, stranger, given, untouched},
		{ForwardedOff, stranger, nil, "    "},
	} {
		in := httptest.NewRequest(http.MethodGet, "/", nil)
		in = in.WithContext(contextWithLocal(in, "10.0.0.1:80"))
		in.RemoteAddr, in.Header = tc.peer, tc.in
		out := http.Header{}
		tc.mode.Apply(out, in)
		var got []string
		for _, field := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Host", "Forwarded"} {
			got = append(got, strings.Join(out[field], ","))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s from %s: %q, want %q", tc.mode, tc.peer, strings.Join(got, " "), tc.want)
		}
	}
	if strings.Join(given["X-Forwarded-For"], ",") != "1.2.3.4,5.6.7.8" {
		t.Error("the client's own fields were changed")
	}
}

func contextWithLocal(r *http.Request, addr string) context.Context {
	tcp, _ := net.ResolveTCPAddr("tcp", addr)
	return context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(tcp))
}
