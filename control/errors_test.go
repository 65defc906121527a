package control

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"

	"pitstop/supervisor"
)

func TestCodeOf_IsATable(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want codes.Code
	}{
		{context.Canceled, codes.Canceled},
		{context.DeadlineExceeded, codes.DeadlineExceeded},
		{supervisor.ErrEnding, codes.Unavailable},
		{&supervisor.ReloadError{Err: supervisor.ErrEnding}, codes.Unavailable},
		{&supervisor.BusyError{Running: "v2"}, codes.Aborted},
		{&supervisor.RefusedError{Reason: "why"}, codes.FailedPrecondition},
		{&supervisor.ReloadError{Err: errors.New("why")}, codes.FailedPrecondition},
		{&supervisor.ReloadError{Err: context.DeadlineExceeded}, codes.FailedPrecondition}, // a probe's, not the caller's
		{&supervisor.FetchError{Kind: supervisor.FetchNotFound}, codes.NotFound},
		{&supervisor.FetchError{Kind: supervisor.FetchCorrupt}, codes.DataLoss},
		{&supervisor.FetchError{Kind: supervisor.FetchUnavailable, Err: context.DeadlineExceeded}, codes.Unavailable},
		{&supervisor.FetchError{Kind: supervisor.FetchFailed}, codes.Internal},
		{errors.New("anything"), codes.Internal},
	} {
		if got := codeOf(tc.err); got != tc.want {
			t.Errorf("%#v: %s, want %s", tc.err, got, tc.want)
		}
	}
}
