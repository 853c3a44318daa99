// Package naive is a target that does what it is told and no more than a
// connector must: without [connector.Call.MaybeApplied] it writes blindly, makes
// a second account of the same name and grants what is granted already. Every
// effect is a line in a journal, so that a write which the hub repeats without
// saying so shows.
package naive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Config is the config of an instance.
type Config struct {
	Journal string `json:"journal" doc:"File to which every effect is appended"`
	Trap    string `json:"trap,omitempty" doc:"File that says at which write to fail, see Trap; it need not be there"`
	Calls   string `json:"calls,omitempty" doc:"File to which every write is appended when it begins, see Call"`
	// Latency is time in which a write can be cancelled or its process be killed.
	Latency connector.Duration `json:"latency,omitempty" doc:"How long a write takes before it takes effect"`
}

// Trap lets one write go wrong, once. It is a JSON file.
type Trap struct {
	// Nth is the write, counted from 1 since the process began.
	Nth int `json:"nth"`
	// Crash kills the process, else the write hangs; After: once it took effect.
	Crash bool `json:"crash"`
	After bool `json:"after"`
}

// Definition describes the connector type.
var Definition = connector.Define(connector.Spec[Config]{
	Type: "naive", DisplayName: "Naive", Version: "1.0.0", MaxInFlight: 4,
	Open: func(_ context.Context, c Config, _ connector.Instance) (connector.Target, error) {
		return &target{cfg: c, journal: journal{path: c.Journal}, node: os.Getppid()}, nil
	},
})

type target struct {
	cfg     Config
	journal journal
	node    int // process number of the hub; after its death the system would name another
	writes  atomic.Int64
}

// Schema implements [connector.Target].
func (t *target) Schema(context.Context) (connector.Schema, error) {
	return connector.Schema{
		{Name: "user", Kind: connector.KindAccount, Correlation: []string{"externalId"}, Grants: []string{"role"}, Attributes: []connector.Attr{
			{Name: "externalId", Required: true, Unique: true, CaseExact: true}, {Name: "login", Required: true}, {Name: "title"},
			{Name: "manager", Type: connector.TypeReference, RefersTo: "user"},
		}},
		{Name: "role", Kind: connector.KindEntitlement},
	}, nil
}

// Check implements [connector.Target].
func (t *target) Check(context.Context) error { return nil }

// write makes one effect unless the trap is sprung. With MaybeApplied, seen
// tells whether it was made before.
func (t *target) write(ctx context.Context, op connector.Operation, seen func(map[string]*connector.Object) bool, make func([]Effect) Effect) error {
	if err := t.begin(op); err != nil {
		return err
	}
	if err := t.linger(ctx); err != nil {
		return err
	}
	trap := t.spring()
	if trap != nil && !trap.After {
		return trap.close(ctx)
	}
	unchanged := false
	err := t.journal.locked(func(effects []Effect) (*Effect, error) {
		if unchanged = op.Meta().MaybeApplied && seen(Accounts(effects)); unchanged {
			return nil, nil
		}
		e := make(effects)
		e.Verb, e.Operation, e.Attempt = op.Verb(), op.Meta().ID, op.Meta().Attempt
		return &e, nil
	})
	switch {
	case err != nil:
		return err
	case trap != nil:
		return trap.close(ctx)
	case unchanged:
		return connector.Unchanged
	}
	return nil
}

// linger takes the time that a write takes.
func (t *target) linger(ctx context.Context) error {
	if t.cfg.Latency == 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(t.cfg.Latency))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// spring takes the trap away when this write is the one it is set for.
func (t *target) spring() *Trap {
	n := t.writes.Add(1)
	b, err := os.ReadFile(t.cfg.Trap)
	if err != nil {
		return nil
	}
	var trap Trap
	if json.Unmarshal(b, &trap) != nil || int64(trap.Nth) != n {
		return nil
	}
	// Whoever waits for the trap sees that it is gone.
	if os.Rename(t.cfg.Trap, t.cfg.Trap+".sprung") != nil {
		return nil
	}
	return &trap
}

func (t *Trap) close(ctx context.Context) error {
	if t.Crash {
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			return err
		}
		select {}
	}
	<-ctx.Done()
	return ctx.Err()
}

