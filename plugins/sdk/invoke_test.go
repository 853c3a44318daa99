package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// actor is a target with one action, which do stands for.
type actor struct {
	bare
	do func(ctx context.Context, in connector.Invocation, progress func(connector.Progress)) (json.RawMessage, error)
}

func (a actor) Invoke(ctx context.Context, in connector.Invocation, progress func(connector.Progress)) (json.RawMessage, error) {
	return a.do(ctx, in, progress)
}

type probeArgs struct {
	Write bool   `json:"write,omitempty" doc:"also make a test user"`
	User  string `json:"user,omitempty"`
}

// serveActions serves target as a connector with the actions probe and reset.
func serveActions(t testing.TB, target connector.Target) pb.ConnectorServiceClient {
	t.Helper()
	d := labDefinition(func(labConfig, connector.Instance) (connector.Target, error) { return target, nil })
	d.Actions = []connector.Action{
		{Name: "probe", Description: "measure the target", Arguments: connector.SchemaFor[probeArgs]()},
		{Name: "reset", Destructive: true},
	}
	c := dial(t, d, io.Discard)
	configure(t, c, `{"url":"https://lab.example"}`)
	return c
}

// invoke runs an action to its end.
func invoke(ctx context.Context, t testing.TB, c pb.ConnectorServiceClient, name, args string) (result string, seen []connector.Progress, failed *connector.Error, err error) {
	t.Helper()
	stream, err := c.Invoke(ctx, &pb.InvokeRequest{InstanceId: "lab", OperationId: "run-1", Name: name, ArgumentsJson: []byte(args)})
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return "", seen, nil, err
		}
		switch k := m.GetMessage().(type) {
		case *pb.InvokeResponse_Progress:
			seen = append(seen, protocol.FromProtoProgress(k.Progress))
			continue
		case *pb.InvokeResponse_Error:
			failed = protocol.FromProtoError(k.Error)
		case *pb.InvokeResponse_ResultJson:
			result = string(k.ResultJson)
		}
		if _, err := stream.Recv(); err != io.EOF {
			t.Errorf("something came after the end: %v", err)
		}
		return result, seen, failed, nil
	}
}

func TestAnActionAnswersItsResultAndItsProgress(t *testing.T) {
	c := serveActions(t, actor{do: func(_ context.Context, in connector.Invocation, progress func(connector.Progress)) (json.RawMessage, error) {
		progress(connector.Progress{Done: 1, Total: 3, Message: "signing in with canary-token"})
		return json.RawMessage(fmt.Sprintf(`{"id":%q,"got":%s,"token":"canary-token"}`, in.ID, in.Arguments)), nil
	}})
	result, seen, failed, err := invoke(t.Context(), t, c, "probe", `{"write":true}`)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if want := `{"id":"run-1","got":{"write":true},"token":"***"}`; result != want {
		t.Errorf("result %s, want %s", result, want)
	}
	if len(seen) != 1 || seen[0] != (connector.Progress{Done: 1, Total: 3, Message: "signing in with ***"}) {
		t.Errorf("progress %+v", seen)
	}
}

func TestDescribeListsTheActions(t *testing.T) {
	r, err := serveActions(t, bare{}).Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	as := protocol.FromProtoDescription(r).Actions
	if len(as) != 2 || as[0].Name != "probe" || !strings.Contains(string(as[0].Arguments), "also make a test user") || !as[1].Destructive {
		t.Errorf("actions %+v", as)
	}
}

