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
			p.left = append(p.left, leftover{Type: string(m.t), ID: m.id, Name: m.name, Why: why})
		}
	}
}

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
	a, err := p.send(ctx, client.Request{Op: client.OpDelete, Type: m.t, Method: http.MethodDelete, Path: path})
	if err != nil || !a.ok() && !errors.Is(a.err, connector.Unchanged) {
		return "deleting it failed: " + connector.AsError(errors.Join(err, a.err)).Message
	}
	return p.stillThere(ctx, m)
}

// lookUp finds something whose create got no answer, or one without an id.
func (p *prober) lookUp(ctx context.Context, m *synthetic) (client.Resource, error) {
	for wait := time.Second; ; wait *= 2 {
		r, err := p.Client.Find(ctx, m.t, naming(m.t), m.name, client.Selection{})
		if !connector.IsCode(err, connector.CodeNotFound) || wait > 8*time.Second {
			return r, err
		}
		if pause(ctx, wait) != nil {
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
