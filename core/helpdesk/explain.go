package helpdesk

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

// Text explains an operation, or a cause that many have in common. Its sentences
// have no full stop and begin in lower case, so that they stand in a table, behind a
// label or in a line of a log.
type Text struct {
	// Happened says what is wrong: "crm refuses the hub's sign-in".
	Happened string `json:"happened"`
	// Means says what that is for the people concerned: "person 1001 has no account in crm yet".
	Means string `json:"means"`
	// Do says what to do, and Who does it.
	Do  string `json:"do"`
	Who Who    `json:"who"`
	// Can are the things that can be done to it now, the one advised first; none for
	// what is finished.
	Can []Step `json:"can,omitempty"`
}

// Who is the one whose turn it is.
type Who string

// Whose turn it can be.
const (
	Nobody   Who = "nobody"   // it goes on by itself
	Helpdesk Who = "helpdesk" // whoever reads it
	Ops      Who = "ops"      // the operators of the hub: config, secrets, plugins
	Target   Who = "target"   // whoever runs the target
	Source   Who = "source"   // whoever keeps the records of the source
)

// Explain explains one operation.
func Explain(op store.OpRow) Text {
	s := subjectOf(op)
	t := Text{Happened: s.happened(op), Means: s.means(), Can: stepsOf(op)}
	t.Do, t.Who = s.do(op)
	return t
}

// happened says what is wrong with an operation, or how far it is.
func (s subject) happened(op store.OpRow) string {
	switch {
	case op.State == store.OpDone:
		return "it is done"
	case op.State == store.OpSuperseded:
		return "a newer plan took its place"
	case op.State == store.OpSkipped:
		return "a person decided that it is not done"
	case op.Pending:
		return s.connector + " has accepted it and not finished"
	case op.State == store.OpSent:
		return "it is being done"
	case decision(op):
		return "a person has to decide: " + op.Park
	case op.LastError != nil:
		return s.fault(op.LastError.Code, op.LastError.Attributes)
	case op.State == store.OpUnknown:
		return "whether it took effect is not known"
	case op.State == store.OpRetry:
		return "it is put off"
	}
	return "it waits for its turn"
}

// decision reports whether op was parked before it was ever tried, for a person to
// decide on.
func decision(op store.OpRow) bool {
	return op.State == store.OpParked && op.Park != "" && op.Attempts == 0
}

// ExplainCause explains what many operations have in common.
func ExplainCause(c store.Cause) Text {
	if c.Standstill.Kind != "" {
		return explainStandstill(c)
	}
	s := subjectOfCause(c)
	code, ok := connector.ParseCode(c.Code)
	if !ok {
		code = connector.CodeInternal
	}
	t := Text{Happened: s.fault(code, c.Attributes), Means: s.means(), Can: causeSteps(c)}
	state := store.OpParked
	if c.States[store.OpParked] == 0 {
		state = store.OpRetry
	}
	if len(c.Examples) > 0 && decision(c.Examples[0]) {
		t.Happened, t.Do, t.Who = c.Message, decide, Helpdesk
		return t
	}
	e := &connector.Error{Code: code, Attributes: c.Attributes}
	if len(c.Examples) > 0 && c.Examples[0].LastError != nil {
		e = c.Examples[0].LastError
	}
	t.Do, t.Who = s.cure(state, e)
	return t
}