// Create implements [connector.Creator].
func (t *target) Create(ctx context.Context, c connector.Create) (ref connector.Ref, err error) {
	anchor := c.Attributes.Text("externalId")
	err = t.write(ctx, c, func(all map[string]*connector.Object) bool {
		for id, o := range all {
			if o.Attributes.Text("externalId") == anchor {
				ref.ID = id
				return true
			}
		}
		return false
	}, func(effects []Effect) Effect {
		n := 1
		for _, e := range effects {
			if e.Verb == connector.VerbCreate {
				n++
			}
		}
		ref.ID = fmt.Sprint("u", n)
		return Effect{ID: ref.ID, Anchor: anchor, Attributes: c.Attributes, Enabled: c.Enabled}
	})
	return ref, err
}

// Update implements [connector.Updater].
func (t *target) Update(ctx context.Context, u connector.Update) error {
	var as connector.Attributes
	for _, c := range u.Changes {
		as = append(as, connector.Attribute{Name: c.Name, Values: c.Replace})
	}
	return t.write(ctx, u, func(all map[string]*connector.Object) bool {
		return all[u.Target.ID] != nil && !slices.ContainsFunc(as, func(a connector.Attribute) bool {
			return all[u.Target.ID].Attributes.Text(a.Name) != as.Text(a.Name)
		})
	}, func([]Effect) Effect { return Effect{ID: u.Target.ID, Attributes: as} })
}

// SetEnabled implements [connector.Enabler].
func (t *target) SetEnabled(ctx context.Context, s connector.SetEnabled) error {
	to := connector.EnabledIf(s.Enabled)
	return t.write(ctx, s, func(all map[string]*connector.Object) bool {
		return all[s.Target.ID] != nil && all[s.Target.ID].Enabled == to
	}, func([]Effect) Effect { return Effect{ID: s.Target.ID, Enabled: to} })
}

// Delete implements [connector.Deleter].
func (t *target) Delete(ctx context.Context, d connector.Delete) error {
	return t.write(ctx, d, func(all map[string]*connector.Object) bool { return all[d.Target.ID] == nil },
		func([]Effect) Effect { return Effect{ID: d.Target.ID} })
}

// Grant implements [connector.Granter].
func (t *target) Grant(ctx context.Context, g connector.Grant) error {
	return t.write(ctx, g, func(all map[string]*connector.Object) bool { return holds(all[g.Principal.ID], g.Entitlement.ID) },
		func([]Effect) Effect {
			return Effect{ID: g.Principal.ID, Entitlement: g.Entitlement.ID}
		})
}

// Revoke implements [connector.Granter].
func (t *target) Revoke(ctx context.Context, r connector.Revoke) error {
	return t.write(ctx, r, func(all map[string]*connector.Object) bool { return !holds(all[r.Principal.ID], r.Entitlement.ID) },
		func([]Effect) Effect {
			return Effect{ID: r.Principal.ID, Entitlement: r.Entitlement.ID}
		})
}

func holds(o *connector.Object, role string) bool {
	return o != nil && slices.ContainsFunc(o.Grants, func(r connector.Ref) bool { return r.ID == role })
}

// Get implements [connector.Getter].
func (t *target) Get(_ context.Context, ref connector.Ref, _ []string) (connector.Object, error) {
	var found []*connector.Object
	err := t.journal.locked(func(effects []Effect) (*Effect, error) {
		for id, o := range Accounts(effects) {
			if ref.ID == id || ref.ID == "" && o.Attributes.Text(ref.By.Attribute) == ref.By.Value {
				found = append(found, o)
			}
		}
		return nil, nil
	})
	switch {
	case err != nil:
		return connector.Object{}, err
	case len(found) == 0:
		return connector.Object{}, connector.Errorf(connector.CodeNotFound, "no such account")
	case len(found) > 1:
		return connector.Object{}, connector.Errorf(connector.CodeAmbiguous, "%d accounts", len(found))
	}
	return *found[0], nil
}

// List implements [connector.Lister].
func (t *target) List(_ context.Context, _ connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	var errs []error
	err := t.journal.locked(func(effects []Effect) (*Effect, error) {
		for _, o := range Accounts(effects) {
			errs = append(errs, yield(*o))
		}
		return nil, nil
	})
	return connector.ListEnd{Complete: true}, errors.Join(append(errs, err)...)
}
