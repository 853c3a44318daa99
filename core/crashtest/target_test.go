package crashtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/core/crashtest/internal/naive"
)

// trap lets the nth write to the target go wrong once: the plugin dies, or the
// write hangs until somebody kills the hub; after: once it took effect.
type trap struct {
	nth          int
	crash, after bool
}

// effect is one line of a target's journal.
type effect struct {
	verb                               connector.Verb
	id, anchor, entitlement, operation string
}

// target is a target as the tests see it.
type target interface {
	plugin() string // type
	config(w *world) string
	login() string // the attribute that holds the login name
	prepare(w *world)
	trap(w *world, t trap) string
	effects(w *world) []effect
	accounts(w *world) []connector.Object
}

var roles = []string{"mail", "wiki", "admin", "vpn"}

// naiveTarget does blindly what it is told.
type naiveTarget struct {
	latency time.Duration // of each write
}

func (naiveTarget) plugin() string { return "naive" }
func (naiveTarget) login() string  { return "login" }
func (naiveTarget) prepare(*world) {}

func (n naiveTarget) config(w *world) string {
	return fmt.Sprintf("{journal: %q, trap: %q, calls: %q, latency: %v}", w.path("journal"), w.path("trap"), w.path("calls"), n.latency)
}

func (naiveTarget) trap(w *world, t trap) string {
	b, err := json.Marshal(naive.Trap{Nth: t.nth, Crash: t.crash, After: t.after})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func (naiveTarget) read(w *world) []naive.Effect {
	w.t.Helper()
	es, err := naive.Read(w.path("journal"))
	if err != nil {
		w.t.Fatal(err)
	}
	return es
}

func (n naiveTarget) effects(w *world) (out []effect) {
	for _, e := range n.read(w) {
		out = append(out, effect{e.Verb, e.ID, e.Anchor, e.Entitlement, e.Operation})
	}
	return out
}

func (n naiveTarget) accounts(w *world) (out []connector.Object) {
	for _, o := range naive.Accounts(n.read(w)) {
		out = append(out, *o)
	}
	return out
}

// memoryTarget is the memory connector: it knows a repeated create again, and
// keeps names and anchors unique.
type memoryTarget struct {
	atomic    bool // takes an account whole
	idsChange bool // a rename gives a new id
}

func (memoryTarget) plugin() string { return "memory" }
func (memoryTarget) login() string  { return "userName" }

func (m memoryTarget) config(w *world) string {
	return fmt.Sprintf("{journal: %q, control: %q, atomic: %t, rename_changes_id: %t}", w.path("journal"), w.path("trap"), m.atomic, m.idsChange)
}

// prepare makes the groups that people are put in.
func (memoryTarget) prepare(w *world) {
	w.t.Helper()
	config, err := json.Marshal(memory.Config{Journal: w.path("journal")})
	if err != nil {
		w.t.Fatal(err)
	}
	t, err := memory.Definition.Open(w.t.Context(), config, connector.Instance{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range roles {
		name := connector.Attributes{{Name: "displayName", Values: connector.Values{r}}}
		if _, err := t.(connector.Creator).Create(w.t.Context(), connector.Create{Type: "group", Attributes: name}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (memoryTarget) trap(w *world, t trap) string {
	f := memory.Fault{Do: memory.Hang, Calls: []string{"write"}, Nth: t.nth, Once: w.path("trap.sprung")}
	switch {
	case t.crash && t.after:
		f.Do = memory.CrashDone
	case t.crash:
		f.Do = memory.Crash
	case t.after:
		f.Do = memory.HangAfter
	}
	b, err := json.Marshal(map[string]any{"faults": []memory.Fault{f}})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func (memoryTarget) effects(w *world) (out []effect) {
	w.t.Helper()
	es, err := memory.ReadJournal(w.path("journal"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range es {
		if e.Type == "user" {
			out = append(out, effect{e.Verb, e.ID, e.Key, e.Entitlement, e.Operation})
		}
	}
	return out
}

func (memoryTarget) accounts(w *world) []connector.Object {
	w.t.Helper()
	s, err := memory.Journaled(w.path("journal"))
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := s.Objects("user")
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.Clone(all)
}
