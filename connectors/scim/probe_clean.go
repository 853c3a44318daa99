package scim

import (
	"context"
	"errors"
	"net/http"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// synthetic is something that the probe made, or may have made.
type synthetic struct {
	t     client.ResourceType
	id    string // "" until the service tells
	name  string // userName or displayName
	ended bool   // removed, as far as the service removes
}

// remember notes what is about to be made, before the request leaves: whatever
// becomes of the answer, it will be looked for.
func (p *prober) remember(t client.ResourceType, name string) *synthetic {
	m := &synthetic{t: t, name: name}
	p.made = append(p.made, m)
	return m
}

// naming is the attribute that a type's objects are known by.
func naming(t client.ResourceType) string {
	if t == client.Groups {
		return "displayName"
	}
	return "userName"
}

// cleanUp removes what was made, the last first, and names what stays.
func (p *prober) cleanUp(ctx context.Context) {
	for i := len(p.made) - 1; i >= 0; i-- {
		m := p.made[i]
		if m.ended {
			continue
		}
		if why := p.remove(ctx, m); why != "" {
			if m.t == client.Users && m.id != "" && p.deactivate(ctx, m) {
				why += "; it is deactivated"
			}
			p.left = append(p.left, leftover{Type: string(m.t), ID: m.id, Name: m.name, Why: why})
		}
	}
}

// deactivate makes sure that nobody can use an account that stays, by PATCH or
// by PUT.
func (p *prober) deactivate(ctx context.Context, m *synthetic) bool {
	off := any(false)
	switch p.is("bool_style", p.Profile().BoolStyle) {
	case client.BoolStringTrue:
		off = "False"
	case client.BoolStringLow:
		off = "false"
	}
	if a, err := p.patchItem(ctx, m, "", map[string]any{"op": p.op("replace"), "path": "active", "value": off}); err == nil && a.ok() {
		return true
	}
	r, err := p.Client.Get(ctx, m.t, m.id, client.Selection{})
	if err != nil {
		return false
	}
	r["active"] = off
	path, err := p.Profile().Item(m.t, m.id)
	if err != nil {
		return false
	}
	a, err := p.send(ctx, client.Request{Op: client.OpUpdate, Type: m.t, Method: http.MethodPut, Path: path, Body: r})
	return err == nil && a.ok()
}

// removeTries is how often a delete is sent whose answer did not come.
const removeTries = 3

// remove deletes one object. why says why it is still there, "" when it is not.
func (p *prober) remove(ctx context.Context, m *synthetic) (why string) {
	if m.id == "" {
		r, err := p.lookUp(ctx, m)
		switch {
		case connector.IsCode(err, connector.CodeNotFound):
			return ""
		case err != nil:
			return "it may have been made, and cannot be looked for: " + connector.AsError(err).Message
		}
		m.id = r.ID()
	}
	path, err := p.Profile().Item(m.t, m.id)
	if err != nil {
		return err.Error()
	}
	for try := 1; ; try++ {
		a, err := p.send(ctx, client.Request{Op: client.OpDelete, Type: m.t, Method: http.MethodDelete, Path: path})
		switch {
		case a.ok() || errors.Is(a.err, connector.Unchanged):
			return p.stillThere(ctx, m)
		case err == nil || try == removeTries || ctx.Err() != nil:
			return "deleting it failed: " + connector.AsError(a.err).Message
		}
	}
}

// lookUp finds something whose create got no answer, or one without an id. It
// looks until the service must show what was written.
func (p *prober) lookUp(ctx context.Context, m *synthetic) (client.Resource, error) {
	until := time.Now().Add(max(time.Second, 2*time.Duration(p.Profile().ReadAfterWrite)))
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		r, err := p.Client.Find(ctx, m.t, naming(m.t), m.name, client.Selection{})
		if !connector.IsCode(err, connector.CodeNotFound) || time.Now().After(until) || pause(ctx, wait) != nil {
			return r, err
		}
	}
}

// stillThere reads what was deleted.
func (p *prober) stillThere(ctx context.Context, m *synthetic) (why string) {
	r, err := p.Client.Get(ctx, m.t, m.id, client.Selection{})
	active, known := r.Active()
	switch {
	case err != nil:
		return "" // not readable any more
	case known && !active:
		return "the service keeps deleted accounts, deactivated"
	}
	return "the service shows it after the delete"
}
