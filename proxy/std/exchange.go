package std

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"pitstop/drain"
	"pitstop/proxy"
)

// exchange carries one request to a child and returns its response: read a small body, ask to be let in, send,
// and send once more if the child died. It is the http.RoundTripper under the std engine.
type exchange struct {
	cfg    proxy.Config
	pools  *pools
	budget proxy.Budget
}

func newExchange(cfg proxy.Config, pools *pools) *exchange {
	x := &exchange{cfg: cfg, pools: pools}
	x.budget.Give(cfg.ReplayMemory)
	return x
}

// RoundTrip implements http.RoundTripper. The visit lasts until the response's body has been read or closed.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	f := flightOf(req.Context())
	resp, err := x.roundTrip(req, f)
	if clientErr := f.clientError(); err != nil && clientErr != nil && !gone(req, clientErr) {
		return nil, clientErr // whatever the transport made of it
	}
	return resp, err
}

// gone says that a body broke off because its client left. A read that was not in time ends the request's context too.
func gone(req *http.Request, err error) bool {
	return req.Context().Err() != nil && errors.Is(err, proxy.ErrBadBody)
}

func (x *exchange) roundTrip(req *http.Request, f *flight) (*http.Response, error) {
	body, err := readAhead(req, x.cfg.ReplayBuffer, &x.budget)
	if err != nil {
		return nil, clientGone(req, err)
	}
	defer x.budget.Give(int64(len(body.buffered)))
	replayable, asked := mayReplay(req, body), time.Now()
	visit, err := x.cfg.Gate.Enter(req.Context(), drain.Ask{Kind: kindOf(req, body), Buffered: len(body.buffered), Replayable: replayable})
	if err != nil {
		return nil, &proxy.Refusal{Err: err}
	}
	f.entered(visit, time.Since(asked), false)
	f.became(kindOf(req, body))
	s := newStay(visit)
	f.stays(s)
	resp, err := x.send(req, body, s)
	if err != nil && mayResend(replayable, body, err) && req.Context().Err() == nil {
		x.cfg.Logger.Debug("request not answered", "backend", visit.Backend().Addr, "err", err)
		asked = time.Now()
		f.stays(nil) // the gate has the visit
		visit, retryErr := x.cfg.Gate.Retry(req.Context(), s.visit)
		if retryErr != nil {
			return nil, &proxy.Refusal{Err: retryErr}
		}
		f.entered(visit, time.Since(asked), true)
		s = newStay(visit)
		f.stays(s)
		resp, err = x.send(req, body, s)
	}
	if err == nil {
		if err = checkResponse(req, resp); err != nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		s.read()
		return nil, clientGone(req, err)
	}
	s.attend(req, resp)
	return resp, nil
}

// clientGone is the context's error where the client has left: others follow from it. So does errSlowBody not.
func clientGone(req *http.Request, err error) error {
	if req.Context().Err() != nil && !errors.Is(err, proxy.ErrSlowBody) {
		return req.Context().Err()
	}
	return err
}

// mayResend says whether a request that failed may be sent to another child. One that was silent for too long is not asked
// again: it may still be at work.
func mayResend(replayable bool, b body, err error) bool {
	return !errors.Is(err, proxy.ErrNoResponse) && (replayable || b.intact() && notSent(err))
}

// notSent says that nothing of a request can have reached the child: then it may be sent again whatever it is.
func notSent(err error) bool {
	var op *net.OpError
	return errors.Is(err, proxy.ErrPoolClosed) || errors.As(err, &op) && op.Op == "dial"
}

// send writes the request to the visit's backend and returns the response's head. On error the stay goes on.
func (x *exchange) send(req *http.Request, body body, s *stay) (*http.Response, error) {
	transport, err := x.pools.get(s.visit.Backend())
	if err != nil {
		return nil, err
	}
	out := req.WithContext(traced(req.Context()))
	out.Body, out.GetBody = body.reader(s), nil
	if body.whole {
		out.GetBody = body.again
		out.Header = out.Header.Clone()
		out.Header.Del("Expect") // met already
	}
	resp, err := transport.RoundTrip(out)
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() && !notSent(err) && req.Context().Err() == nil {
		err = fmt.Errorf("%w: %w", proxy.ErrNoResponse, err)
	}
	return resp, err
}
