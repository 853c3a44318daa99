package cycle

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/core/identity"
)

// The index is a map that forgets the names.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			hash identity.Hash
			m    marks
		}
		x, model := newIndex(rapid.SampledFrom([]int{0, 10, 1000}).Draw(t, "size")), map[identity.Key]entry{}
		for range rapid.IntRange(0, 3000).Draw(t, "steps") {
			k := identity.Key{Kind: rapid.SampledFrom([]identity.Kind{identity.Person, identity.Group}).Draw(t, "kind"),
				Anchor: strconv.Itoa(rapid.IntRange(0, 900).Draw(t, "anchor"))}
			h, m := x.find(k.Kind, k.Anchor)
			e := model[k]
			if *h != e.hash || *m != e.m|markUsed {
				t.Fatalf("%v: %v %v, not %v", k, *h, *m, e)
			}
			h[0]++
			*m ^= markSeen
			model[k] = entry{*h, *m}
			if b, n := x.findBytes(k.Kind, []byte(k.Anchor)); b != h || n != m {
				t.Fatal("bytes and text find different slots")
			}
		}
		seen := 0
		for _, e := range model {
			if e.m&markSeen != 0 {
				seen++
			}
		}
		if x.used != len(model) || x.count(markSeen, 0) != seen || x.count(0, markSeen) != len(model)-seen {
			t.Fatal("it counts wrong")
		}
	})
}

// The budget is a hundred bytes an identity, whether the number is known before
// or not.
func TestIndexIsSmall(t *testing.T) {
	const n = 200_000
	for _, hint := range []int{0, n, n * 9 / 10} {
		before := heap()
		x := newIndex(hint)
		for i := range n {
			h, m := x.find(identity.Person, "employee-"+strconv.Itoa(i))
			h[0], *m = byte(i), *m|markStored
		}
		each := float64(heap()-before) / n
		t.Logf("with room for %d: %.1f bytes an identity", hint, each)
		require.Less(t, each, 75.0)
		require.Equal(t, n, x.used)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkIndex(b *testing.B) {
	x := newIndex(b.N)
	anchors := make([]string, 1<<16)
	for i := range anchors {
		anchors[i] = "employee-" + strconv.Itoa(i)
	}
	b.ReportAllocs()
	for i := range b.N {
		_, m := x.find(identity.Person, anchors[i%len(anchors)])
		*m |= markSeen
	}
}
