package crashtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// childEnv makes this binary a hub: it holds the JSON of an order.
const childEnv = "PROVHUB_CRASHTEST_ORDER"

// order is what a child does: one sync, and where it dies.
type order struct {
	Config string `json:"config"`
	// Commit is the commit to die at, from 1; 0: none. After: once it is on disk.
	Commit int  `json:"commit"`
	After  bool `json:"after"`
}

// pluginsDir holds the plugin binaries.
var pluginsDir string

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(child(text))
	}
	os.Exit(parent(m))
}

func parent(m *testing.M) int {
	dir, err := os.MkdirTemp("", "provhub-crashtest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	pluginsDir = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
		"./internal/provhub-connector-naive", "../../plugins/provhub-connector-memory")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugins: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// child is the hub that gets killed.
func child(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := o.sync(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (o order) sync(ctx context.Context) error {
	h, err := open(ctx, o.Config, o.hooks()...)
	if err != nil {
		return err
	}
	r, err := h.Sync(ctx, hub.PlanOptions{}, hub.DrainOptions{Wait: 20 * time.Second})
	if err != nil {
		return err
	}
	for _, d := range r.Drained {
		if d.Open > 0 || d.Problem != "" {
			ops, err := h.State().Operations(ctx, store.OpFilter{})
			for _, op := range ops {
				err = errors.Join(err, fmt.Errorf("%s of %s is %s: %v", op.Operation.Kind, op.Anchor, op.State, op.LastError))
			}
			return errors.Join(fmt.Errorf("not all is done: %+v", d), err)
		}
	}
	for _, p := range r.Plans {
		if p.Status == store.PlanHeld {
			return fmt.Errorf("a guard holds the plan: %+v", p.Plan.Verdicts)
		}
	}
	return h.Close()
}

func (o order) hooks() []store.Option {
	die := func(n int) {
		if n == o.Commit {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if o.After {
		return []store.Option{store.WithCommittedHook(func(n int, _ string) { die(n) })}
	}
	return []store.Option{store.WithCommitHook(func(n int, _ string) error { die(n); return nil })}
}

func open(ctx context.Context, path string, opts ...store.Option) (*hub.Hub, error) {
	cfg, err := config.Load(path, config.Settings{})
	if err != nil {
		return nil, err
	}
	return hub.Open(ctx, cfg, hub.Options{Actor: "crashtest", Store: opts, ReadLag: 50 * time.Millisecond})
}
