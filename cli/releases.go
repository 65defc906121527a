package cli

import (
	"context"
	"errors"

	"pitstop/release"
	"pitstop/supervisor"
)

// releases is the supervisor's view of the shelf.
type releases struct{ shelf *release.Shelf }

// Fetch implements supervisor.Fetcher.
func (r releases) Fetch(ctx context.Context, commit string) (supervisor.Release, error) {
	got, err := r.shelf.Fetch(ctx, commit)
	if err != nil {
		return supervisor.Release{}, &supervisor.FetchError{Commit: commit, Kind: kindOf(err), Err: err}
	}
	return supervisor.Release{Commit: commit, Dir: got.Dir, Digest: got.Manifest.TarSHA256, Env: got.Manifest.Env}, nil
}

func kindOf(err error) supervisor.FetchKind {
	switch {
	case errors.Is(err, release.ErrNotFound):
		return supervisor.FetchNotFound
	case errors.Is(err, release.ErrCorrupt):
		return supervisor.FetchCorrupt
	case errors.Is(err, release.ErrUnavailable):
		return supervisor.FetchUnavailable
	default:
		return supervisor.FetchFailed
	}
}
