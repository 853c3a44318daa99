package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// Preview implements [connector.Planner]: the SQL with placeholders, and which
// attribute each stands for. It holds no values, and takes what the operation
// refers to as existing.
func (t *Target) Preview(ctx context.Context, op connector.Operation) (string, error) {
	db, release := t.use()
	defer release()
	m, err := db.model(ctx, &t.cfg)
	if err != nil {
		return "", err
	}
	return t.preview(db, m, op, &planner{})
}

func (t *Target) preview(db *database, m *model, op connector.Operation, p *planner) (string, error) {
	if t.cfg.custom() {
		return t.cfg.Statements.preview(db.d, op.Verb())
	}
	p.m, p.snap, p.blind = m, newSnapshot(), true
	script, _, err := p.plan(&unit{ops: []connector.Operation{op}})
	if err != nil {
		return "", err
	}
	return renderScript(db.d, script), nil
}

// previewUnit answers a dry run.
func (t *Target) previewUnit(db *database, m *model, u *unit) answers {
	out := u.answers()
	p := &planner{} // the steps after a create are about the row it makes
	for i, op := range u.ops {
		text, err := t.preview(db, m, op, p)
		out[i].Outcome, out[i].Preview = connector.OutcomeWouldApply, text
		if err != nil {
			out[i] = connector.ResultOf(out[i].ID, connector.Ref{}, err)
		}
	}
	return out
}

func renderScript(d *dialect.Dialect, s *script) string {
	var b strings.Builder
	for _, a := range s.actions {
		b.WriteString(a.SQL + ";")
		for i, label := range a.Labels {
			sep := ", "
			if i == 0 {
				sep = " -- "
			}
			fmt.Fprintf(&b, "%s%s: %s", sep, d.Placeholder(i+1), label)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
