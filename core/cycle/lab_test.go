package cycle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/lifecycle"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// row is one person as the source tells it; bad makes it a bad record.
type row struct {
	anchor string
	who    identity.Attributes
	bad    string
	kind   identity.Kind // "": person
}

// person writes a row: "1001 name=Jane status=A".
func person(text string) row {
	f := strings.Fields(text)
	r := row{anchor: f[0], who: identity.Attributes{"id": f[0], "status": "A"}}
	for _, pair := range f[1:] {
		k, v, _ := strings.Cut(pair, "=")
		r.who[k] = v
		switch k {
		case "bad":
			r.bad = v
		case "kind":
			r.kind = identity.Kind(v)
		}
	}
	return r
}

// file is a source of rows.
type file struct {
	rows       []row
	dated      time.Time
	incomplete string
	broken     error
	breakAt    int    // the record, from 1, at which reading fails
	last       func() // is called when all has been read and nothing concluded
	reads      int
}

func (f *file) Fields() []source.Field {
	var out []source.Field
	for _, n := range []string{"dept", "end", "id", "mail", "manager", "name", "start", "status"} {
		t := source.Text
		if n == "end" || n == "start" {
			t = source.Date
		}
		out = append(out, source.Field{Name: n, Type: t})
	}
	return out
}

