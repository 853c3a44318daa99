package sql

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// custom carries out a unit with the statements of the config, in one
// transaction. The planner decides whether there is anything to do, as in table
// mode; the config says how.
func (t *Target) custom(ctx context.Context, db *database, m *model, u *unit) answers {
	s, err := db.sessions.take(ctx)
	if err != nil {
		return u.failAll(unreached(db.d.FaultOf(err)))
	}
	defer db.sessions.give(s)
	tx, err := db.sessions.begin(ctx, s)
	if err != nil {
		s.broken = true
		return u.failAll(unreached(db.d.FaultOf(err)))
	}
	c := &customRun{t: t, db: db, m: m, s: s, p: &planner{m: m, snap: newSnapshot()}}
	out, failed := c.unit(ctx, u)
	if failed {
		if tx.Rollback() != nil {
			s.broken = true
		}
		return out
	}
	if err := s.commit(ctx, tx); err != nil {
		return t.commitFailed(db, s, u, err)
	}
	return out
}

// customRun is one unit under way.
type customRun struct {
	t  *Target
	db *database
	m  *model
	s  *session
	p  *planner
}

func (c *customRun) unit(ctx context.Context, u *unit) (out answers, failed bool) {
	out = u.answers()
	for i, op := range u.ops {
		r, err := c.step(ctx, op)
		if connector.IsCode(err, connector.CodeDependencyMissing) && op.Verb() != connector.VerbCreate {
			r, err = connector.Result{Outcome: connector.OutcomeFailed, Err: connector.AsError(err)}, nil
		}
		if err == nil {
			r.ID = out[i].ID
			out[i] = r
			continue
		}
		f := c.db.d.FaultOf(err)
		if (f.Kind == dialect.KindLost || f.Kind == dialect.KindTimeout) && f.Native == "" {
			c.s.broken = true
			return u.unknown(f.Error()), true
		}
		return u.failAt(i, c.classed(err, op)), true
	}
	return out, false
}

// classed gives a database error its class. What the database says of a password
// may repeat it.
func (c *customRun) classed(err error, op connector.Operation) error {
	e := connector.AsError(faultError(c.db.d, err))
	if op.Verb() == connector.VerbSetCredential {
		e.Detail = ""
	}
	return e
}

// step plans one operation and runs its statements when there is something to do.
func (c *customRun) step(ctx context.Context, op connector.Operation) (connector.Result, error) {
	if len(c.t.cfg.Statements.of(op.Verb())) == 0 {
		return connector.Result{}, unsupported(op.Verb(), fmt.Sprintf("; set statements.%s in its config", op.Verb()))
	}
	for _, n := range c.m.needs(op) {
		if err := c.look(ctx, n); err != nil {
			return connector.Result{}, err
		}
	}
	script, _, err := c.p.plan(&unit{ops: []connector.Operation{op}})
	if err != nil {
		return connector.Result{}, err
	}
	about, result := script.about[0], script.answers[0]
	if script.show[0] {
		o := about.object(nil)
		result.Object = &o
	}
	if result.Outcome == connector.OutcomeApplied {
		if err := c.run(ctx, op, about, &result); err != nil {
			return connector.Result{}, err
		}
	}
	if about != nil && result.Object == nil {
		result.Object = &connector.Object{Ref: about.ref()}
	}
	return result, nil
}

// run executes the statements of the operation's verb.
func (c *customRun) run(ctx context.Context, op connector.Operation, about *record, result *connector.Result) error {
	values := namedValues(op, about)
	for i, st := range c.t.cfg.Statements.of(op.Verb()) {
		a := action{Statement: parseNamed(st.SQL).bind(c.db.d, values), expect: st.expect(), answer: st.Result}
		n, err := c.t.run(ctx, c.db.d, c.s, &a)
		if err != nil {
			return err
		}
		if a.unchanged {
			result.Outcome = connector.OutcomeUnchanged
		}
		if !a.counts(n) {
			e := connector.AsError(miscounted(n))
			e.Message = fmt.Sprintf("statements.%s[%d]: %s", op.Verb(), i, e.Message)
			return e
		}
	}
	if op.Verb() == connector.VerbCreate {
		return c.learnID(ctx, about)
	}
	return nil
}

// learnID finds the new account, so that the hub gets its id.
func (c *customRun) learnID(ctx context.Context, r *record) error {
	rows, err := c.records(ctx, c.t.cfg.Statements.Find, map[string]any{"key": r.key()})
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return &connector.Error{Code: connector.CodePolicy, Message: fmt.Sprintf("statements.create ran, and statements.find finds %d accounts by the key; the account was rolled back", len(rows))}
	}
	r.set(r.e.id, rows[0].get(r.e.id))
	return nil
}