func TestAnActionThatCannotRunSaysWhy(t *testing.T) {
	fails := func(err error) actor {
		return actor{do: func(context.Context, connector.Invocation, func(connector.Progress)) (json.RawMessage, error) {
			return nil, err
		}}
	}
	answers := func(text string) actor {
		return actor{do: func(context.Context, connector.Invocation, func(connector.Progress)) (json.RawMessage, error) {
			return json.RawMessage(text), nil
		}}
	}
	for _, tt := range []struct {
		name         string
		target       connector.Target
		action, args string
		code         connector.Code
		says         string
	}{
		{"an action nobody declared", bare{}, "prob", "", connector.CodeUnsupported, `the lab connector has no action "prob"; it has probe, reset`},
		{"a wrong argument", bare{}, "probe", `{"wrote":true}`, connector.CodeInvalidValue, "wrote is not an argument of this action (arguments here: user, write)"},
		{"an argument of the wrong type", bare{}, "probe", `{"write":"yes"}`, connector.CodeInvalidValue, "write got string, want boolean (also make a test user)"},
		{"an argument where none is taken", bare{}, "reset", `{"now":true}`, connector.CodeInvalidValue, "now is not an argument of this action"},
		{"arguments that are not JSON", bare{}, "probe", `{"write":`, connector.CodeInvalidValue, "what was given is not JSON"},
		{"declared and not implemented", bare{}, "probe", "", connector.CodeInternal, "implements none"},
		{"a classed error", fails(connector.Errorf(connector.CodePermission, "canary-token may not")), "probe", "", connector.CodePermission, "*** may not"},
		{"a result that is not JSON", answers("{"), "probe", "", connector.CodeInternal, "not JSON"},
		{"a result that is too large", answers(`"` + strings.Repeat("x", maxResultBytes) + `"`), "probe", "", connector.CodeTooLarge, "at most"},
		{"a panic", actor{}, "probe", "", connector.CodeInternal, "the connector panicked in action probe"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, failed, err := invoke(t.Context(), t, serveActions(t, tt.target), tt.action, tt.args)
			if err != nil || failed == nil || failed.Code != tt.code || !strings.Contains(failed.Message, tt.says) {
				t.Errorf("got %v, %v; want %s: …%s…", failed, err, tt.code, tt.says)
			}
		})
	}
}

func TestAnActionEndsWithTheHubsDeadline(t *testing.T) {
	c := serveActions(t, actor{do: func(ctx context.Context, _ connector.Invocation, _ func(connector.Progress)) (json.RawMessage, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("probe: %w", ctx.Err())
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, failed, err := invoke(ctx, t, c, "probe", ""); err == nil && failed == nil {
		t.Error("it went on")
	}
	// Whoever comes next finds the place free as soon as the connector is back.
	for range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, _, failed, _ := invoke(ctx, t, c, "probe", "")
		cancel()
		if failed == nil || failed.Code != connector.CodeBusy {
			return
		}
	}
	t.Error("the place is never free again")
}

func TestOneActionAtATimeAndDrainWaitsForIt(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	c := serveActions(t, actor{do: func(ctx context.Context, _ connector.Invocation, _ func(connector.Progress)) (json.RawMessage, error) {
		once.Do(func() { close(begun) })
		select {
		case <-release:
			return json.RawMessage(`"finished"`), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}})
	first := make(chan string)
	go func() {
		result, _, failed, err := invoke(t.Context(), t, c, "probe", "")
		first <- fmt.Sprint(result, failed, err)
	}()
	<-begun
	if _, _, failed, _ := invoke(t.Context(), t, c, "probe", ""); failed == nil || failed.Code != connector.CodeBusy || !strings.Contains(failed.Message, "run-1") {
		t.Errorf("a second one at the same time: %v", failed)
	}
	r, err := c.Drain(t.Context(), &pb.DrainRequest{Grace: durationpb.New(20 * time.Millisecond)})
	if err != nil || len(r.GetUnansweredOperationIds()) != 1 || r.UnansweredOperationIds[0] != "run-1" {
		t.Errorf("drain: %v, %v", r, err)
	}
	if got := <-first; !strings.Contains(got, "cancelled") {
		t.Errorf("the drained action answered %s", got)
	}
	if _, _, failed, _ := invoke(t.Context(), t, c, "probe", ""); failed == nil || failed.Code != connector.CodeUnavailable {
		t.Errorf("after the drain: %v", failed)
	}
	close(release)
}
