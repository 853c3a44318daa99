package alert

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/store"
)

const (
	// tellAtOnce bounds how many messages are sent in one go.
	tellAtOnce = 100
	// tellFirst and tellMax are the waits before a message is sent again; after tellFor it
	// is given up: what it says is long past.
	tellFirst = 5 * time.Second
	tellMax   = 10 * time.Minute
	tellFor   = 24 * time.Hour
)

// Tell sends what is due, on all ways side by side, each in order.
func (d *Desk) Tell(ctx context.Context) error {
	h := d.n.Hub()
	due, err := h.State().Notices(ctx, h.Now(), tellAtOnce)
	if err != nil {
		return err
	}
	byRoute := map[string][]store.Notice{}
	for _, n := range due {
		byRoute[n.Route] = append(byRoute[n.Route], n)
	}
	routes := d.routesOf(h.Config())
	var wg sync.WaitGroup
	errs := make(chan error, len(byRoute))
	for name, notices := range byRoute {
		wg.Go(func() { errs <- d.tellOn(ctx, routes.byName(name), notices) })
	}
	wg.Wait()
	close(errs)
	for e := range errs {
		if err == nil {
			err = e
		}
	}
	return err
}

// tellOn sends the messages of one way; nil: the config does not have it any more. After
// one that fails the others wait for the next time, so that they come in order.
func (d *Desk) tellOn(ctx context.Context, r *route, notices []store.Notice) error {
	state, now := d.n.Hub().State(), d.n.Hub().Now()
	for _, n := range notices {
		err := errNoWay
		var m Message
		if r != nil {
			if err = json.Unmarshal([]byte(n.Body), &m); err == nil {
				err = r.send(ctx, &m, []byte(n.Body))
			}
		}
		if ctx.Err() != nil {
			return nil // whether it was taken is not known: it is sent again
		}
		switch {
		case err == nil:
			d.log.Info("people were told", "route", n.Route, "event", m.Event, "condition", m.Condition, "subject", m.Subject, "id", n.ID)
			if err := state.EndNotice(ctx, n); err != nil {
				return err
			}
			continue
		case r == nil || now.Sub(n.CreatedAt) > tellFor:
			d.log.Error("people were not told, and will not be", "route", n.Route, "id", n.ID, "error", err)
			if err := state.EndNotice(ctx, n); err != nil {
				return err
			}
			continue
		}
		if n.Tries == 0 {
			d.log.Warn("people could not be told; it is tried again", "route", n.Route, "id", n.ID, "error", err)
		}
		n.LastError, n.NextAt = err.Error(), now.Add(min(tellFirst<<min(n.Tries, 16), tellMax))
		return state.PutOffNotice(ctx, n)
	}
	return nil
}

var errNoWay = errors.New("the config has no such way any more")

// Test is how a test of one way went.
type Test struct {
	Route string `json:"route"`
	Error string `json:"error,omitempty"`
}

// TestRoutes sends a message on each way, or on the one called only, and says how it went.
func TestRoutes(ctx context.Context, cfg *config.Config, only string, now time.Time) ([]Test, error) {
	routes, err := NewRoutes(cfg)
	if err != nil {
		return nil, err
	}
	defer routes.Close()
	m := Message{Event: Tested, Org: cfg.Org, Condition: "test", Subject: "provhub", Severity: Critical, Since: now.UTC(), At: now.UTC(),
		Summary: "This is a test: somebody ran `provhub alert test`.", Do: "Nothing is to be done.",
		Alert: digest(cfg.Org, "test"), ID: digest(cfg.Org, "test", now.String())}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out []Test
	for _, r := range routes.all {
		if only != "" && r.Name != only {
			continue
		}
		t := Test{Route: r.Name}
		if err := r.send(ctx, &m, body); err != nil {
			t.Error = err.Error()
		}
		out = append(out, t)
	}
	return out, nil
}
