package proxy

import (
	"errors"
	"net"
	"net/http"

	"pitstop/drain"
)

// exchange carries one request to a child and returns its response: read a small body, ask to be let in, send,
// and send once more if the child died. It is the http.RoundTripper under the std engine.
type exchange struct {
	cfg    Config
	pools  *pools
	budget budget
}

func newExchange(cfg Config, pools *pools) *exchange {
	x := &exchange{cfg: cfg, pools: pools}
	x.budget.left.Store(cfg.ReplayMemory)
	return x
}

// RoundTrip implements http.RoundTripper. The visit lasts until the response's body has been read or closed.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readAhead(req, x.cfg.ReplayBuffer, &x.budget)
	if err != nil {
		return nil, err
	}
	defer x.budget.give(int64(len(body.buffered)))
	visit, err := x.cfg.Gate.Enter(req.Context(), drain.Ask{
		Kind: kindOf(body), Buffered: len(body.buffered), Replayable: mayReplay(req, body),
	})
	if err != nil {
		return nil, &refusal{err}
	}
	s := newStay(visit)
	resp, err := x.send(req, body, s)
	if err != nil && (mayReplay(req, body) || body.whole && notSent(err)) && req.Context().Err() == nil {
		x.cfg.Logger.Debug("request not answered", "backend", visit.Backend().Addr, "err", err)
		if visit, retryErr := x.cfg.Gate.Retry(req.Context(), s.visit); retryErr != nil {
			return nil, &refusal{retryErr}
		} else {
			s = newStay(visit)
		}
		resp, err = x.send(req, body, s)
	}
	if err != nil {
		s.end()
		return nil, err
	}
	s.attend(req, resp)
	return resp, nil
}

// notSent says that nothing of a request can have reached the child: then it may be sent again whatever it is.
func notSent(err error) bool {
	var op *net.OpError
	return errors.Is(err, errPoolClosed) || errors.As(err, &op) && op.Op == "dial"
}

// send writes the request to the visit's backend and returns the response's head. On error the stay goes on.
func (x *exchange) send(req *http.Request, body body, s *stay) (*http.Response, error) {
	transport, err := x.pools.get(s.visit.Backend())
	if err != nil {
		return nil, err
	}
	out := req.WithContext(req.Context())
	out.Body, out.GetBody = body.reader(s), nil
	if body.whole {
		out.GetBody = body.again
	}
	return transport.RoundTrip(out)
}
