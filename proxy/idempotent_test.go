package proxy

import "testing"

func TestIsIdempotent_KnowsTheMethodsOfTheRFC(t *testing.T) {
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true, "PUT": true, "DELETE": true,
		"POST": false, "PATCH": false, "get": false, "": false} {
		if IsIdempotent(method) != want || IsIdempotent([]byte(method)) != want {
			t.Errorf("%q: not %t", method, want)
		}
	}
}
