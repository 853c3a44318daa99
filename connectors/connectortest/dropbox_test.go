package connectortest

import (
	"context"
	"sync"

	"github.com/provhub/provhub/connectors/connector"
)

// dropBox takes users and tells nothing about them.
type dropBox struct {
	mu    sync.Mutex
	names map[string]string // name → key
}

func openDropBox(context.Context, struct{}, connector.Instance) (connector.Target, error) {
	return &dropBox{names: map[string]string{}}, nil
}

func (d *dropBox) Schema(context.Context) (connector.Schema, error) {
	return connector.Schema{{Name: "user", Kind: connector.KindAccount, Correlation: []string{"name"},
		Attributes: []connector.Attr{{Name: "name", Required: true, Unique: true}}}}, nil
}

func (d *dropBox) Check(context.Context) error { return nil }

func (d *dropBox) Create(_ context.Context, c connector.Create) (connector.Ref, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := c.Attributes.Text("name")
	if name == "" {
		return connector.Ref{}, &connector.Error{Code: connector.CodeInvalidValue, Message: "a user needs a name", Attributes: []string{"name"}}
	}
	ref := connector.Ref{Type: "user", ID: "u-" + name}
	if key, there := d.names[name]; there && key != c.Key {
		if c.Adopt {
			return ref, connector.Adopted(connector.Object{Ref: ref})
		}
		return connector.Ref{}, &connector.Error{Code: connector.CodeAlreadyExists, Message: "there is a user of this name", Conflicting: &ref}
	}
	d.names[name] = c.Key
	return ref, nil
}
