package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

// writeArgument is what an action takes that changes the target on request only.
const writeArgument = "write"

// ActionRun is one use of a connector's action by a person.
type ActionRun struct {
	Connector, Action string
	Args              map[string]any
	// Write: the person allows it to change the target. The action is told so
	// through its argument of that name, where it has one.
	Write bool
}

// Actions lists what a person can start on a connector.
func (h *Hub) Actions(ctx context.Context, name string) ([]connector.Action, error) {
	_, in, err := h.instanceOf(ctx, name)
	if err != nil {
		return nil, err
	}
	return in.Describe().Actions, nil
}

// Invoke runs an action and returns its result, JSON or nil. How it ended is in the
// audit trail. One that may change the target is there before it begins, too; it is
// refused without leave, while the connector is paused, and beside a run that sends.
func (h *Hub) Invoke(ctx context.Context, run ActionRun) (json.RawMessage, error) {
	_, in, err := h.instanceOf(ctx, run.Connector)
	if err != nil {
		return nil, err
	}
	action, err := actionOf(in.Describe().Actions, run)
	if err != nil {
		return nil, err
	}
	args, err := run.arguments(action)
	if err != nil {
		return nil, err
	}
	if run.Write {
		release, err := h.leave(ctx, run, args)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	what := run.Action + " on " + run.Connector
	defer h.opt.Progress(Progress{What: what, Done: 1, Total: 1})
	result, err := in.Invoke(ctx, run.Action, args, func(p connector.Progress) {
		h.opt.Progress(Progress{What: what, Done: int(p.Done), Total: int(p.Total), Note: p.Message})
	})
	detail := map[string]any{"status": "done"}
	if err != nil {
		detail = map[string]any{"status": "failed", "error": err.Error()}
	}
	return result, errors.Join(err, h.auditAction(context.WithoutCancel(ctx), run, args, detail))
}

// leave is what an action needs that may change the target. The caller releases it.
func (h *Hub) leave(ctx context.Context, run ActionRun, args json.RawMessage) (release func(), err error) {
	release, err = h.org.Work(ctx, "provhub, action "+run.Action+" on "+run.Connector)
	if err != nil {
		return nil, err
	}
	state, err := h.org.ConnectorState(ctx, run.Connector)
	switch {
	case err != nil:
	case state.Everything != "":
		err = fmt.Errorf("%s; nothing may change a target until `provhub go`", state.Pause())
	case state.PausedBy != "":
		err = fmt.Errorf("connector %s is %s; nothing may change its target until `provhub connector resume %s`", run.Connector, state.Pause(), run.Connector)
	case state.Held() != "":
		err = fmt.Errorf("connector %s is %s", run.Connector, state.Held())
	}
	if err == nil {
		err = h.auditAction(ctx, run, args, map[string]any{"status": "begun, may change the target"})
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (h *Hub) auditAction(ctx context.Context, run ActionRun, args json.RawMessage, detail map[string]any) error {
	detail["name"], detail["write"] = run.Action, run.Write
	if len(args) > 0 {
		detail["arguments"] = args
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("audit action %s: %w", run.Action, err)
	}
	return h.org.AuditRecord(ctx, store.AuditEntry{At: h.now(), Actor: h.opt.Actor, Action: "connector.action", Object: run.Connector, Detail: raw})
}

func actionOf(actions []connector.Action, run ActionRun) (connector.Action, error) {
	if at := slices.IndexFunc(actions, func(a connector.Action) bool { return a.Name == run.Action }); at >= 0 {
		return actions[at], nil
	}
	if len(actions) == 0 {
		return connector.Action{}, &UsageError{fmt.Sprintf("connector %s has no action %s: its plugin offers none", run.Connector, run.Action)}
	}
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = a.Name
	}
	return connector.Action{}, &UsageError{fmt.Sprintf("connector %s has no action %q%s; it has %s",
		run.Connector, run.Action, wording.DidYouMean(run.Action, names), strings.Join(names, ", "))}
}

// arguments returns what the action is given. Only the person's leave makes one
// write: the argument alone does not.
func (run ActionRun) arguments(a connector.Action) (json.RawMessage, error) {
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	if len(a.Arguments) > 0 {
		if err := json.Unmarshal(a.Arguments, &schema); err != nil {
			return nil, fmt.Errorf("action %s: what it takes cannot be read: %w", a.Name, err)
		}
	}
	_, asks := schema.Properties[writeArgument]
	asked, _ := run.Args[writeArgument].(bool)
	switch {
	case (a.Destructive || asks && asked) && !run.Write:
		return nil, &UsageError{fmt.Sprintf("action %s changes the target of %s; add --write to allow it", a.Name, run.Connector)}
	case run.Write && !a.Destructive && !asks:
		return nil, &UsageError{fmt.Sprintf("action %s never changes the target; leave out --write", a.Name)}
	}
	args := maps.Clone(run.Args)
	if run.Write && asks {
		if args == nil {
			args = map[string]any{}
		}
		args[writeArgument] = true
	}
	if len(args) == 0 {
		return nil, nil
	}
	return json.Marshal(args)
}