func (f *file) snapshot() string {
	h := sha256.New()
	for _, r := range f.rows {
		fmt.Fprintf(h, "%s %v %s\n", r.anchor, r.who, r.bad)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (f *file) Fingerprint(context.Context) (string, time.Time, error) {
	return f.snapshot(), f.dated, f.broken
}

func (f *file) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	f.reads++
	report := source.Report{Snapshot: f.snapshot(), Dated: f.dated, Complete: f.incomplete == "", Rows: len(f.rows)}
	if f.incomplete != "" {
		report.Incomplete = []string{f.incomplete}
	}
	var rec source.Record // used again and again, as real readers do
	for i, r := range f.rows {
		if i+1 == f.breakAt {
			return report, errors.New("the disk is gone")
		}
		b, _ := json.Marshal(r.who)
		sum := sha256.Sum256(b)
		rec = source.Record{Kind: cmp.Or(r.kind, identity.Person), Anchor: r.anchor, Hash: identity.Hash(sum[:16]),
			Position: func() string { return fmt.Sprintf("hr.csv:%d", i+2) }, Attributes: func() identity.Attributes { return r.who }}
		if r.bad != "" {
			report.FaultCount++
			rec.Fault = &source.Fault{Position: rec.Position(), Anchor: r.anchor, Reason: r.bad}
			report.Faults = append(report.Faults, *rec.Fault)
		}
		if err := yield(&rec); err != nil {
			return report, err
		}
	}
	if f.last != nil {
		f.last()
	}
	return report, f.broken
}

// lab is a hub in small: a source, a store, connectors, and targets that take
// whatever they are told.
type lab struct {
	testing.TB
	file   *file
	store  *store.Org
	cycle  *Cycle
	now    time.Time
	report Report
	// ledger is what drain has done to accounts.
	ledger map[identity.AccountKey]identity.Account
}

var userType = connector.Schema{{Name: "user", Kind: connector.KindAccount, Correlation: []string{"mail"}, Attributes: []connector.Attr{
	{Name: "userName"}, {Name: "mail"}, {Name: "boss"}, {Name: "title"},
}}}

func newLab(t testing.TB, rows ...string) *lab {
	t.Helper()
	return newLabOn(t, storetest.New(t), rows...)
}

func newLabOn(t testing.TB, org *store.Org, rows ...string) *lab {
	t.Helper()
	l := &lab{TB: t, file: &file{dated: start}, store: org, now: start, ledger: map[identity.AccountKey]identity.Account{}}
	l.people(rows...)
	l.cycle = &Cycle{Store: l.store, Reader: l.file, Source: config.Source{Name: "hr", Reference: "manager", Lifecycle: lifecycle.Rules{
		Status: "status", Active: []string{"A"}, Suspended: []string{"L"}, Leaver: []string{"T"}, Start: "start", End: "end",
	}}}
	l.connector("crm", plan.Policy{RevokeOnLeave: true}, mapping.Rules{})
	return l
}

func (l *lab) people(rows ...string) {
	l.file.rows = nil
	for _, r := range rows {
		l.file.rows = append(l.file.rows, person(r))
	}
}

// connector adds a connector with rules besides the usual ones, or replaces it.
func (l *lab) connector(name string, policy plan.Policy, more mapping.Rules) *Connector {
	l.Helper()
	rule := func(expr string) mapping.Rule { return mapping.Rule{Expr: expr, Place: "provhub.yaml:1"} }
	more.Connector, more.Kind = name, identity.Person
	if len(more.Attributes) == 0 {
		more.Attributes = []mapping.AttributeRule{
			{To: "boss", From: rule("manager.name")}, {To: "mail", From: rule("person.mail")}, {To: "userName", From: rule("person.name")},
		}
	}
	if len(more.Grants) == 0 {
		more.Grants = []mapping.GrantRule{{Entitlement: "sales", When: rule(`coalesce(person.dept, "") == "sales"`), Place: "provhub.yaml:9"}}
	}
	slices.SortFunc(more.Attributes, func(a, b mapping.AttributeRule) int { return strings.Compare(a.To, b.To) })
	program, err := mapping.Compile(l.file.Fields(), true, more)
	require.NoError(l, err)
	rules, err := json.Marshal([]any{more, policy})
	require.NoError(l, err)
	sum := sha256.Sum256(rules)
	c := Connector{Name: name, Programs: map[identity.Kind]*mapping.Program{identity.Person: program}, Policy: policy, Schema: userType,
		RulesHash: hex.EncodeToString(sum[:4])}
	l.cycle.Connectors = append(slices.DeleteFunc(l.cycle.Connectors, func(x Connector) bool { return x.Name == name }), c)
	return &l.cycle.Connectors[len(l.cycle.Connectors)-1]
}

// run makes one cycle an hour after the last.
func (l *lab) run() *plan.Plan {
	l.Helper()
	p, err := l.try()
	require.NoError(l, err)
	return p
}

func (l *lab) try() (*plan.Plan, error) {
	l.Helper()
	l.now = l.now.Add(time.Hour)
	p, report, err := l.cycle.Run(l.Context(), l.now)
	l.report = report
	return p, err
}

// sync makes a cycle, and carries its plan out unless it is held.
func (l *lab) sync() *plan.Plan {
	l.Helper()
	p := l.run()
	l.apply(p)
	l.drain()
	return p
}

// apply puts a plan into the queue unless it is held.
func (l *lab) apply(p *plan.Plan) {
	l.Helper()
	status := store.PlanProposed
	if len(p.Verdicts) > 0 {
		status = store.PlanHeld
	}
	_, err := l.store.SavePlan(l.Context(), p, status, "test", l.now)
	require.NoError(l, err)
	if status == store.PlanProposed {
		_, err = l.store.ApplyPlan(l.Context(), p.Hash, "test", l.now)
		require.NoError(l, err)
	}
}

// drain does what is in the queue.
func (l *lab) drain() {
	l.Helper()
	ctx := l.Context()
	for _, c := range l.cycle.Connectors {
		for {
			ops, err := l.store.Lease(ctx, c.Name, "test", 500, l.now, time.Minute)
			require.NoError(l, err)
			if len(ops) == 0 {
				break
			}
			ops, err = l.store.MarkSent(ctx, ops, l.now)
			require.NoError(l, err)
			var done []store.Finish
			for _, op := range ops {
				a := plan.After(l.ledger[op.AccountKey], &op.Operation)
				if a.Ref.ID == "" {
					a.Ref = connector.Ref{Type: "user", ID: "id-" + op.Identity().In("hr")}
				}
				if op.Kind == plan.Disable {
					a.DisabledAt = l.now
				}
				a.Rev++
				l.ledger[op.AccountKey] = a
				done = append(done, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpDone, Account: &a, Now: l.now})
			}
			_, err = l.store.Finish(ctx, done)
			require.NoError(l, err)
		}
	}
}

// brief is a plan in short: "crm/create/join 1001".
func brief(p *plan.Plan) string {
	var out []string
	for _, o := range p.Operations {
		text := fmt.Sprintf("%s/%s/%s %s", o.Connector, o.Kind, o.Cause, o.Anchor)
		for _, g := range o.Grants {
			text += map[bool]string{true: " -", false: " +"}[g.Remove] + g.Entitlement
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func faults(p *plan.Plan) string {
	var out []string
	for _, n := range p.Faults {
		out = append(out, n.Code+" "+n.Anchor)
	}
	return strings.Join(out, "; ")
}

// account returns what the ledger has.
func (l *lab) account(connectorName, anchor string) identity.Account {
	l.Helper()
	as, err := l.store.Accounts(l.Context(), "hr", identity.Person, []string{anchor})
	require.NoError(l, err)
	return as[identity.AccountKey{Source: "hr", Connector: connectorName, Kind: identity.Person, Anchor: anchor}]
}

// staff are n people, "1000 name=p1000 …" and so on.
func staff(n int, more string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%d name=p%d mail=p%d@x.test %s", 1000+i, 1000+i, 1000+i, more)
	}
	return out
}

func sorted(text string) string {
	parts := strings.Split(text, "; ")
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func contextWithCancel(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}
