package helpdesk

import (
	"slices"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Action is something that a person can do to an operation.
type Action string

// The actions.
const (
	Retry    Action = "retry"    // try it again now
	Edit     Action = "edit"     // send another value
	Skip     Action = "skip"     // never send it
	Adopt    Action = "adopt"    // take over the account that is in the way
	HandOver Action = "handover" // to the operators of the hub
	TakeBack Action = "takeback" // from them

	// Of connectors that stand still.
	Check  Action = "check"
	Resume Action = "resume"
	Go     Action = "go"
)

// Step is an action with the command that does it.
type Step struct {
	Action  Action `json:"action"`
	Label   string `json:"label"`
	Command string `json:"command"`
}

var labels = map[Action]string{
	Retry: "try it again now", Edit: "send another value", Skip: "never send it", Adopt: "take over the account that is in the way",
	HandOver: "hand it to the operators", TakeBack: "take it back from the operators",
}

// stepsOf returns what can be done to an operation, the advised first.
func stepsOf(op store.OpRow) []Step {
	var out []Step
	add := func(a Action, more string) {
		out = append(out, Step{a, labels[a], "provhub ops " + string(a) + " " + short(op.ID) + more})
	}
	in := func(states []store.OpState) bool { return slices.Contains(states, op.State) }
	if CanAdopt(op) {
		add(Adopt, " --reason TEXT")
	}
	if in(store.RetryFrom) && !op.Pending {
		add(Retry, "")
	}
	if op.State == store.OpParked && op.LastError != nil && len(op.Changes) > 0 && !decision(op) {
		add(Edit, " "+faultyAttribute(op)+"=VALUE")
	}
	if in(store.SkipFrom) && !op.Pending {
		add(Skip, " --reason TEXT")
	}
	switch {
	case op.Handed != nil:
		add(TakeBack, "")
	case in(store.HandFrom):
		add(HandOver, " --note TEXT")
	}
	return out
}

// CanAdopt reports whether op is a create that met an account which can be taken over.
func CanAdopt(op store.OpRow) bool {
	return op.State == store.OpParked && op.Operation.Kind == plan.Create && op.LastError != nil &&
		op.LastError.Conflicting != nil && op.LastError.Conflicting.ID != ""
}

// faultyAttribute is the attribute to send another value of.
func faultyAttribute(op store.OpRow) string {
	for _, c := range op.Changes {
		if slices.Contains(op.LastError.Attributes, c.Name) {
			return c.Name
		}
	}
	return "NAME"
}

// causeSteps returns what can be done to all operations of a cause.
func causeSteps(c store.Cause) []Step {
	var out []Step
	add := func(a Action, more string) {
		out = append(out, Step{a, labels[a], "provhub ops " + string(a) + " --cause " + c.Key + more})
	}
	if c.States[store.OpParked]+c.States[store.OpRetry] > 0 {
		add(Retry, "")
		add(Skip, " --reason TEXT")
	}
	if c.Handed < c.Count {
		add(HandOver, " --note TEXT")
	}
	if c.Handed > 0 {
		add(TakeBack, "")
	}
	return out
}

// short is as much of an id as people type.
func short(id string) string { return id[:min(len(id), 12)] }
