package connectortest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// usage is what a plugin holds.
type usage struct {
	goroutines, files int
	heap              int64
}

func (e *Env) usage(ctx context.Context) (usage, error) {
	h, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{})
	if err != nil {
		return usage{}, fmt.Errorf("Health: %w", err)
	}
	u := usage{goroutines: int(h.GetGoroutines()), heap: h.GetHeapBytes(), files: -1}
	if pid := e.run.pid(); pid != 0 {
		u.files = openFiles(pid)
	}
	return u, nil
}

// round opens the instance, carries out n operations and releases it.
func (e *Env) round(ctx context.Context, n int) error {
	if err := e.open(ctx); err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	for sent := 0; sent < n; {
		var ops []connector.Operation
		for len(ops) < min(500, n-sent) {
			life, err := e.life(ctx, t)
			if err != nil {
				return err
			}
			ops = append(ops, life...)
		}
		if _, err := e.do(ctx, ops...); err != nil {
			return err
		}
		sent += len(ops)
	}
	err = e.stream.halfClose(time.Minute)
	e.stream.close()
	e.stream = nil
	_, rerr := e.run.rpc().Release(ctx, &pluginv1.ReleaseRequest{InstanceId: e.instance})
	return errors.Join(err, rerr)
}

func nothingLeft(ctx context.Context, e *Env) error {
	if err := e.round(ctx, 100); err != nil { // to warm up
		return err
	}
	base, err := e.usage(ctx)
	if err != nil {
		return err
	}
	if err := e.round(ctx, e.scaled(10_000)); err != nil {
		return err
	}
	var over string
	for began := time.Now(); time.Since(began) < patience; time.Sleep(100 * time.Millisecond) { // goroutines and garbage take a moment to go
		now, err := e.usage(ctx)
		if err != nil {
			return err
		}
		if over = now.beyond(base, e.run.pid() != 0); over == "" {
			return nil
		}
	}
	return errors.New(over)
}

// beyond says what u has too much of, 10 % and a little allowed.
func (u usage) beyond(base usage, alone bool) string {
	switch {
	case u.goroutines > base.goroutines*11/10+3:
		return fmt.Sprintf("%d goroutines are left, %d were there before", u.goroutines, base.goroutines)
	case u.files > base.files*11/10+2:
		return fmt.Sprintf("%d descriptors are open, %d were before", u.files, base.files)
	case alone && u.heap > base.heap*11/10+memoryLimit/2:
		return fmt.Sprintf("the heap holds %d MiB, %d MiB before", u.heap>>20, base.heap>>20)
	}
	return ""
}
