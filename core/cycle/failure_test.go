package cycle

import (
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// eventful is a lab at the moment before a cycle in which everything happens:
// somebody joins, moves, leaves by status and by date, vanishes, comes twice, and
// somebody's account is due to be deleted.
func eventful(t *testing.T, org *store.Org) *lab {
	t.Helper()
	l := newLabOn(t, org, "1 name=Boss", "1001 name=Mover dept=sales", "1002 name=Leaver", "1003 name=Timer end=2026-03-02",
		"1004 name=Gone", "1005 name=Expired status=A", "1006 name=Same", "1007 name=Double")
	l.connector("crm", plan.Policy{DeleteAfter: 20 * time.Hour}, mapping.Rules{})
	l.sync()
	l.people("1 name=Boss", "1001 name=Mover dept=sales", "1002 name=Leaver", "1003 name=Timer end=2026-03-02", "1004 name=Gone", "1005 name=Expired status=T", "1006 name=Same", "1007 name=Double")
	l.sync()
	l.people("1 name=Chief", "1001 name=Mover dept=hr", "1002 name=Leaver status=T", "1003 name=Timer end=2026-03-02",
		"1005 name=Expired status=T", "1006 name=Same manager=1", "1007 name=Double", "1007 name=Trouble", "1008 name=Joiner")
	l.now = start.Add(23 * time.Hour)
	return l
}

const everything = "crm/delete/expired 1005; crm/disable/gone 1004; crm/disable/leave 1002; crm/disable/leave 1003; " +
	"crm/create/join 1008; crm/update/change 1; crm/update/change 1001 -sales; crm/update/change 1006"

func TestEverythingAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, org *store.Org) {
		l := eventful(t, org)
		p := l.sync()
		require.Equal(t, sorted(everything), sorted(brief(p)))
		require.Empty(t, brief(l.sync()))
	})
}

// A cycle that dies at any commit is made good by the next one.
func TestEveryCommitMayFail(t *testing.T) {
	failing := errors.New("the disk is full")
	for n := 1; ; n++ {
		at := 0
		l := eventful(t, storetest.New(t, store.WithCommitHook(func(int, string) error {
			if at--; at == 0 {
				return failing
			}
			return nil
		})))
		at = n
		_, err := l.try()
		died := at <= 0
		if died {
			require.ErrorIs(t, err, failing)
		}
		at = 0
		require.Equal(t, sorted(everything), sorted(brief(l.sync())), "after commit %d failed", n)
		require.Empty(t, brief(l.sync()))
		if !died {
			require.Greater(t, n, 2, "there were commits that could fail")
			return
		}
	}
}

// A reading that breaks off at any record concludes nothing.
func TestEveryRecordMayBeTheLast(t *testing.T) {
	for n := 1; n <= 9; n++ {
		l := eventful(t, storetest.New(t))
		l.file.breakAt = n
		_, err := l.try()
		require.EqualError(t, err, "source hr: the disk is gone")
		l.file.breakAt = 0
		require.Equal(t, sorted(everything), sorted(brief(l.sync())), "after record %d was the last", n)
	}
}

// world is a source in which things happen at random, and what accounts it should
// lead to.
type world struct {
	*lab
	r      *rand.Rand
	people map[string]map[string]string
}

func (w *world) change() {
	for range 1 + w.r.Intn(4) {
		anchor := fmt.Sprint(1000 + w.r.Intn(12))
		p := w.people[anchor]
		switch {
		case p == nil:
			w.people[anchor] = map[string]string{"name": "n" + anchor, "status": "A"}
		case w.r.Intn(8) == 0 && len(w.people) > 4:
			delete(w.people, anchor)
		default:
			p["status"] = []string{"A", "A", "A", "L", "T"}[w.r.Intn(5)]
			p["dept"] = []string{"sales", "hr"}[w.r.Intn(2)]
			p["name"] = fmt.Sprintf("n%s-%d", anchor, w.r.Intn(3))
		}
	}
}

// write puts the people into the file, in any order, and perhaps badly: then some
// are missing, double or broken.
func (w *world) write(badly bool) (incomplete bool) {
	var rows []string
	for anchor, p := range w.people {
		row := anchor
		for k, v := range p {
			row += " " + k + "=" + v
		}
		rows = append(rows, row)
	}
	w.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	w.file.incomplete = ""
	if badly {
		switch w.r.Intn(3) {
		case 0:
			rows, w.file.incomplete = rows[:len(rows)/2+1], "cut off"
		case 1:
			rows = append(rows, rows[0]+" dept=double")
		case 2:
			rows[0] += " bad=broken"
		}
	}
	w.lab.people(rows...)
	return w.file.incomplete != ""
}

// Whatever happens, in the end every account is what its person's state says,
// and no incomplete reading ever took anything away for absence.
func TestWorldConverges(t *testing.T) {
	for seed := range int64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := &world{lab: newLab(t), r: rand.New(rand.NewSource(seed)), people: map[string]map[string]string{}}
			w.cycle.Source.Vanish = plan.Limit{Max: 100}
			w.connector("crm", plan.Policy{RevokeOnLeave: true, Recreate: true}, mapping.Rules{})
			for range 8 {
				w.people["1"] = map[string]string{"name": "Boss", "status": "A"}
				w.change()
				incomplete := w.write(w.r.Intn(2) == 0)
				p := w.run()
				if incomplete && strings.Contains(brief(p), "/gone") && w.report.Vanished > 0 {
					t.Fatalf("an incomplete reading took away: %s", brief(p))
				}
				if w.r.Intn(3) > 0 {
					w.apply(p)
					if w.r.Intn(2) == 0 {
						w.drain()
					}
				}
			}
			w.write(false)
			for range 2 {
				w.sync()
			}
			require.Empty(t, brief(w.run()))
			for i := range 12 {
				w.check(fmt.Sprint(1000 + i))
			}
		})
	}
}

// check compares an account with its person.
func (w *world) check(anchor string) {
	w.Helper()
	a, p := w.account("crm", anchor), w.people[anchor]
	switch {
	case p == nil || p["status"] != "A":
		require.True(w, a.Rev == 0 || a.Absent || a.Enabled == connector.IsDisabled, "%s has left and can log in", anchor)
	default:
		require.Equal(w, connector.IsEnabled, a.Enabled, anchor)
		require.Equal(w, p["name"], a.Applied.Text("userName"), anchor)
		require.Equal(w, p["dept"] == "sales", len(a.Grants) == 1, anchor)
		require.Equal(w, identity.Created, a.Ownership)
	}
}
