package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
)

// Person is one identity as people look it up.
type Person struct {
	identity.Key
	State       identity.State      `json:"state"`
	DueAt       time.Time           `json:"due_at,omitzero"`
	FirstSeen   time.Time           `json:"first_seen"`
	AbsentSince time.Time           `json:"absent_since,omitzero"`
	Position    string              `json:"position"`
	Attributes  identity.Attributes `json:"attributes"`
	Reference   string              `json:"reference,omitempty"`
	// Hold is the legal hold that they are under; nil: none.
	Hold *identity.Hold `json:"hold,omitempty"`
}

// AccountView is an account with the operation that is open on it.
type AccountView struct {
	identity.Account
	Open *store.OpRow `json:"open,omitempty"`
}

// Whose splits "hr/1001" into a source of the config and an anchor in it. Without one,
// source is "" and all of text the anchor.
func (h *Hub) Whose(text string) (source, anchor string) {
	if source, anchor, ok := strings.Cut(text, "/"); ok && h.cfg.Source(source) != nil {
		return source, anchor
	}
	return "", text
}

// Person finds the one identity that text names: by anchor, "hr/1001" where several
// sources have it, else by the value of an attribute. The error says what to do when
// there is none or several.
func (h *Hub) Person(ctx context.Context, text string) (Person, error) {
	source, anchor := h.Whose(text)
	found, err := h.org.FindIdentities(ctx, anchor, 11)
	found = slices.DeleteFunc(found, func(i identity.Identity) bool { return source != "" && i.Source != source })
	switch {
	case err != nil:
		return Person{}, err
	case len(found) == 0:
		return Person{}, &UsageError{fmt.Sprintf("nobody has the anchor or an attribute %q; known is who was in the last reading, and nobody new whose record was bad: `provhub plan` lists those", text)}
	case len(found) > 1:
		anchors := make([]string, len(found))
		for i, f := range found {
			anchors[i] = f.Source + "/" + f.Anchor
		}
		return Person{}, &UsageError{fmt.Sprintf("%q fits several: %s; give one of these", text, strings.Join(anchors, ", "))}
	}
	id := found[0]
	if err := h.addGroups(ctx, &id); err != nil {
		return Person{}, err
	}
	if err := h.resolve(ctx, &id); err != nil {
		return Person{}, err
	}
	return personOf(id), nil
}

func personOf(id identity.Identity) Person {
	return Person{
		Key: id.Key, State: id.State, DueAt: id.DueAt, FirstSeen: id.FirstSeen, AbsentSince: id.AbsentSince,
		Position: id.Position, Attributes: id.Attributes, Reference: id.Reference, Hold: id.Hold,
	}
}

// Accounts returns what is known of a person's accounts, by connector; only
// restricts it to one connector.
func (h *Hub) Accounts(ctx context.Context, p Person, only string) ([]AccountView, error) {
	if only != "" {
		if _, err := h.Connector(only); err != nil {
			return nil, err
		}
	}
	accounts, err := h.org.Accounts(ctx, p.Source, p.Kind, []string{p.Anchor})
	if err != nil {
		return nil, err
	}
	open, err := h.org.Operations(ctx, store.OpFilter{Source: p.Source, Anchor: p.Anchor, Connector: only})
	if err != nil {
		return nil, err
	}
	views := map[string]*AccountView{}
	for key, acc := range accounts {
		if only == "" || key.Connector == only {
			views[key.Connector] = &AccountView{Account: acc}
		}
	}
	for i, op := range open {
		if op.AccountKey.Kind != p.Kind {
			continue
		}
		if views[op.Connector] == nil {
			views[op.Connector] = &AccountView{Account: identity.Account{AccountKey: op.AccountKey}}
		}
		views[op.Connector].Open = &open[i]
	}
	out := make([]AccountView, 0, len(views))
	for _, v := range views {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b AccountView) int { return strings.Compare(a.Connector, b.Connector) })
	return out, nil
}

// AnchorOf returns the anchor of the person that text names, as in [Hub.Person], and
// the source where text or the person tells it. An anchor that operations were made for
// is one, also of somebody who is not known any more.
func (h *Hub) AnchorOf(ctx context.Context, text string) (source, anchor string, err error) {
	source, anchor = h.Whose(text)
	all := append(slices.Clone(store.OpenStates), store.OpDone, store.OpSuperseded, store.OpSkipped)
	ops, err := h.org.Operations(ctx, store.OpFilter{Source: source, Anchor: anchor, States: all, Limit: 1})
	if err != nil || len(ops) > 0 {
		return source, anchor, err
	}
	p, err := h.Person(ctx, text)
	return p.Source, p.Anchor, err
}
