package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// actionTimeout bounds an action for which the hub names no limit of its own.
const actionTimeout = 10 * time.Minute

// noArguments is the schema of an action that takes none.
const noArguments = `{"type":"object","additionalProperties":false}`

// actionChecks compiles what the actions of d take, by name.
func actionChecks(d *connector.Definition) map[string]*schemaCheck {
	out := map[string]*schemaCheck{}
	for _, a := range d.Actions {
		schema := a.Arguments
		if len(schema) == 0 {
			schema = json.RawMessage(noArguments)
		}
		out[a.Name] = newSchemaCheck(d.Type+"'s action "+a.Name, schema, "what was given", "argument of this action")
	}
	return out
}

// Invoke runs an action that the connector declares, one at a time for each
// instance, and ends with one message: its result or why there is none. It ends
// with the hub's deadline, also when the connector ignores that.
func (s *server) Invoke(r *pb.InvokeRequest, stream grpc.ServerStreamingServer[pb.InvokeResponse]) error {
	in, err := s.instance(r.GetInstanceId())
	if err != nil {
		return err
	}
	run := protocol.FromProtoInvoke(r)
	if why := s.refusal(run); why != nil {
		return stream.Send(failedAction(in.red.Error(why)))
	}
	ctx, cancel := context.WithTimeout(stream.Context(), actionTimeout)
	defer cancel()
	a, why := in.actions.begin(run.ID, cancel)
	if why != nil {
		return stream.Send(failedAction(why))
	}
	o := in.acquire()
	if o == nil {
		in.actions.end()
		return errReleased
	}
	go func() {
		defer in.actions.end()
		defer o.done()
		a.run(connector.WithCall(ctx, connector.Call{ID: run.ID, Attempt: 1}), in, o, run)
	}()
	return a.report(ctx, in, stream)
}

// refusal says why an action is not begun; nil when it may be.
func (s *server) refusal(run connector.Invocation) *connector.Error {
	check := s.actions[run.Name]
	if check == nil {
		return unknownAction(s.def, run.Name)
	}
	if fs := check.findings(run.Arguments); len(fs) > 0 {
		var lines []string
		for _, f := range fs {
			lines = append(lines, strings.TrimSpace(strings.TrimPrefix(f.Path, "/")+" "+f.Summary))
			if f.Detail != "" {
				lines[len(lines)-1] += " (" + f.Detail + ")"
			}
		}
		return connector.Errorf(connector.CodeInvalidValue, "action %s: %s", run.Name, strings.Join(lines, "; "))
	}
	return nil
}

func unknownAction(d *connector.Definition, name string) *connector.Error {
	if len(d.Actions) == 0 {
		return connector.Errorf(connector.CodeUnsupported, "the %s connector has no actions", d.Type)
	}
	names := make([]string, len(d.Actions))
	for i, a := range d.Actions {
		names[i] = a.Name
	}
	return connector.Errorf(connector.CodeUnsupported, "the %s connector has no action %q; it has %s", d.Type, name, strings.Join(names, ", "))
}

// run calls the connector. It may return long after the hub was answered.
func (a *action) run(ctx context.Context, in *instance, o *opened, run connector.Invocation) {
	var result json.RawMessage
	err := guard(ctx, in.log, "action "+run.Name, func() (err error) {
		actor, ok := o.target.(connector.Actor)
		if !ok {
			return connector.Errorf(connector.CodeInternal, "the connector declares the action %s and implements none", run.Name)
		}
		result, err = actor.Invoke(ctx, run, a.progress)
		return err
	})
	if err == nil {
		result, err = carried(in, run.Name, result)
	}
	if err != nil {
		e := connector.AsError(err)
		if e.Code == connector.CodeInternal && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			e = errActionTimeout // a library hid it behind an error of its own
		}
		a.finish(failedAction(in.red.Error(e)))
		return
	}
	a.finish(&pb.InvokeResponse{Message: &pb.InvokeResponse_ResultJson{ResultJson: result}})
}

var errActionTimeout = connector.Errorf(connector.CodeTimeout, "the action did not end within its time limit")

// carried returns the result of an action as it may leave the plugin: JSON, not
// too large, without secrets.
func carried(in *instance, name string, result json.RawMessage) (json.RawMessage, error) {
	if len(result) == 0 {
		return nil, nil
	}
	clean := json.RawMessage(in.red.Text(string(result)))
	switch {
	case !json.Valid(clean):
		return nil, connector.Errorf(connector.CodeInternal, "action %s: the result is not JSON, or not once secrets are taken out of it", name)
	case len(clean) > maxResultBytes:
		return nil, connector.Errorf(connector.CodeTooLarge, "action %s: the result has %d bytes; at most %d can be sent", name, len(clean), maxResultBytes)
	}
	return clean, nil
}

func failedAction(e *connector.Error) *pb.InvokeResponse {
	return &pb.InvokeResponse{Message: &pb.InvokeResponse_Error{Error: protocol.ToProtoError(e)}}
}

// errActionRuns says that another action of the instance has not come back.
func errActionRuns(id string) *connector.Error {
	return &connector.Error{Code: connector.CodeBusy, Message: fmt.Sprintf("another action (%s) of this connector has not come back", id)}
}
