package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// atOnce is how many idle connections are being opened at a time: many of them would show what a burst needs.
const atOnce = 8

// rest is given to those who have just worked, to tidy up.
const rest = time.Second

// holding is the memory of a proxy before it holds idle connections, and with them.
type holding struct {
	connections  int
	before, with memory
}

// idle opens connections that have had one answer each, and then do nothing.
func (r *running) idle(ctx context.Context, n int) (h holding, err error) {
	if err := sleep(ctx, rest); err != nil {
		return h, err
	}
	if h.before, err = memoryOf(r.proxyPIDs); err != nil || n == 0 {
		return h, err
	}
	conns, err := openAll(r.addr, n)
	defer func() {
		for _, c := range conns {
			_ = c.SetLinger(0) // no port must wait for its end
			_ = c.Close()
		}
	}()
	if err != nil {
		return h, fmt.Errorf("%s: %d idle connections: %w", r.name, len(conns), err)
	}
	if err := sleep(ctx, rest); err != nil {
		return h, err
	}
	h.connections = n
	h.with, err = memoryOf(r.proxyPIDs)
	return h, err
}

func openAll(addr string, n int) (conns []*net.TCPConn, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for {
				mu.Lock()
				enough := len(conns) >= n || err != nil
				mu.Unlock()
				if enough {
					return
				}
				c, failure := openOne(addr)
				mu.Lock()
				if failure != nil {
					err = failure
				} else {
					conns = append(conns, c)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return conns, err
}

func openOne(addr string) (*net.TCPConn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", addr); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1<<10), nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return c.(*net.TCPConn), err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
