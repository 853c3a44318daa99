package connectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// minPrefix is how long the prefix of a live run must be: what begins with it is
// deleted.
const minPrefix = 3

// errPrefix refuses a live run that would not know its own objects.
var errPrefix = fmt.Errorf("connectortest: a live run needs a prefix of %d characters or more, such as zz-: everything it makes is named so, and what is named so is deleted at the end", minPrefix)

// sweep removes what this run, or an earlier one that broke off, has left in the
// target: every object one of whose naming, unique or correlation attributes
// begins with the prefix. left names what could not be removed.
func (e *Env) sweep(ctx context.Context, prefix string) (removed int, left []string, err error) {
	for _, t := range e.Schema {
		if !e.Caps.List || !e.can(t.Name, connector.VerbDelete) {
			continue
		}
		all, _, err := e.list(ctx, connector.ListQuery{Type: t.Name})
		if err != nil {
			return removed, left, fmt.Errorf("sweep %s: %w", t.Name, err)
		}
		for _, o := range all {
			if !named(t, o, prefix) {
				continue
			}
			ref := connector.Ref{Type: t.Name, ID: o.Ref.ID}
			if _, err := e.must(ctx, connector.Delete{Call: e.call(), Target: ref}); err != nil {
				left = append(left, t.Name+" "+o.Ref.String())
				continue
			}
			removed++
		}
	}
	return removed, left, nil
}

// named reports whether an object is named with the prefix.
func named(t connector.ObjectType, o connector.Object, prefix string) bool {
	begins := func(s string) bool { return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) }
	for _, a := range t.Attributes {
		if !a.Unique && !a.Naming {
			continue
		}
		for _, v := range o.Attributes.Get(a.Name) {
			if s, ok := v.(string); ok && begins(s) {
				return true
			}
		}
	}
	return begins(o.Ref.Name)
}

// clean sweeps the target by an instance of its own.
func (s *session) clean(ctx context.Context, r *Report) error {
	e := newEnv(s.target, s.host, s.shared, "sweep", 1)
	defer e.cleanUp(context.WithoutCancel(ctx))
	if err := e.open(ctx); err != nil {
		return fmt.Errorf("connectortest: sweep: %w", err)
	}
	n, left, err := e.sweep(ctx, s.target.prefix)
	r.Swept += n
	if len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("connectortest: could not remove %s", strings.Join(left, ", ")))
	}
	return err
}
