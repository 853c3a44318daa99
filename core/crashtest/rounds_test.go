package crashtest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/provhub/provhub/core/store/storetest"
)

var (
	seed   = flag.Uint64("seed", 0, "seed of TestRounds and of the tests with -cluster; 0: a new one, which is printed")
	rounds = flag.Int("rounds", 6, "rounds of TestRounds on each database and target")
)

// Round after round the source changes by chance and trouble comes by chance; at
// the end of each all must be well.
func TestRounds(t *testing.T) { // QUIRKS Q-16
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("repeat with: go test ./core/crashtest -run TestRounds -seed %d -rounds %d", s, *rounds)
	for name, of := range map[string]target{
		"naive": naiveTarget{}, "memory": memoryTarget{}, "atomic": memoryTarget{atomic: true}, "ids change": memoryTarget{idsChange: true},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachURL(t, func(t *testing.T, url string) {
				t.Parallel()
				play(t, newWorld(t, url, of), rand.New(rand.NewPCG(s, uint64(len(t.Name())))))
			})
		})
	}
}

func play(t *testing.T, w *world, r *rand.Rand) {
	people := slices.Clone(monday)
	for round := range *rounds {
		w.source(people...)
		var trouble []string
		for range r.IntN(3) {
			trouble = append(trouble, cause(w, r))
		}
		w.disarm()
		w.mustSync()
		w.check()
		if t.Failed() {
			t.Fatalf("in round %d, after %s", round+1, strings.Join(trouble, ", then "))
		}
		people = change(people, r)
	}
}

// cause brings some trouble over a sync and says which.
func cause(w *world, r *rand.Rand) string {
	w.t.Helper()
	if r.IntN(3) == 0 {
		o := order{Commit: 1 + r.IntN(12), After: r.IntN(2) == 0}
		w.sync(o)
		return fmt.Sprintf("%+v", o)
	}
	x := trap{nth: 1 + r.IntN(8), after: r.IntN(2) == 0, crash: r.IntN(2) == 0}
	w.set(x)
	if x.crash {
		w.mustSync()
	} else {
		w.syncKilledInFlight()
	}
	return fmt.Sprintf("%+v", x)
}

// change is the next day: about half of the people have news.
func change(people []person, r *rand.Rand) []person {
	people = slices.Clone(people)
	for i := range people {
		p := &people[i]
		switch r.IntN(10) {
		case 0:
			p.Login = fmt.Sprintf("login%d-of-%s", r.IntN(1000), p.ID)
		case 1:
			p.Title = []string{"Clerk", "Head", "Chief"}[r.IntN(3)]
		case 2:
			p.Manager = people[r.IntN(len(people))].ID
		case 3:
			p.Roles = nil
			for _, role := range roles {
				if r.IntN(2) == 0 {
					p.Roles = append(p.Roles, role)
				}
			}
		case 4:
			p.Status = []string{"active", "leave", "left"}[r.IntN(3)]
		}
	}
	for range r.IntN(3) {
		id := len(people) + 1
		people = append(people, person{ID: fmt.Sprint(id), Login: fmt.Sprintf("p%d", id), Title: "Clerk",
			Manager: people[r.IntN(len(people))].ID, Roles: []string{"mail"}})
	}
	return people
}
