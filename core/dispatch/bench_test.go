package dispatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/core/dispatch"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// BenchmarkDrain carries out creates with one grant each; one op of the
// benchmark is one operation of the queue.
//
//	go test ./core/dispatch -run '^$' -bench Drain -benchtime 5000x
func BenchmarkDrain(b *testing.B) {
	for _, db := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		for _, target := range []struct {
			name string
			open func(*testing.B) dispatch.Target
		}{{"in-process", inProcess}, {"plugin", inPlugin}} {
			b.Run(db.name+"/"+target.name, func(b *testing.B) {
				var commits atomic.Int64
				o := storetest.Open(b, db.url(b), store.WithCommittedHook(func(int, string) { commits.Add(1) }))
				d := dispatch.New(dispatch.Options{Connector: "crm", Queue: o, Target: target.open(b), Owner: "bench", Log: slog.New(slog.DiscardHandler)})
				enqueue(b, o, b.N)
				commits.Store(0)
				b.ResetTimer()
				s, err := d.Drain(b.Context())
				b.StopTimer()
				if err != nil || s.Done != b.N {
					b.Fatalf("%v, %v", s, err)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
				b.ReportMetric(float64(commits.Load())/float64(b.N), "commits/op")
			})
		}
	}
}

func enqueue(b *testing.B, o *store.Org, n int) {
	b.Helper()
	p := &plan.Plan{Inputs: plan.Inputs{Source: "hr"}}
	for i := range n {
		anchor := fmt.Sprintf("%07d", i)
		p.Operations = append(p.Operations, plan.Operation{
			AccountKey: identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: anchor}, Kind: plan.Create, Lane: plan.LaneNormal,
			Enabled: connector.IsEnabled, Correlate: connector.Correlation{Attribute: "externalId", Value: anchor}, Reason: "joined",
			Changes: []plan.Change{
				{Name: "department", After: connector.Values{"Sales"}}, {Name: "externalId", After: connector.Values{anchor}},
				{Name: "mail", After: connector.Values{"u" + anchor + "@example.org"}}, {Name: "userName", After: connector.Values{"u" + anchor}},
			},
			Grants: []plan.GrantChange{{Grant: identity.Grant{Entitlement: "staff"}}},
		})
	}
	plan.Seal(p)
	if _, err := o.SavePlan(b.Context(), p, store.PlanProposed, "bench", time.Now()); err != nil {
		b.Fatal(err)
	}
	if _, err := o.ApplyPlan(b.Context(), p.Hash, "bench", time.Now()); err != nil {
		b.Fatal(err)
	}
}

var staff = connector.Create{Type: "group", Attributes: connector.Attributes{{Name: "displayName", Values: connector.Values{"staff"}}}}

// local calls the memory connector without a process between.
type local struct {
	*memory.Target
	schema connector.Schema
}

func inProcess(b *testing.B) dispatch.Target {
	b.Helper()
	t, err := memory.Definition.Open(b.Context(), json.RawMessage(`{}`), connector.Instance{})
	if err != nil {
		b.Fatal(err)
	}
	l := local{Target: t.(*memory.Target)}
	if l.schema, err = l.Target.Schema(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := l.Create(b.Context(), staff); err != nil {
		b.Fatal(err)
	}
	return l
}

func (l local) Capabilities() connector.Capabilities {
	return connector.CapabilitiesOf(l.Target, memory.Definition)
}
func (l local) Schema() connector.Schema { return l.schema }

func (l local) Apply(ctx context.Context, ops []connector.Operation) (rs []connector.Result) {
	for _, op := range ops {
		var ref connector.Ref
		err := error(connector.Errorf(connector.CodeUnsupported, "%s", op.Verb()))
		switch o := op.(type) {
		case connector.Create:
			ref, err = l.Create(ctx, o)
		case connector.Grant:
			err = l.Grant(ctx, o)
		}
		rs = append(rs, connector.ResultOf(op.Meta().ID, ref, err))
	}
	return rs
}

// inPlugin runs the memory connector as the process it is in production.
func inPlugin(b *testing.B) dispatch.Target {
	b.Helper()
	path := filepath.Join(b.TempDir(), "provhub-connector-memory")
	if out, err := exec.Command("go", "build", "-o", path, "../../plugins/provhub-connector-memory").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	in, err := pluginhost.Start(b.Context(), pluginhost.Config{InstanceID: "crm", Type: "memory", Path: path, Dev: true,
		ConfigJSON: json.RawMessage(`{}`), DataDir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := in.Stop(context.Background(), time.Second); err != nil {
			b.Error(err)
		}
	})
	c := staff
	c.ID, c.Key = "staff", "staff"
	if r := in.Apply(b.Context(), []connector.Operation{c})[0]; !r.Outcome.Done() {
		b.Fatalf("%+v", r)
	}
	return in
}
