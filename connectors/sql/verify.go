package sql

import (
	"context"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// readBack shows the rows of committed steps as the database now holds them,
// when the config asks to verify or when the version is wanted. A value that the
// database rewrote makes the step partial: writing it again would never settle
// (QUIRKS SQL-22).
func (t *Target) readBack(ctx context.Context, db *database, m *model, units []*unit, out []answers) {
	for i, u := range units {
		for k, op := range u.ops {
			r := &out[i][k]
			if r.Object == nil || !r.Outcome.Done() || op.Verb() == connector.VerbDelete {
				continue
			}
			e := m.entity(r.Object.Ref.Type)
			if !t.cfg.Verify && e.version == nil {
				continue
			}
			now, err := t.reread(ctx, db, e, r.Object.Ref.ID)
			if err != nil {
				t.log.Warn("the row was written and could not be read back", "operation_id", r.ID, "error", db.d.FaultOf(err).Error().Error())
				continue
			}
			if now == nil {
				continue // deleted by a later step of the same account, or by somebody else
			}
			t.settle(r, op, e, now)
		}
	}
}

func (t *Target) reread(ctx context.Context, db *database, e *entity, id string) (*record, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.timeout())
	defer cancel()
	snap := newSnapshot()
	l := lookup{e, e.id, id}
	if err := snap.load(ctx, db.d, direct{db}, l, false); err != nil {
		return nil, err
	}
	return exactlyOne(l, snap.rows[l])
}

// settle completes an answer with the row as it is now.
func (t *Target) settle(r *connector.Result, op connector.Operation, e *entity, now *record) {
	grants := r.Object.Grants
	o := now.object(nil)
	r.Object = &o
	r.Object.Grants = grants
	if !t.cfg.Verify || r.Outcome != connector.OutcomeApplied {
		return
	}
	var rewritten, kept []string
	for name, want := range written(op) {
		c := e.attr(name)
		if c.same(now.get(c), want) {
			kept = append(kept, name)
		} else {
			rewritten = append(rewritten, name)
		}
	}
	if len(rewritten) == 0 {
		return
	}
	r.Outcome, r.Applied = connector.OutcomePartial, kept
	r.Err = &connector.Error{Code: connector.CodePolicy, Attributes: rewritten, Message: "the target rewrites " + strings.Join(rewritten, ", ") +
		": the row was written and now holds something else there. Map what the target keeps, or make the attribute read_only"}
}

// written tells what a step wanted each single-valued attribute to be. Deltas are
// left out: what they end in depends on what was there.
func written(op connector.Operation) map[string]connector.Value {
	out := map[string]connector.Value{}
	put := func(name string, vs connector.Values) {
		out[name] = nil
		if len(vs) > 0 {
			out[name] = vs[0]
		}
	}
	switch o := op.(type) {
	case connector.Create:
		for _, a := range o.Attributes {
			if len(a.Values) > 0 { // otherwise the database's default stands
				put(a.Name, a.Values)
			}
		}
	case connector.Update:
		for _, ch := range o.Changes {
			if !ch.Delta {
				put(ch.Name, ch.Replace)
			}
		}
	}
	return out
}
