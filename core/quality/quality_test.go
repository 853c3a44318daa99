package quality

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/core/identity"
)

func TestShapes(t *testing.T) {
	for v, want := range map[any]Shape{"0042": Digits, int64(7): Digits, 1.5: Digits, "Ada": Text, "a@b": Text, "a@b.example": Mail,
		"2026-03-31": Date, "2026-3-31": Text, true: Other} {
		got, ok := ShapeOf(v)
		require.True(t, ok, "%v", v)
		require.Equal(t, want, got, "%v", v)
	}
	for _, empty := range []any{nil, "", "  ", []string{}} {
		_, ok := ShapeOf(empty)
		require.False(t, ok, "%v", empty)
	}
}

func TestFollow(t *testing.T) {
	for _, c := range []struct {
		name            string
		boss            map[string]string
		circle, unknown []string
	}{
		{"a tree", map[string]string{"a": "", "b": "a", "c": "b", "d": "b"}, nil, nil},
		{"a circle of three, and who hangs on it", map[string]string{"a": "b", "b": "c", "c": "a", "d": "a", "e": "d"}, []string{"a", "b", "c"}, nil},
		{"two circles", map[string]string{"a": "b", "b": "a", "c": "d", "d": "c"}, []string{"a", "b", "c", "d"}, nil},
		{"QUIRKS HR-26: nobody", map[string]string{"a": "x", "b": "x", "c": "a"}, nil, []string{"x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var from []string
			for a := range c.boss {
				from = append(from, a)
			}
			rounds := 0
			circle, unknown, err := Follow(from, func(anchors []string) (map[string]string, error) {
				rounds++
				out := map[string]string{}
				for _, a := range anchors {
					if ref, ok := c.boss[a]; ok {
						out[a] = ref
					}
				}
				return out, nil
			})
			require.NoError(t, err)
			require.Equal(t, c.circle, circle)
			require.Equal(t, c.unknown, unknown)
			require.LessOrEqual(t, rounds, 2, "a level of all of them at a time")
		})
	}
}

var subject = Subject{Anchor: "id", Columns: []string{"dept", "id", "mail", "name"}, Segments: []string{"dept"}, Reference: "boss"}

func one(t *rapid.T, i int) *identity.Identity {
	return &identity.Identity{Key: identity.Key{Kind: identity.Person, Anchor: fmt.Sprint(i)}, Attributes: identity.Attributes{
		"id": fmt.Sprint(i), "dept": rapid.SampledFrom([]string{"", "it", "hr", "sales"}).Draw(t, "dept"),
		"mail": rapid.SampledFrom([]string{"", fmt.Sprintf("p%d@example.com", i)}).Draw(t, "mail"),
		"name": rapid.SampledFrom([]string{"Ada", "7", "2026-01-01"}).Draw(t, "name"),
	}}
}

// Whatever comes and goes, the counts are those of counting everybody.
func TestCountsCarriedOnAreThoseOfEverybody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		there := map[int]*identity.Identity{}
		p := subject.New()
		for range rapid.IntRange(1, 5).Draw(t, "readings") {
			c := subject.Compare(p)
			for i := range 8 {
				var after *identity.Identity
				if rapid.Bool().Draw(t, "stays") {
					after = one(t, i)
				}
				if there[i] == nil && after == nil {
					continue
				}
				c.Change(there[i], after)
				there[i] = after
			}
			p = c.After
		}
		want := subject.New()
		for _, id := range there {
			if id != nil {
				subject.Count(want, id.Attributes, 1)
			}
		}
		require.Equal(t, want.People, p.People)
		require.Equal(t, want.Segments, p.Segments)
		for _, name := range subject.Columns {
			require.Equal(t, want.Columns[name], p.Columns[name])
		}
	})
}

// Few changes are never suspicious, whatever they are.
func TestFewChangesAreNotSuspicious(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := subject.New()
		people := make([]*identity.Identity, 60)
		for i := range people {
			people[i] = one(t, i)
			subject.Count(p, people[i].Attributes, 1)
		}
		c := subject.Compare(p)
		for i := range rapid.IntRange(0, 9).Draw(t, "changed") {
			if rapid.Bool().Draw(t, "leaves") {
				c.Change(people[i], nil)
			} else {
				c.Change(people[i], one(t, i))
			}
		}
		require.Empty(t, c.Findings(Rules{}))
	})
}

func TestRules(t *testing.T) {
	d := Rules{}.WithDefaults()
	require.Equal(t, d, d.WithDefaults())
	require.Equal(t, Rule{Percent: 30, Min: 10, Then: Hold}, Rules{Lost: Rule{Percent: 30}}.WithDefaults().Lost)
	for _, c := range []struct {
		n, of int
		want  bool
	}{{9, 10, false}, {10, 20, true}, {10, 21, false}, {0, 0, false}} {
		require.Equal(t, c.want, Rule{Percent: 50, Min: 10, Then: Warn}.trips(c.n, c.of), "%d of %d", c.n, c.of)
	}
	require.False(t, Rule{Then: Ignore}.trips(9, 9))
}
