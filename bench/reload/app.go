package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// commits are the two that reloads go back and forth between.
var commits = []string{"v1", "v2"}

func other(commit string) string {
	if commit == "v1" {
		return "v2"
	}
	return "v1"
}

// makeApps puts a folder for each commit of the app into dir. The artificial time to start is one in which the app
// neither answers nor uses the processor, as when it loads its modules from a slow disk.
func makeApps(app, dir string, startup time.Duration) error {
	for _, commit := range commits {
		to := filepath.Join(dir, commit)
		if err := os.CopyFS(to, os.DirFS(app)); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, "commit.txt"), []byte(commit+"\n"), 0o644); err != nil {
			return err
		}
		if startup == 0 {
			continue
		}
		server := filepath.Join(to, "server.js")
		text, err := os.ReadFile(server)
		if err != nil {
			return err
		}
		wait := fmt.Sprintf("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, %d)\n", startup.Milliseconds())
		if err := os.WriteFile(server, append([]byte(wait), text...), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// coldStart is the time from the start of `node server.js` to its first answer, with nothing before it.
func coldStart(ctx context.Context, dir string) (time.Duration, error) {
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	cmd := launch(ctx, filepath.Join(dir, "v1"), "node", "server.js")
	cmd.Env = append(os.Environ(), "PORT="+port)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	err = answers(ctx, "127.0.0.1:"+port, "v1")
	return time.Since(start), err
}

// answers waits until this commit of the app answers at addr.
func answers(ctx context.Context, addr, commit string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, fmt.Errorf("%s does not answer at %s", commit, addr))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		if got, err := ask(ctx, client, addr); err == nil && got == commit {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// ask asks the app which commit it runs.
func ask(ctx context.Context, client *http.Client, addr string) (commit string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	return decodeCommit(io.LimitReader(resp.Body, 1<<10))
}
