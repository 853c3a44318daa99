package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// library is a target that can be read. fail makes every read fail with it.
type library struct {
	n    int
	size int // bytes of each object
	fail error
}

func (l library) object(i int) connector.Object {
	return connector.Object{Ref: connector.Ref{Type: "book", ID: fmt.Sprint(i)},
		Attributes: connector.Attributes{{Name: "text", Values: connector.Values{strings.Repeat("x", l.size)}}}}
}

func (l library) Check(context.Context) error { return l.fail }
func (l library) Schema(context.Context) (connector.Schema, error) {
	return connector.Schema{{Name: "book", Kind: connector.KindOther, Attributes: []connector.Attr{{Name: "text", Type: connector.TypeString}}}}, l.fail
}
func (l library) Get(_ context.Context, ref connector.Ref, _ []string) (connector.Object, error) {
	if ref.ID == "panic" {
		panic("no")
	}
	return l.object(0), l.fail
}
func (l library) List(_ context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	for i := range l.n {
		if err := yield(l.object(i)); err != nil {
			return connector.ListEnd{}, err
		}
	}
	return connector.ListEnd{Complete: true, SyncToken: []byte("t")}, l.fail
}
func (l library) Changes(ctx context.Context, q connector.ChangesQuery, yield func(connector.TargetChange) error) ([]byte, bool, error) {
	if string(q.SyncToken) == "old" {
		return nil, true, nil
	}
	for i := range l.n {
		o := l.object(i)
		if err := yield(connector.TargetChange{Ref: o.Ref, Object: &o, SyncToken: fmt.Append(nil, i)}); err != nil {
			return nil, false, err
		}
	}
	if q.Follow {
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	return []byte("end"), false, l.fail
}

func listAll(t *testing.T, c pb.ConnectorServiceClient, r *pb.ListRequest) (n, messages int, last *pb.ListResponse) {
	t.Helper()
	s, err := c.List(t.Context(), r, grpc.MaxCallRecvMsgSize(protocol.MaxMessageBytes))
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return n, messages, last
		}
		if err != nil {
			t.Fatal(err)
		}
		n, messages, last = n+len(m.Objects), messages+1, m
	}
}

func TestAListingComesInMessagesThatFit(t *testing.T) {
	for _, tt := range []struct{ n, size, messages int }{
		{0, 1, 1}, {1, 1, 2}, {500, 1, 2}, {501, 1, 3}, {20, 1 << 20, 4}, // the last one is empty
	} {
		n, messages, last := listAll(t, serve(t, library{n: tt.n, size: tt.size}), &pb.ListRequest{InstanceId: "lab", ObjectType: "book"})
		if n != tt.n || messages != tt.messages || !last.Last || !last.Complete || string(last.SyncToken) != "t" || last.Error != nil {
			t.Errorf("%d objects of %d bytes: got %d in %d messages, %v", tt.n, tt.size, n, messages, last)
		}
	}
}

func TestAListingThatFailsIsNeverComplete(t *testing.T) {
	n, _, last := listAll(t, serve(t, library{n: 3, fail: connector.Errorf(connector.CodeBusy, "size limit")}), &pb.ListRequest{InstanceId: "lab"})
	if n != 3 || !last.Last || last.Complete || last.Error.GetCode() != pb.ErrorCode_ERROR_CODE_BUSY {
		t.Errorf("got %d, %v", n, last)
	}
	_, _, last = listAll(t, serve(t, library{n: 1, size: maxResultBytes}), &pb.ListRequest{InstanceId: "lab"})
	if last.Complete || last.Error.GetCode() != pb.ErrorCode_ERROR_CODE_TOO_LARGE {
		t.Errorf("an object that does not fit: got %v", last)
	}
	_, _, last = listAll(t, serve(t, library{n: 1}), &pb.ListRequest{InstanceId: "lab", Filter: &pb.Filter{Attribute: "x"}})
	if last.Complete || last.Error.GetCode() != pb.ErrorCode_ERROR_CODE_UNSUPPORTED {
		t.Errorf("a filter that would be ignored: got %v", last)
	}
}

