package sql

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// expect is how many rows a statement must touch, or else the whole account is
// rolled back (QUIRKS SQL-2).
type expect int

const (
	expectOne  expect = iota
	expectSome        // one or more
	expectAny
)

// action is one statement of a unit.
type action struct {
	dialect.Statement
	step   int
	expect expect
	// made is the row that the statement inserts, when its id is wanted.
	made *record
	// answer reads what the statement returns, in place of counting rows.
	answer    *Answer
	unchanged bool // what it answered
	// insert: it inserts one row of values and cannot touch another.
	insert bool
}

// script is a unit turned into statements, with the answers that hold once they
// are committed.
type script struct {
	actions []action
	answers answers
	// about is the row that each step is about; nil: none.
	about []*record
	// show marks the steps whose answer shows the whole row.
	show []bool
}

// counts reports whether n rows are as many as the action was planned for.
func (a *action) counts(n int64) bool {
	return a.answer != nil || a.expect == expectAny || n == 1 || a.expect == expectSome && n > 0
}

// planner turns the steps of one unit into a script. It does no I/O: everything
// it knows of the database is in the snapshot.
type planner struct {
	m    *model
	snap *snapshot
	out  *script
	step int
	// made is the row that an earlier step of the unit creates or adopts.
	made *record
	// excused are steps that the database answered with a missing dependency; they
	// are left out.
	excused map[int]*connector.Error
	// blind plans without a snapshot, for a preview: what is not found is taken to exist.
	blind bool
}

// plan makes the script of u. A DEPENDENCY_MISSING holds back only its own step;
// any other error stops the unit, and failed says at which step.
func (p *planner) plan(u *unit) (s *script, failed int, err error) {
	p.out = &script{answers: u.answers(), about: make([]*record, len(u.ops)), show: make([]bool, len(u.ops))}
	for i, op := range u.ops {
		p.step = i
		before := len(p.out.actions)
		err := p.excuse(i)
		if err == nil {
			err = p.one(op)
		}
		if connector.IsCode(err, connector.CodeDependencyMissing) && op.Verb() != connector.VerbCreate {
			p.out.actions = p.out.actions[:before]
			p.out.answers[i].Outcome, p.out.answers[i].Err = connector.OutcomeFailed, connector.AsError(err)
			continue
		}
		if err != nil {
			return nil, i, err
		}
		if p.out.answers[i].Outcome == "" {
			p.out.answers[i].Outcome = connector.OutcomeUnchanged
			if len(p.out.actions) > before {
				p.out.answers[i].Outcome = connector.OutcomeApplied
				p.remember(op)
			}
		}
	}
	return p.out, 0, nil
}

func (p *planner) excuse(i int) error {
	if e := p.excused[i]; e != nil {
		return e
	}
	return nil
}

func (p *planner) one(op connector.Operation) error {
	switch o := op.(type) {
	case connector.Create:
		return p.create(o)
	case connector.Update:
		return p.update(o)
	case connector.Rename:
		return p.rename(o)
	case connector.SetEnabled:
		return p.setEnabled(o)
	case connector.Delete:
		return p.delete(o)
	case connector.Grant:
		return p.grant(o)
	case connector.Revoke:
		return p.revoke(o)
	case connector.SetCredential:
		return p.setCredential(o)
	}
	return unsupported(op.Verb(), "")
}

// unsupported is the answer to a verb that the config does not provide for.
func unsupported(v connector.Verb, hint string) error {
	return &connector.Error{Code: connector.CodeUnsupported, Message: fmt.Sprintf("this target does no %s%s", v, hint)}
}

// do adds a statement.
func (p *planner) do(st dialect.Statement, x expect) *action {
	p.out.actions = append(p.out.actions, action{Statement: st, step: p.step, expect: x})
	return &p.out.actions[len(p.out.actions)-1]
}

// is notes which row the step is about.
func (p *planner) is(r *record) { p.out.about[p.step] = r }

// answer sets the outcome of the step.
func (p *planner) answer(o connector.Outcome, show bool) {
	p.out.answers[p.step].Outcome, p.out.show[p.step] = o, show
}

// remember adds the history row of a step that changes something.
func (p *planner) remember(op connector.Operation) {
	h, about := p.m.history, p.out.about[p.step]
	if h == nil || about == nil {
		return
	}
	values := []dialect.Value{{Column: h.key, Label: "key", Value: about.key()}, {Column: h.verb, Label: "verb", Value: string(op.Verb())}}
	if h.operation != "" {
		values = append(values, dialect.Value{Column: h.operation, Label: "operation", Value: op.Meta().ID})
	}
	values = append(values, h.constants...)
	p.do(h.insert(p.m.d, values), expectOne)
}

// insert renders the history row; the database's clock tells the time.
func (h *history) insert(d *dialect.Dialect, values []dialect.Value) dialect.Statement {
	b := d.Build().Text("INSERT INTO ", h.name, " (")
	for _, v := range values {
		b.Text(v.Column, ", ")
	}
	if h.at == "" {
		return d.Insert(h.name, values, "")
	}
	b.Text(h.at, ") VALUES (")
	for _, v := range values {
		b.Arg(v.Label, v.Value).Text(", ")
	}
	return b.Text("CURRENT_TIMESTAMP)").Statement()
}
