package scim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// gap is what happens to a list between two requests.
type gap struct{ deleted, inserted []int } // places

// moving is a target whose list changes between requests.
type moving struct {
	list   []string
	left   map[string]bool // who was there from the beginning, and is not any more
	gaps   []gap
	pages  []int // the longest page that it gives, in turn
	asked  int
	counts bool // it tells totalResults
	cut    func(start, count int) (from int)
}

// cuts are the ways to read startIndex and count: which resource, from 0, comes first.
var cuts = map[string]func(start, count int) int{
	"places":           func(start, _ int) int { return max(start, 1) - 1 },
	"places from 0":    func(start, _ int) int { return start },
	"whole pages":      func(start, count int) int { return (start - 1) / count * count },
	"whole pages of 0": func(start, count int) int { return start / count * count },
	"page numbers":     func(start, count int) int { return (start - 1) * count },
	"not looked at":    func(int, int) int { return 0 },
}

func (m *moving) answer(q url.Values) map[string]any {
	if m.asked > 0 && m.asked <= len(m.gaps) {
		m.change(m.gaps[m.asked-1])
	}
	start, _ := strconv.Atoi(q.Get("startIndex"))
	count, _ := strconv.Atoi(q.Get("count"))
	count = min(count, m.pages[m.asked%len(m.pages)])
	m.asked++
	total := len(m.list)
	if !m.counts {
		total = -1
	}
	from := min(m.cut(start, count), len(m.list))
	return listOfIDs(total, m.list[from:min(from+count, len(m.list))]...)
}

func (m *moving) change(g gap) {
	for _, at := range g.deleted {
		if len(m.list) > 0 {
			at %= len(m.list)
			m.left[m.list[at]] = true
			m.list = slices.Delete(m.list, at, at+1)
		}
	}
	for i, at := range g.inserted {
		m.list = slices.Insert(m.list, at%(len(m.list)+1), fmt.Sprintf("new-%d-%d", m.asked, i))
	}
}

// drawMoving draws a target of such a kind. Where pages cannot overlap, or nothing is
// counted, a listing promises less: there the list changes less.
func drawMoving(t *rapid.T, kind string, changes bool) *moving {
	m := &moving{list: ids(rapid.IntRange(0, 60).Draw(t, "people")), left: map[string]bool{}, cut: cuts[kind], counts: kind != "places" || rapid.Bool().Draw(t, "counted")}
	m.pages = rapid.SliceOfN(rapid.IntRange(4, 12), 1, 3).Draw(t, "pages")
	deletions, insertions := 6, 6
	if kind != "places" {
		m.pages, insertions = m.pages[:1], 0
	}
	switch {
	case !changes:
		deletions, insertions = 0, 0
	case !m.counts:
		deletions, insertions = 1, 0
	}
	place := rapid.IntRange(0, 80)
	m.gaps = rapid.SliceOf(rapid.Custom(func(t *rapid.T) gap {
		return gap{rapid.SliceOfN(place, 0, deletions).Draw(t, "deleted"), rapid.SliceOfN(place, 0, insertions).Draw(t, "inserted")}
	})).Draw(t, "gaps")
	return m
}

// QUIRKS SCIM-16, SCIM-17: whatever happens to the list while it is read, and
// however the target cuts it into pages, nobody who was there all the time is
// missing from a listing that says it is complete.
func TestACompleteListingHasEverybodyWhoStayed(t *testing.T) {
	var m *moving
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, m.answer(r.URL.Query())) })
	c := s.client(t, nil)
	for kind := range cuts {
		for _, changes := range []bool{false, true} {
			if changes && kind == "places from 0" {
				continue // who is never listed is missed by the count alone, and a list that shrinks makes it right
			}
			t.Run(fmt.Sprintf("%s, changes %t", kind, changes), rapid.MakeCheck(func(t *rapid.T) {
				m = drawMoving(t, kind, changes)
				all := slices.Clone(m.list)
				got := map[string]bool{}
				end, err := c.List(t.Context(), Query{Type: Users, PageSize: rapid.IntRange(4, 12).Draw(t, "page size")}, func(r Resource) error {
					if got[r.ID()] {
						t.Errorf("%s comes twice", r.ID())
					}
					got[r.ID()] = true
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, id := range all {
					if end.Complete && !got[id] && !m.left[id] {
						t.Errorf("%s is missing from a complete listing: %+v", id, end)
					}
				}
				if sane := slices.Contains([]string{"places", "whole pages", "whole pages of 0"}, kind); sane && !changes && !end.Complete {
					t.Errorf("not complete: %s", end.Reason)
				}
				if end.Pages > 2*maxSearched {
					t.Errorf("%d requests", end.Pages)
				}
			}))
		}
	}
}

// That pages overlap costs a request or two for a whole listing.
func TestRequestsOfAListing(t *testing.T) {
	var m *moving
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, 200, m.answer(r.URL.Query())) })
	c := s.client(t, nil)
	for _, tt := range []struct{ people, places, wholePages int }{
		{0, 1, 1}, {1, 2, 2}, {99, 2, 3}, {100, 2, 4}, {101, 3, 5}, {1000, 12, 13}, {10_000, 102, 103},
	} {
		for kind, want := range map[string]int{"places": tt.places, "whole pages": tt.wholePages} {
			m = &moving{list: ids(tt.people), cut: cuts[kind], counts: true, pages: []int{100}}
			end, err := c.List(t.Context(), Query{Type: Users, PageSize: 100}, func(Resource) error { return nil })
			if err != nil || !end.Complete || end.Distinct != tt.people || end.Pages != want {
				t.Errorf("%s of %d: want %d requests; got %+v, %v", kind, tt.people, want, end, err)
			}
		}
	}
}
