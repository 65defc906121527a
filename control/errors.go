package control

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"pitstop/supervisor"
)

// statusOf is the table from errors to gRPC codes.
func statusOf(err error) error { return status.Error(codeOf(err), err.Error()) }

func codeOf(err error) codes.Code {
	var (
		fetch   *supervisor.FetchError
		busy    *supervisor.BusyError
		refused *supervisor.RefusedError
		reload  *supervisor.ReloadError
	)
	switch {
	case errors.Is(err, supervisor.ErrEnding):
		return codes.Unavailable
	case errors.As(err, &busy):
		return codes.Aborted
	case errors.As(err, &refused), errors.As(err, &reload):
		return codes.FailedPrecondition
	case errors.As(err, &fetch):
		return map[supervisor.FetchKind]codes.Code{
			supervisor.FetchNotFound:    codes.NotFound,
			supervisor.FetchCorrupt:     codes.DataLoss,
			supervisor.FetchUnavailable: codes.Unavailable,
			supervisor.FetchFailed:      codes.Internal,
		}[fetch.Kind]
	// Last: a reload may have failed for a deadline of its own.
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	default:
		return codes.Internal
	}
}

func invalid(err error) error { return status.Error(codes.InvalidArgument, err.Error()) }
