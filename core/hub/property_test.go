package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// employee is one row of the source.
type employee struct{ login, title, manager, status string }

// company is a population with the hub that provisions it.
type company struct {
	*lab
	hub    *hub.Hub
	people map[string]employee
	days   int
}

// TestAnyCompanyConverges checks, for chance populations and chance edits of them,
// through the hub with its real state and a real plugin process:
//
//	after a sync the target is as the source says, and a plan is empty
//	the order of the source's rows changes nothing
//	an incomplete reading takes nothing away from whom it does not speak of
func TestAnyCompanyConverges(t *testing.T) {
	began := time.Now()
	rapid.Check(t, func(rt *rapid.T) {
		if time.Since(began) > 10*time.Second {
			return // a busy machine tries fewer companies
		}
		dir, err := os.MkdirTemp("", "provhub-company-")
		if err != nil {
			rt.Fatalf("%v", err)
		}
		defer os.RemoveAll(dir)
		l := newLab(t, app)
		l.t, l.dir = rt, dir
		c := &company{lab: l, people: map[string]employee{}}
		c.hub = l.open()
		defer c.hub.Close()
		for range rapid.IntRange(1, 4).Draw(rt, "weeks") {
			c.edit(rt)
			c.incomplete(rt)
			c.converge(rt)
		}
	})
}

// edit hires, changes, and lets go.
func (c *company) edit(rt *rapid.T) {
	for range rapid.IntRange(1, 12).Draw(rt, "edits") {
		id := fmt.Sprint(rapid.IntRange(1, 15).Draw(rt, "id"))
		if rapid.IntRange(0, 5).Draw(rt, "vanishes") == 0 && len(c.people) > 1 {
			delete(c.people, id)
			continue
		}
		c.people[id] = employee{
			// A login is somebody's for good; sometimes its case or form changes.
			login:   rapid.SampledFrom([]string{"user", "User", "üser", "u\u0308ser"}).Draw(rt, "login") + id,
			title:   rapid.SampledFrom([]string{"", "Clerk", " Clerk ", "Chief", `"Chief, acting"`}).Draw(rt, "title"),
			manager: rapid.SampledFrom([]string{"", id, "1", "2", "3", "99"}).Draw(rt, "manager"),
			status:  rapid.SampledFrom([]string{"active", "active", "active", "leave", "left"}).Draw(rt, "status"),
		}
	}
}

// rows are the rows of the source, in chance order.
func (c *company) rows(rt *rapid.T) []string {
	var out []string
	for id, p := range c.people {
		out = append(out, fmt.Sprintf("%s,%s,%s,%s,%s,,", id, p.login, p.title, p.manager, p.status))
	}
	slices.Sort(out)
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "order"), 0))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// write writes the source; each is a day later than the one before.
func (c *company) source(rows []string) {
	c.lab.people(rows...)
	c.days++
	at := c.now.AddDate(0, 0, c.days)
	if err := os.Chtimes(c.path("hr.csv"), at, at); err != nil {
		c.t.Fatalf("%v", err)
	}
}

// incomplete reads a source that has lost people and a record that is nobody's.
func (c *company) incomplete(rt *rapid.T) {
	rows := c.rows(rt)
	if len(rows) < 2 || c.days == 0 {
		return
	}
	kept := rows[:rapid.IntRange(1, len(rows)-1).Draw(rt, "kept")]
	c.source(append(slices.Clone(kept), ",nobody,Clerk,,active,,"))
	ps := c.plan(rt)
	for _, op := range ps.Plan.Operations {
		here := slices.ContainsFunc(kept, func(r string) bool { return strings.HasPrefix(r, op.Anchor+",") })
		if !here && (op.Kind == plan.Disable || op.Kind == plan.Delete) {
			rt.Fatalf("missing from an incomplete reading, and still: %s", op)
		}
	}
	if rapid.Bool().Draw(rt, "sync") {
		c.sync(rt)
	}
}

// converge syncs and checks that everything is as it should be.
func (c *company) converge(rt *rapid.T) {
	rows := c.rows(rt)
	if len(rows) == 0 {
		return
	}
	c.source(rows)
	c.sync(rt)
	if p := c.plan(rt); len(p.Plan.Operations)+len(p.Plan.Withdraw) > 0 {
		rt.Fatalf("after a sync there is something left to do: %v, withdraw %v", p.Plan.Operations, p.Plan.Withdraw)
	}
	c.source(c.rows(rt))
	if p := c.plan(rt); len(p.Plan.Operations)+len(p.Plan.Withdraw)+p.Report.New+p.Report.Changed+p.Report.Vanished > 0 {
		rt.Fatalf("another order of the rows, and there is something to do: %v", p.Plan.Operations)
	}
	c.enabled(rt)
}

// enabled compares who may sign in with who works here.
func (c *company) enabled(rt *rapid.T) {
	var want, got []string
	for id, p := range c.people {
		if p.status == "active" {
			want = append(want, id)
		}
	}
	for _, a := range accountsOf(context.Background(), rt, c.hub, "app") {
		f := strings.Fields(a)
		if f[len(f)-1] == "on" {
			got = append(got, f[1])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		rt.Fatalf("%v work here, and %v have an account that is enabled", want, got)
	}
}

func (c *company) plan(rt *rapid.T) hub.Planned {
	ps, err := c.hub.Plan(context.Background(), hub.PlanOptions{})
	if err != nil {
		rt.Fatalf("plan: %v", err)
	}
	return ps[0]
}

func (c *company) sync(rt *rapid.T) {
	r, err := c.hub.Sync(context.Background(), hub.PlanOptions{}, hub.DrainOptions{Wait: time.Second})
	if err != nil {
		rt.Fatalf("sync: %v", err)
	}
	for _, p := range r.Plans {
		if p.Status != store.PlanApplied {
			rt.Fatalf("the plan is %s: %v", p.Status, p.Plan.Verdicts)
		}
	}
}
