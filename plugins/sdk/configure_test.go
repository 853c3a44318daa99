package sdk

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/logtest"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

func TestConfigFaultsAreAllToldAtOnceAndByPath(t *testing.T) {
	c := dial(t, labDefinition(func(labConfig, connector.Instance) (connector.Target, error) { return bare{}, nil }), io.Discard)
	for _, tt := range []struct {
		name, config string
		secrets      []string
		want         []string
	}{
		{"good", `{"url":"https://x","mode":"fast","wait":"30s","inner":{"depth":2},"names":["a"]}`, []string{"token"}, nil},
		{"three mistakes", `{"mode":"faster","inner":{"dept":1},"url":7}`, []string{"token"}, []string{
			"/inner/dept: is not an option of this connector (options here: depth)",
			"/inner/depth: is required and not set (how deep)",
			"/mode: value must be one of 'fast', 'slow' (how hard to try)",
			"/url: got number, want string (where the target is)"}},
		{"not JSON", `{"url":`, []string{"token"}, []string{": the config is not JSON: unexpected EOF ()"}},
		{"nothing", ``, nil, []string{"/url: is required and not set (where the target is)", "secrets/token: this secret is required and was not given (the API token)"}},
		{"a duration", `{"url":"x","wait":"soon"}`, []string{"token"}, []string{`/wait: is not of the form ^[0-9]+(\.[0-9]+)?(ms|s|m|h)([0-9]+(ms|s|m))*$ ()`}},
		{"in a list", `{"url":"x","names":["a",1]}`, []string{"token"}, []string{"/names/1: got number, want string ()"}},
		{"a secret too many", `{"url":"x"}`, []string{"token", "tokn"}, []string{"secrets/tokn: this connector takes no secret of that name ()"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := c.ValidateConfig(t.Context(), &pb.ValidateConfigRequest{ConfigJson: []byte(tt.config), SecretNames: tt.secrets})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range protocol.FromProtoFindings(r.Diagnostics) {
				got = append(got, fmt.Sprintf("%s: %s (%s)", f.Path, f.Summary, f.Detail))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// closing counts how often a target was closed.
type closing struct {
	lab
	url    string
	closed *journal
}

func (c closing) Close(context.Context) error { c.closed.add("%s", c.url); return nil }

func TestConfigureAgainReplacesTheTargetAndAFaultLeavesItAlone(t *testing.T) {
	var used, closed journal
	c := dial(t, labDefinition(func(cfg labConfig, _ connector.Instance) (connector.Target, error) {
		if cfg.URL == "down" {
			return nil, connector.Errorf(connector.CodeUnavailable, "connection refused, canary-token")
		}
		if cfg.URL == "panic" {
			panic("no")
		}
		return closing{url: cfg.URL, closed: &closed, lab: lab{func(context.Context, connector.Operation) error { used.add("%s", cfg.URL); return nil }}}, nil
	}), io.Discard)

	if r := configure(t, c, `{"url":"one"}`); len(r.Diagnostics) != 0 || r.Error != nil || len(r.Capabilities.Operations) != 8 {
		t.Fatalf("got %v", r)
	}
	s := openApply(t, c)
	apply := func(id string) {
		sendOps(t, s, update(id))
		if _, err := s.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	apply("1")
	if r := configure(t, c, `{}`); len(r.Diagnostics) != 1 {
		t.Errorf("a bad config: got %v", r)
	}
	if r := configure(t, c, `{"url":"down"}`); r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_UNAVAILABLE || strings.Contains(r.Error.Message, "canary") {
		t.Errorf("a target that is down: got %v", r)
	}
	if r := configure(t, c, `{"url":"panic"}`); r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_INTERNAL {
		t.Errorf("a connector that panics: got %v", r)
	}
	apply("2")
	configure(t, c, `{"url":"two"}`)
	apply("3")
	if _, err := c.Release(t.Context(), &pb.ReleaseRequest{InstanceId: "lab"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Release(t.Context(), &pb.ReleaseRequest{InstanceId: "lab"}); err != nil {
		t.Errorf("releasing twice: %v", err)
	}
	if d := cmp.Diff([]string{"one", "one", "two"}, used.all()); d != "" {
		t.Errorf("used (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"one", "two"}, closed.all()); d != "" {
		t.Errorf("closed (-want +got):\n%s", d)
	}
	sendOps(t, s, update("4"))
	if _, err := s.Recv(); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("an operation for a released instance: %v", err)
	}
	if _, err := c.Get(t.Context(), &pb.GetRequest{InstanceId: "lab"}); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a read from a released instance: %v", err)
	}
}

// rotating takes new secrets while it runs.
type rotating struct {
	lab
	got *journal
}

func (r rotating) RotateSecrets(_ context.Context, s map[string]connector.Secret) error {
	if v := s["token"].Reveal(); v == "refused-secret" {
		return connector.Errorf(connector.CodeAuthentication, "%s is no good", v)
	}
	r.got.add("%s", s["token"].Reveal())
	return nil
}

func TestRotatedSecretsAreUsedFromThenOn(t *testing.T) {
	for name, wrap := range map[string]func(j *journal, in connector.Instance) connector.Target{
		"by a target that takes them": func(j *journal, in connector.Instance) connector.Target { return rotating{lab{done}, j} },
		"by opening it anew": func(j *journal, in connector.Instance) connector.Target {
			if v := in.Secret("token").Reveal(); v != "canary-token" {
				j.add("%s", v)
			}
			return lab{done}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var j journal
			c := dial(t, labDefinition(func(_ labConfig, in connector.Instance) (connector.Target, error) {
				if in.Secret("token").Reveal() == "refused-secret" {
					return nil, connector.Errorf(connector.CodeAuthentication, "refused-secret is no good")
				}
				return wrap(&j, in), nil
			}), io.Discard)
			configure(t, c, `{"url":"x"}`)
			rotate := func(v string) *pb.Error {
				r, err := c.RotateSecrets(t.Context(), &pb.RotateSecretsRequest{InstanceId: "lab", Secrets: protocol.ToProtoSecrets(map[string]connector.Secret{"token": connector.NewSecret(v)})})
				if err != nil {
					t.Fatal(err)
				}
				return r.Error
			}
			if e := rotate("second-secret"); e != nil {
				t.Errorf("got %v", e)
			}
			if e := rotate("refused-secret"); e.GetCode() != pb.ErrorCode_ERROR_CODE_AUTHENTICATION || strings.Contains(e.GetMessage(), "refused-secret") {
				t.Errorf("got %v", e)
			}
			if d := cmp.Diff([]string{"second-secret"}, j.all()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestAReplacedSecretReachesTheHubEvenIfItListensLater(t *testing.T) {
	var replaced func(string, connector.Secret)
	log := &logtest.Log{}
	c := dial(t, labDefinition(func(_ labConfig, in connector.Instance) (connector.Target, error) {
		replaced = in.SecretReplaced
		in.Log.Warn("refreshed", "token", "fresh-secret")
		return lab{done}, nil
	}), log)
	configure(t, c, `{"url":"x"}`)
	replaced("token", connector.NewSecret("fresh-secret"))
	s, err := c.Events(t.Context(), &pb.EventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := s.Recv()
	if err != nil || ev.InstanceId != "lab" || string(ev.GetSecretReplaced().GetValue()) != "fresh-secret" {
		t.Errorf("got an event of %q, %v", ev.GetInstanceId(), err)
	}
}
