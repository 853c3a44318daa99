package crashtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/logtest"
)

// node is a process of provhub serve.
type node struct {
	c     *cluster
	cmd   *exec.Cmd
	url   string      // where it listens
	log   logtest.Log // of what it prints
	ended chan error
}

// start starts a node that reaches the database by an URL, and waits until it serves.
func (c *cluster) start(state string) *node {
	c.t.Helper()
	n := &node{c: c, ended: make(chan error, 1)}
	n.cmd = exec.Command(provhub(c.t), "serve", "--config", c.path("provhub.yaml"), "--state-url", state, "--listen", "127.0.0.1:0", "--log-level", "info")
	out, err := n.cmd.StdoutPipe()
	require.NoError(c.t, err)
	n.cmd.Stderr = n.cmd.Stdout
	require.NoError(c.t, n.cmd.Start())
	serving := make(chan string, 1)
	go func() {
		for r := bufio.NewScanner(out); r.Scan(); {
			fmt.Fprintln(&n.log, r.Text())
			if _, at, ok := strings.Cut(r.Text(), "Serving acme at "); ok {
				serving <- strings.SplitN(at, ": ", 2)[0]
			}
		}
		n.ended <- n.cmd.Wait()
	}()
	c.t.Cleanup(func() {
		_ = n.cmd.Process.Kill() // it may have ended
		if c.t.Failed() {
			c.t.Logf("node %d:\n%s", n.pid(), &n.log)
		}
	})
	select {
	case n.url = <-serving:
	case err := <-n.ended:
		c.t.Fatalf("the node did not begin: %v\n%s", err, &n.log)
	case <-time.After(patience):
		c.t.Fatal("the node did not begin")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = append(c.nodes, n)
	return n
}

func (n *node) pid() int { return n.cmd.Process.Pid }

// kill ends the node at once and returns when that was.
func (n *node) kill() time.Time {
	n.c.t.Helper()
	n.c.forget(n)
	at := time.Now()
	require.NoError(n.c.t, n.cmd.Process.Kill())
	<-n.ended
	return at
}

// stop ends the node in an orderly way.
func (n *node) stop() {
	n.c.t.Helper()
	n.c.forget(n)
	require.NoError(n.c.t, n.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-n.ended:
		require.NoError(n.c.t, err, "it did not end in an orderly way")
	case <-time.After(patience):
		n.c.t.Fatal("the node did not end")
	}
}

func (c *cluster) forget(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = slices.DeleteFunc(slices.Clone(c.nodes), func(x *node) bool { return x == n })
}

// pushMax is how long a push waits for a node that may have lost its database.
const pushMax = 5 * time.Second

// push tells a node of one person, and returns what it answered within a time; the error
// is that it did not carry it out.
func (n *node) push(p person, within time.Duration) (answer string, err error) {
	body, err := json.Marshal(map[string]any{"record": map[string]any{
		"id": p.ID, "login": p.Login, "title": p.Title, "manager": p.Manager, "roles": strings.Join(p.Roles, ";"), "status": p.Status}})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(n.c.t.Context(), within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url+"/v1/sources/hr/push", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+pushToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("push: %s", b)
	}
	return string(b), err
}
