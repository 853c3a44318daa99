package crashtest

import (
	"fmt"
	"os"
	"testing"

	"github.com/provhub/provhub/core/store/storetest"
)

// monday and tuesday are two days of a small firm: joiners, one of whom has a
// manager who is made later; then movers, a leaver, somebody on leave, a joiner.
var monday = []person{
	{ID: "1", Login: "ann", Title: "Clerk", Manager: "3", Roles: []string{"mail", "wiki"}},
	{ID: "2", Login: "bob", Title: "Clerk", Manager: "3", Roles: []string{"mail"}},
	{ID: "3", Login: "cem", Title: "Head", Roles: []string{"mail", "admin"}},
	{ID: "4", Login: "dee", Title: "Clerk", Manager: "1", Roles: []string{"mail"}},
}

var tuesday = []person{
	{ID: "1", Login: "ann", Title: "Head", Manager: "5", Roles: []string{"mail", "admin"}},
	{ID: "2", Login: "bob", Title: "Clerk", Manager: "3", Roles: []string{"mail"}, Status: "left"},
	{ID: "3", Login: "cem", Title: "Head", Roles: []string{"mail", "admin"}, Status: "leave"},
	{ID: "4", Login: "dee", Title: "Senior clerk", Manager: "1", Roles: []string{"mail", "wiki"}},
	{ID: "5", Login: "eve", Title: "Clerk", Manager: "4", Roles: []string{"mail"}},
}

func TestUndisturbed(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		w := newWorld(t, url, naiveTarget{})
		for _, people := range [][]person{monday, tuesday} {
			w.source(people...)
			w.mustSync()
			w.check()
		}
	})
}

// A hub that dies at every restart, each time one commit later.
func TestKilledAgainAndAgain(t *testing.T) { // QUIRKS Q-16
	storetest.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		w := newWorld(t, url, naiveTarget{})
		kills := 0
		for day, people := range [][]person{monday, tuesday} {
			w.source(people...)
			for n := 1; w.sync(order{Commit: n, After: day == 0}); n++ {
				kills++
			}
			w.check()
		}
		if kills < 10 {
			t.Errorf("killed only %d times", kills)
		}
	})
}

// A hub that dies once, at each of its commits.
func TestKilledAtEachCommit(t *testing.T) { // QUIRKS Q-16
	for _, late := range []bool{false, true} {
		each(t, fmt.Sprintf("on disk %t", late), func(w *world, n int) bool {
			if !w.sync(order{Commit: n, After: late}) {
				return false
			}
			w.mustSync()
			return true
		})
	}
}

// A hub or a plugin that dies while a write to the target is under way.
func TestKilledInFlight(t *testing.T) { // QUIRKS Q-16
	for _, done := range []bool{false, true} {
		each(t, fmt.Sprintf("hub, effect %t", done), func(w *world, n int) bool {
			w.set(trap{nth: n, after: done})
			if !w.syncKilledInFlight() {
				return false
			}
			w.mustSync()
			return true
		})
		each(t, fmt.Sprintf("plugin, effect %t", done), func(w *world, n int) bool {
			w.set(trap{nth: n, after: done, crash: true})
			w.mustSync()
			return w.disarm()
		})
	}
}

// each runs tuesday from monday's evening on, with the trouble that make makes,
// for n = 1, 2, 3 … until make says that there is no nth occasion.
func each(t *testing.T, name string, make func(w *world, n int) bool) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		base := newWorld(t, storetest.SQLiteURL(t), naiveTarget{})
		base.source(monday...)
		base.mustSync()
		n := 1
		for more := true; more && !t.Failed(); n++ {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				w := base.copy(t)
				w.source(tuesday...)
				more = make(w, n)
				w.check()
			})
		}
		if n < 10 {
			t.Errorf("there were only %d occasions", n)
		}
	})
}

// copy is another world in the same state.
func (w *world) copy(t *testing.T) *world {
	t.Helper()
	url := storetest.SQLiteURL(t)
	c := newWorld(t, url, w.target)
	for from, to := range map[string]string{w.path("journal"): c.path("journal"), w.state: c.state} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}
