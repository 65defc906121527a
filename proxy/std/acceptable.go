package std

import (
	"net/http"
	"strings"

	"pitstop/proxy"
	"pitstop/proxy/http1"
)

// What net/http lets through and we do not.
var (
	errTarget   = &http1.Error{Status: http.StatusRequestURITooLong, Reason: "the request's target is too long"}
	errHead     = &http1.Error{Status: http.StatusRequestHeaderFieldsTooLarge, Reason: "the request's head is too large"}
	errFields   = &http1.Error{Status: http.StatusRequestHeaderFieldsTooLarge, Reason: "the request has too many fields"}
	errFragment = &http1.Error{Status: http.StatusBadRequest, Reason: "the request's target has a fragment"}
	errForm     = &http1.Error{Status: http.StatusBadRequest, Reason: "the request's target has none of the forms"}
	errConnect  = &http1.Error{Status: http.StatusNotImplemented, Reason: "CONNECT is not for this proxy"}
)

// acceptable says what is wrong with a head, nil if nothing is. Limits of zero are none.
func acceptable(r *http.Request, l *proxy.Limits) error {
	fields, size := 1, len(r.Method)+len(r.RequestURI)+len(" HTTP/1.1\r\n\r\n ")+len("Host: \r\n")+len(r.Host)
	for name, values := range r.Header {
		fields += len(values)
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	switch {
	case l.Target > 0 && len(r.RequestURI) > l.Target:
		return errTarget
	case l.Head > 0 && size > l.Head:
		return errHead
	case l.Fields > 0 && fields > l.Fields:
		return errFields
	case l.Body > 0 && r.ContentLength > l.Body:
		return proxy.ErrLargeBody
	case r.Method == http.MethodConnect:
		return errConnect
	case strings.Contains(r.RequestURI, "#"):
		return errFragment
	case !hasForm(r.Method, r.RequestURI):
		return errForm
	}
	return nil
}

// hasForm says whether a target is in origin-form, in absolute-form, or the asterisk (RFC 9112, 3.2).
func hasForm(method, target string) bool {
	scheme, rest, absolute := strings.Cut(target, "://")
	if absolute && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
		return rest != "" && !strings.ContainsRune("/?:", rune(rest[0])) // a host must be named (RFC 9110, 4.2.1)
	}
	return strings.HasPrefix(target, "/") || target == "*" && method == http.MethodOptions
}
