package helpdesk

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
)

// do says what to do about an operation, and who.
func (s subject) do(op store.OpRow) (string, Who) {
	switch {
	case op.State == store.OpDone, op.State == store.OpSuperseded, op.State == store.OpSkipped:
		return "nothing", Nobody
	case op.Pending:
		return "nothing: the target has accepted it, and is asked again whether it is finished", Nobody
	case decision(op):
		return decide, Helpdesk
	case op.State == store.OpUnknown:
		return "nothing: the next run looks at the target first and then settles it", Nobody
	case op.LastError == nil || op.State != store.OpParked && op.State != store.OpRetry:
		return "nothing: it goes out by itself", Nobody
	}
	if who := waitsFor(op); who != "" {
		return "it goes on by itself once " + who + " has an account in " + s.connector, Nobody
	}
	return s.cure(op.State, op.LastError)
}

// cure says what cures an error.
func (s subject) cure(state store.OpState, e *connector.Error) (string, Who) {
	c := faultOf(e.Code).parked
	if state == store.OpRetry {
		c = faultOf(e.Code).retry
	}
	return s.fill(c.do, ""), c.who
}

// waitsFor returns whose account an operation waits for; "": nobody's.
func waitsFor(op store.OpRow) string {
	if op.LastError.Code != connector.CodeDependencyMissing {
		return ""
	}
	for _, c := range op.Changes {
		if slices.Contains(op.LastError.Attributes, c.Name) && len(c.After) == 1 {
			return connector.Text(c.After[0])
		}
	}
	return ""
}
