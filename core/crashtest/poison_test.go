package crashtest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// A plugin that dies of one person's account every time parks that operation; all
// others are carried out, each once.
func TestPoisonStopsOnlyItsAccount(t *testing.T) { // QUIRKS Q-10
	t.Parallel()
	w := newWorld(t, storetest.SQLiteURL(t), memoryTarget{})
	control, err := json.Marshal(map[string]any{"faults": []memory.Fault{{Do: memory.Crash, Calls: []string{"create"}, Key: "bob"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.write("trap", string(control))
	w.source(monday...)
	ctx := context.Background()
	h, err := open(ctx, w.path("provhub.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Sync(ctx, hub.PlanOptions{}, hub.DrainOptions{Wait: 30 * time.Second}); err != nil {
		t.Fatal(err)
	}
	ops, err := h.State().Operations(ctx, store.OpFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(ops) != 1 || ops[0].Anchor != "2" || ops[0].State != store.OpParked || ops[0].LastError.Code != connector.CodeInternal {
		t.Errorf("open operations: %+v", ops)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if faults := twice(w.target.effects(w)); len(faults) > 0 {
		t.Error(faults)
	}
	w.people = slices.DeleteFunc(slices.Clone(monday), func(p person) bool { return p.ID == "2" })
	if n := len(w.target.accounts(w)); n != len(w.people) {
		t.Errorf("%d accounts of %d were made", n, len(w.people))
	}
}
