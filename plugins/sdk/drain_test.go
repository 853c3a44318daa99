package sdk

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

func TestDrainAnswersWhatItHasAndRefusesTheRest(t *testing.T) {
	release := make(chan struct{})
	c := serve(t, lab{func(context.Context, connector.Operation) error { <-release; return nil }})
	s := openApply(t, c)
	sendOps(t, s, update("runs"))
	waitInFlight(t, c, 1)

	r, err := c.Drain(t.Context(), &pb.DrainRequest{Grace: durationpb.New(20 * time.Millisecond)})
	if err != nil || cmp.Diff([]string{"runs"}, r.UnansweredOperationIds) != "" {
		t.Errorf("got %v, %v", r, err)
	}
	sendOps(t, s, update("new"))
	if m, err := s.Recv(); err != nil || m.GetBatch().GetResults()[0].GetOutcome() != pb.Outcome_OUTCOME_CANCELLED {
		t.Errorf("got %v, %v", m, err)
	}
	if h, err := c.Health(t.Context(), &pb.HealthRequest{}); err != nil || h.Serving {
		t.Errorf("got %v, %v", h, err)
	}
	close(release)
	if r, err := c.Drain(t.Context(), &pb.DrainRequest{}); err != nil || len(r.UnansweredOperationIds) != 0 {
		t.Errorf("got %v, %v", r, err)
	}
	if m, err := s.Recv(); err != nil || m.GetBatch().GetResults()[0].GetOutcome() != pb.Outcome_OUTCOME_APPLIED {
		t.Errorf("got %v, %v", m, err)
	}
}

// Whoever is told that the plugin drains can rely on it: an operation that comes
// after that is not attempted, on whichever instance, however far Drain has come.
func TestNothingIsAttemptedOnceThePluginSaysThatItDrains(t *testing.T) {
	s := newServer(labDefinition(func(labConfig, connector.Instance) (connector.Target, error) {
		return lab{func(context.Context, connector.Operation) error {
			t.Error("the late operation was attempted")
			return nil
		}}, nil
	}), io.Discard)
	instances := map[string]*instance{}
	for _, id := range []string{"held up", "idle"} {
		if _, err := s.Configure(t.Context(), &pb.ConfigureRequest{InstanceId: id, ConfigJson: []byte(`{"url":"https://lab.example"}`)}); err != nil {
			t.Fatal(err)
		}
		instances[id] = s.instances[id]
	}
	// Drain cannot get past the first instance while its engine is busy.
	first := instances["held up"].engine
	first.mu.Lock()
	drained := make(chan error, 1)
	go func() {
		_, err := s.Drain(t.Context(), &pb.DrainRequest{})
		drained <- err
	}()
	for said := false; !said; {
		_, err := s.slot("idle")
		said = err != nil
	}

	r := &rig{t: t, in: instances["idle"], out: newOutbox(), got: map[string]connector.Result{}, n: map[string]int{}}
	r.send(update("late"), update("half", group("pair", 2)))
	r.want("late", connector.OutcomeCancelled, connector.CodeUnavailable)
	r.want("half", connector.OutcomeCancelled, connector.CodeUnavailable)
	if _, why := instances["idle"].actions.begin("run", func() {}); why != errDraining {
		t.Errorf("an action begins: %v", why)
		instances["idle"].actions.end()
	}
	first.mu.Unlock()
	if err := <-drained; err != nil {
		t.Error(err)
	}
}
