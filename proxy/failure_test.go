package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"pitstop/drain"
)

func TestStatusOf_IsATable(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{context.Canceled, 499},
		{&Refusal{Err: context.Canceled}, 499},
		{fmt.Errorf("%w: odd chunk", ErrBadBody), 400},
		{ErrSlowBody, 408},
		{&Refusal{Err: drain.ErrHeldTooLong}, 503},
		{&Refusal{Err: drain.ErrHoldFull}, 503},
		{&Refusal{Err: errors.New("ending")}, 503},
		{&Refusal{Err: drain.ErrAlive}, 502},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, 502},
		{io.ErrUnexpectedEOF, 502},
		{&net.DNSError{IsTimeout: true}, 504},
	} {
		if got := StatusOf(tc.err); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.err, got, tc.want)
		}
	}
}