func TestWhatATargetCannotReadIsUnsupportedInBand(t *testing.T) {
	c := serve(t, bare{})
	if r, err := c.Get(t.Context(), &pb.GetRequest{InstanceId: "lab"}); err != nil || r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_UNSUPPORTED {
		t.Errorf("get: %v, %v", r, err)
	}
	if _, _, last := listAll(t, c, &pb.ListRequest{InstanceId: "lab"}); last.Complete || last.Error.GetCode() != pb.ErrorCode_ERROR_CODE_UNSUPPORTED {
		t.Errorf("list: %v", last)
	}
	s, err := c.Changes(t.Context(), &pb.ChangesRequest{InstanceId: "lab"})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Recv(); err != nil || m.Error.GetCode() != pb.ErrorCode_ERROR_CODE_UNSUPPORTED || m.CaughtUp {
		t.Errorf("changes: %v, %v", m, err)
	}
	if _, _, failed, err := invoke(t.Context(), t, c, "probe", ""); err != nil || failed == nil || failed.Code != connector.CodeUnsupported || failed.Message != "the lab connector has no actions" {
		t.Errorf("invoke: %v, %v", failed, err)
	}
}

func TestGetTellsNotFoundInBandAndSurvivesAPanic(t *testing.T) {
	c := serve(t, library{fail: connector.Errorf(connector.CodeNotFound, "no")})
	if r, err := c.Get(t.Context(), &pb.GetRequest{InstanceId: "lab"}); err != nil || r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_NOT_FOUND || r.Object != nil {
		t.Errorf("got %v, %v", r, err)
	}
	if r, err := c.Get(t.Context(), &pb.GetRequest{InstanceId: "lab", Ref: &pb.ObjectRef{Id: "panic"}}); err != nil || r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_INTERNAL {
		t.Errorf("got %v, %v", r, err)
	}
	if r, err := serve(t, library{}).Get(t.Context(), &pb.GetRequest{InstanceId: "lab"}); err != nil || r.Object.GetRef().GetId() != "0" || r.Error != nil {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestChangesCarryATokenEachAndTellWhenItIsTooOld(t *testing.T) {
	c := serve(t, library{n: 3})
	read := func(token string) (got []string, last *pb.ChangesResponse) {
		s, err := c.Changes(t.Context(), &pb.ChangesRequest{InstanceId: "lab", SyncToken: []byte(token)})
		if err != nil {
			t.Fatal(err)
		}
		for {
			m, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return got, last
			}
			if err != nil {
				t.Fatal(err)
			}
			for range m.Changes {
				got = append(got, string(m.SyncToken))
			}
			last = m
		}
	}
	if got, last := read(""); strings.Join(got, ",") != "0,1,2" || !last.CaughtUp || string(last.SyncToken) != "end" || last.TokenExpired {
		t.Errorf("got %v, %v", got, last)
	}
	if got, last := read("old"); len(got) != 0 || !last.TokenExpired || last.CaughtUp {
		t.Errorf("got %v, %v", got, last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s, err := c.Changes(ctx, &pb.ChangesRequest{InstanceId: "lab", Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	cancel() // following ends with the stream; goleak checks that it does
	for err == nil {
		_, err = s.Recv()
	}
}

// steps reports its check in steps.
type steps struct{ bare }

func (steps) CheckSteps(context.Context) ([]connector.CheckStep, string) {
	return []connector.CheckStep{{Name: "resolve", Status: connector.CheckPass},
		{Name: "login", Status: connector.CheckFail, Message: "as canary-token", Err: connector.Errorf(connector.CodeAuthentication, "canary-token refused")}}, "Lab 1.0"
}

func TestChecksAndSchemas(t *testing.T) {
	check := func(target connector.Target) string {
		r, err := serve(t, target).Check(t.Context(), &pb.CheckRequest{InstanceId: "lab"})
		if err != nil {
			t.Fatal(err)
		}
		ss, product := protocol.FromProtoCheck(r)
		out := product
		for _, s := range ss {
			out += fmt.Sprintf(" %s=%s", s.Name, s.Status)
			if s.Err != nil {
				out += fmt.Sprintf("(%s %s)", s.Message, s.Err)
			}
		}
		return strings.TrimSpace(out)
	}
	for want, target := range map[string]connector.Target{
		"check=pass":                         bare{},
		"check=fail(down UNAVAILABLE: down)": library{fail: connector.Errorf(connector.CodeUnavailable, "down")},
		"Lab 1.0 resolve=pass login=fail(as *** AUTHENTICATION: *** refused)": steps{},
	} {
		if got := check(target); got != want {
			t.Errorf("got %s; want %s", got, want)
		}
	}
	r, err := serve(t, library{}).DiscoverSchema(t.Context(), &pb.DiscoverSchemaRequest{InstanceId: "lab"})
	if err != nil || len(r.ObjectTypes) != 1 || r.Etag == "" || r.Error != nil {
		t.Errorf("got %v, %v", r, err)
	}
	r, err = serve(t, library{fail: connector.Errorf(connector.CodeUnavailable, "down")}).DiscoverSchema(t.Context(), &pb.DiscoverSchemaRequest{InstanceId: "lab"})
	if err != nil || r.Error.GetCode() != pb.ErrorCode_ERROR_CODE_UNAVAILABLE {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestHealthAnswersWhileTheTargetHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	c := serve(t, lab{func(context.Context, connector.Operation) error { <-release; return nil }})
	s := openApply(t, c)
	for i := range 40 {
		sendOps(t, s, update(fmt.Sprint(i)))
	}
	waitInFlight(t, c, 40)
	start := time.Now()
	if h, err := c.Health(t.Context(), &pb.HealthRequest{}); err != nil || h.InFlight != 40 || time.Since(start) > 30*time.Second {
		t.Errorf("got %v, %v after %s", h, err, time.Since(start))
	}
}

func TestLimitsOfTheHubNarrowTheConnectors(t *testing.T) {
	release := make(chan struct{})
	started := make(chan struct{}, 10)
	c := dial(t, labDefinition(func(labConfig, connector.Instance) (connector.Target, error) {
		return lab{func(ctx context.Context, _ connector.Operation) error {
			started <- struct{}{}
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}, nil
	}), io.Discard)
	if _, err := c.Configure(t.Context(), &pb.ConfigureRequest{InstanceId: "lab", ConfigJson: []byte(`{"url":"x"}`),
		Secrets: protocol.ToProtoSecrets(map[string]connector.Secret{"token": connector.NewSecret("canary-token")}),
		Limits:  &pb.Limits{MaxInFlight: 2, OperationTimeout: durationpb.New(50 * time.Millisecond)}}); err != nil {
		t.Fatal(err)
	}
	s := openApply(t, c)
	sendOps(t, s, update("1"), update("2"), update("3"))
	m, err := s.Recv()
	if err != nil || m.GetBatch().GetResults()[0].GetError().GetCode() != pb.ErrorCode_ERROR_CODE_TIMEOUT {
		t.Errorf("got %v, %v", m, err)
	}
	if n := len(started); n > 3 {
		t.Errorf("%d calls at once", n)
	}
	close(release)
}

// named is a target that tells itself from others.
type named struct {
	bare
	name string
	err  error
}

func (n named) Fingerprint(context.Context) (string, error) { return n.name, n.err }

func TestATargetNamesItselfWithItsSchema(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target connector.Target
		want   string
	}{
		{"one that can", named{name: "dc=example, 0f1c with canary-token"}, "dc=example, 0f1c with ***"},
		{"one that cannot", bare{}, ""},
		{"one that cannot now", named{name: "half", err: connector.Errorf(connector.CodeUnavailable, "down")}, ""},
	} {
		r, err := serve(t, tt.target).DiscoverSchema(t.Context(), &pb.DiscoverSchemaRequest{InstanceId: "lab"})
		if err != nil || r.Error != nil || r.Fingerprint != tt.want {
			t.Errorf("%s: %q, %v, %v", tt.name, r.GetFingerprint(), r.GetError(), err)
		}
	}
}
