package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// pushToken is what callers of the push API show.
const pushToken = "benchmark-push-token"

// node is a process of provhub serve.
type node struct {
	site  *site
	cmd   *exec.Cmd
	url   string
	ended chan error
	http  http.Client
}

// serve starts a node of a site, which says what it does in a file called name, and
// waits until it serves.
func (s *site) serve(ctx context.Context, name string) (*node, error) {
	log, err := os.Create(s.path(name + ".log"))
	if err != nil {
		return nil, err
	}
	n := &node{site: s, ended: make(chan error, 1), http: http.Client{Timeout: time.Minute}}
	n.cmd = exec.CommandContext(ctx, filepath.Join(s.b.bin, "provhub"), "serve", "--listen", "127.0.0.1:0")
	n.cmd.Dir, n.cmd.Env, n.cmd.Stderr = s.dir, append(os.Environ(), s.env...), log
	out, err := n.cmd.StdoutPipe()
	if err == nil {
		err = n.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	r := bufio.NewReader(out)
	line, rerr := r.ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, r) // it says nothing more
		n.ended <- errors.Join(n.cmd.Wait(), log.Close())
	}()
	_, at, ok := strings.Cut(line, " at ")
	if rerr != nil || !ok {
		_ = n.cmd.Process.Kill() // it may have ended
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("provhub serve does not begin: %w\n%s", errors.Join(rerr, <-n.ended), tail(said))
	}
	n.url, _, _ = strings.Cut(at, ": ")
	return n, nil
}

// stop ends the node in an orderly way.
func (n *node) stop() error {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-n.ended
}

// kill ends the node at once.
func (n *node) kill() {
	_ = n.cmd.Process.Kill() // it may have ended
	<-n.ended
}

// push tells the node of one row of the source.
func (n *node) push(ctx context.Context, row string) error {
	record := map[string]string{}
	values := strings.Split(row, ",")
	for i, column := range strings.Split(strings.TrimSpace(header), ",") {
		record[column] = values[i]
	}
	body, err := json.Marshal(map[string]any{"record": record})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/v1/sources/hr/push", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+pushToken)
	_, err = n.do(r)
	return err
}

// get reads a page.
func (n *node) get(ctx context.Context, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url+path, nil)
	if err != nil {
		return nil, err
	}
	return n.do(r)
}

func (n *node) do(r *http.Request) ([]byte, error) {
	resp, err := n.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s\n%s", r.Method, r.URL.Path, resp.Status, tail(b))
	}
	return b, err
}
