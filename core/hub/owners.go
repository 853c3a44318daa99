package hub

import (
	"context"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

// owners tells whose an account could be that is in no ledger: by the attributes
// that accounts are matched by, as the rules give them now. They are worked out
// when the first such account is seen.
type owners struct {
	h *Hub
	c *config.Connector

	values map[ownerKey][]identity.Key
	has    map[identity.Key]bool // with an account
}

type ownerKey struct {
	kind             identity.Kind
	attribute, value string
}

// Of implements [reconcile.Owners].
func (o *owners) Of(ctx context.Context, kind identity.Kind, obj *connector.Object) (who []identity.Key, taken bool, err error) {
	if o.values == nil {
		if err := o.work(ctx); err != nil {
			return nil, false, err
		}
	}
	for _, name := range o.match(kind) {
		for _, v := range obj.Attributes.Get(name) {
			for _, a := range o.values[ownerKey{kind, name, fold(connector.Text(v))}] {
				if !slices.Contains(who, a) {
					who = append(who, a)
				}
				taken = taken || o.has[a]
			}
		}
		if len(who) > 0 {
			break // as in planning: the first attribute that finds somebody decides
		}
	}
	return who, taken, nil
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func (o *owners) match(kind identity.Kind) []string {
	if kind == identity.Group {
		return o.c.GroupPolicy.Match
	}
	return o.c.Policy.Match
}

// work works out the values for everybody.
func (o *owners) work(ctx context.Context) error {
	o.values, o.has = map[ownerKey][]identity.Key{}, map[identity.Key]bool{}
	err := o.h.org.Holdings(ctx, o.c.Name, func(a identity.Account) error {
		o.has[a.Identity()] = true
		for _, name := range o.match(a.Kind) {
			for _, v := range a.Applied.Get(name) {
				o.add(a.Identity(), name, connector.Text(v))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range o.c.Sources {
		if err := o.workSource(ctx, o.h.cfg.Source(name)); err != nil {
			return err
		}
	}
	return nil
}

// workSource works out the values for everybody of one source.
func (o *owners) workSource(ctx context.Context, s *config.Source) error {
	fields, err := fieldsOf(o.h.cfg, s)
	if err != nil {
		return err
	}
	programs, err := compile(o.c, s, fields)
	if err != nil {
		return err
	}
	names := mapping.NewChosen(takenNames{ctx, o.h, o.c.Name, s.Name})
	return o.h.org.All(ctx, s.Name, func(id identity.Identity) error {
		program := programs[id.Kind]
		if program == nil || o.has[id.Key] {
			return nil
		}
		want, err := program.Eval(mapping.Subject{Key: id.Key, Attributes: id.Attributes, State: id.State, Now: o.h.now()}, names)
		if err != nil {
			return nil // told with every plan; whose account it is cannot be said
		}
		for _, a := range want.Attributes {
			if slices.Contains(o.match(id.Kind), a.Name) && len(a.Values) == 1 {
				o.add(id.Key, a.Name, connector.Text(a.Values[0]))
			}
		}
		return nil
	})
}

func (o *owners) add(who identity.Key, attribute, value string) {
	if value = fold(value); value == "" {
		return
	}
	k := ownerKey{who.Kind, attribute, value}
	if !slices.Contains(o.values[k], who) {
		o.values[k] = append(o.values[k], who)
	}
}
