package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

//go:embed app.js
var nodeApp []byte

// app is what stands behind the proxies. It listens on the port PORT and on the unix socket SOCKET.
type app struct {
	name string
	// command makes what runs it in dir.
	command func(dir string) ([]string, error)
}

// apps are a Node server, and one that costs so little that the proxy is what is seen.
func apps() []app {
	return []app{
		{"node", func(dir string) ([]string, error) {
			return []string{"node", "app.js"}, os.WriteFile(filepath.Join(dir, "app.js"), nodeApp, 0o644)
		}},
		{"fast", func(string) ([]string, error) {
			self, err := os.Executable()
			return []string{self, backendVerb}, err
		}},
	}
}

// answers waits until what listens at addr answers as the app does, on all its paths.
func answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, fmt.Errorf("nothing answers at %s", addr))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		small, err := ask(ctx, client, addr, get)
		large, err2 := ask(ctx, client, addr, down)
		if err == nil && err2 == nil && small == 13 && large == mebibyte {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %d and %d bytes, %v", context.Cause(ctx), small, large, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ask returns the size of an answer.
func ask(ctx context.Context, client *http.Client, addr string, k kind) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+k.path(), nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s", addr, resp.Status)
	}
	return io.Copy(io.Discard, resp.Body)
}
