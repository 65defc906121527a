package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// metadataDeadline is for all questions of one verdict together: a reload waits for it. The endpoint is on the same
	// machine and answers from memory.
	metadataDeadline = time.Second
	// metadataSize bounds an answer; ten containers' statistics are some 100 KiB.
	metadataSize = 8 << 20
)

// metadata is the ECS task metadata endpoint, version 4, as
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html describes it.
type metadata struct {
	uri    string
	client *http.Client

	fixed atomic.Pointer[fixed] // nil until it has been told once
}

// fixed is what does not change while the container lives, so that it is asked once: limits belong to the task
// definition's revision. Zero bytes are no limit.
type fixed struct {
	id              string // the own container's
	container, task uint64
}

// bounds are those that the own container and the task have. own is what the own cgroup has in use; the endpoint's
// figure of that, some seconds old, serves where there is none.
func (m *metadata) bounds(ctx context.Context, own Figure) (bs []bound, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, metadataDeadline, fmt.Errorf("no answer within %v", metadataDeadline))
	defer cancel()
	f, err := m.limits(ctx)
	if err != nil {
		return nil, err
	}
	var use map[string]usage
	if f.task > 0 || !own.known {
		if err := m.get(ctx, "/task/stats", &use); err != nil {
			return nil, err
		}
	}
	if n := use[f.id].inUse(); !own.known && n > 0 {
		own = Known(n, "")
	}
	if f.container > 0 {
		bs = append(bs, bound{Known(f.container, "ECS container"), own})
	}
	if f.task > 0 {
		b, err := m.taskBound(ctx, f, use, own)
		if err != nil {
			return nil, err
		}
		bs = append(bs, b)
	}
	return bs, nil
}

func (m *metadata) taskBound(ctx context.Context, f fixed, use map[string]usage, own Figure) (bound, error) {
	var t task // again: containers come and go
	if err := m.get(ctx, "/task", &t); err != nil {
		return bound{}, err
	}
	others, err := t.others(f.id, use)
	if err != nil {
		return bound{}, err
	}
	note := "ECS task"
	if others > 0 {
		note = fmt.Sprintf("ECS task of %s less %s of its other containers", mib(f.task), mib(others))
	}
	return bound{Known(less(f.task, others), note), own}, nil
}

// limits asks for what is fixed, once.
func (m *metadata) limits(ctx context.Context) (fixed, error) {
	if f := m.fixed.Load(); f != nil {
		return *f, nil
	}
	var c container
	if err := m.get(ctx, "", &c); err != nil {
		return fixed{}, err
	}
	var t task
	if err := m.get(ctx, "/task", &t); err != nil {
		return fixed{}, err
	}
	if c.DockerID == "" {
		return fixed{}, errors.New("ECS metadata does not name this container")
	}
	f := fixed{id: c.DockerID, container: c.Limits.bytes(), task: t.Limits.bytes()}
	m.fixed.Store(&f) // two at once store the same
	return f, nil
}

func (m *metadata) get(ctx context.Context, path string, answer any) (err error) {
	defer func() {
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
		if err != nil {
			err = fmt.Errorf("ask ECS metadata for %s: %w", "${ECS_CONTAINER_METADATA_URI_V4}"+path, err)
		}
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(m.uri, "/")+path, nil)
	if err != nil {
		return err
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answered %s", resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, metadataSize)).Decode(answer)
}
