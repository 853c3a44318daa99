package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

// target is a memory target with shorthands for tests.
type target struct {
	*Target
	t *testing.T
	n int
}

func openTarget(t *testing.T, c Config) *target {
	t.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if fs := Definition.Validate(raw); len(fs) > 0 {
		t.Fatal(fs)
	}
	got, err := Definition.Open(t.Context(), raw, connector.Instance{ID: t.Name(), Secrets: map[string]connector.Secret{"token": connector.NewSecret("open-sesame")}})
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := got.(atomic); ok {
		return &target{Target: a.Target, t: t}
	}
	return &target{Target: got.(*Target), t: t}
}

func (t *target) call() connector.Call {
	t.n++
	id := fmt.Sprintf("op-%d", t.n)
	return connector.Call{ID: id, Key: id, Attempt: 1}
}

func user(userName string, more ...connector.Attribute) connector.Attributes {
	return append(connector.Attributes{attr("userName", userName)}, more...)
}

func attr(name string, vs ...connector.Value) connector.Attribute {
	return connector.Attribute{Name: name, Values: vs}
}

// make creates an object that must be new.
func (t *target) make(typ string, as connector.Attributes) connector.Ref {
	t.t.Helper()
	ref, err := t.Create(t.t.Context(), connector.Create{Call: t.call(), Type: typ, Attributes: as})
	if err != nil {
		t.t.Fatal(err)
	}
	return ref
}

func (t *target) read(ref connector.Ref) connector.Object {
	t.t.Helper()
	obj, err := t.Get(t.t.Context(), connector.Ref{Type: ref.Type, ID: ref.ID}, nil)
	if err != nil {
		t.t.Fatal(err)
	}
	return obj
}

func (t *target) update(ref connector.Ref, cs ...connector.Change) error {
	return t.Update(t.t.Context(), connector.Update{Call: t.call(), Target: ref, Changes: cs})
}

// answer names what a connector returned: an outcome, or a code.
func answer(err error) string {
	r := connector.ResultOf("", connector.Ref{}, err)
	if r.Err != nil {
		return r.Err.Code.String()
	}
	return string(r.Outcome)
}

func (t *target) verbs() string {
	es, err := t.store.Effects()
	if err != nil {
		t.t.Fatal(err)
	}
	var vs []string
	for _, e := range es {
		vs = append(vs, fmt.Sprintf("%s %s", e.Verb, e.Key))
	}
	return strings.Join(vs, ", ")
}

func (t *target) list(typ string, yield func(connector.Object) error) (ids []string, end connector.ListEnd, err error) {
	end, err = t.List(context.Background(), connector.ListQuery{Type: typ}, func(o connector.Object) error {
		ids = append(ids, o.Ref.ID)
		if yield != nil {
			return yield(o)
		}
		return nil
	})
	return ids, end, err
}

func journalPath(t *testing.T) string { return filepath.Join(t.TempDir(), "effects.jsonl") }

// forget makes the process forget a journal, as a restart does.
func forget(path string) {
	shared.Lock()
	defer shared.Unlock()
	delete(shared.byName, "journal:"+path)
}

func sorted(ss []string) []string { slices.Sort(ss); return ss }
