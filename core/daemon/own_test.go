package daemon

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShares(t *testing.T) {
	for _, c := range []struct {
		name        string
		counts      map[string]int
		total       int
		give, share int
	}{
		{"the only node has all", map[string]int{"a": 5}, 5, 0, 5},
		{"a node that joins gets its share", map[string]int{"a": 5, "b": 0}, 5, 2, 3},
		{"uneven is fair enough", map[string]int{"a": 3, "b": 2}, 5, 0, 3},
		{"the one that has most gives to one that has nothing", map[string]int{"a": 2, "b": 2, "c": 0}, 4, 1, 1},
		{"of two that have as many, the first by name gives", map[string]int{"a": 2, "A": 2, "c": 0}, 4, 0, 2},
		{"more nodes than connectors", map[string]int{"a": 1, "b": 0, "c": 0}, 1, 0, 1},
		{"no connectors", map[string]int{"a": 0}, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			give, share := shares("a", c.counts, c.total)
			require.Equal(t, []int{c.give, c.share}, []int{give, share})
		})
	}
}

// However the connectors lie, they are shared out in the end, and then nothing moves.
func TestSharesSettle(t *testing.T) {
	for total := range 12 {
		for nodes := 1; nodes <= 5; nodes++ {
			counts := map[string]int{}
			for i := range nodes {
				counts[string(rune('a'+i))] = 0
			}
			counts["a"] = total
			for range 20 * total { // whoever comes first takes what is free, not always who has least
				for name := range counts {
					give, share := shares(name, counts, total)
					counts[name] -= give
					for free := total - sum(counts); free > 0 && give == 0 && counts[name] < share; free-- {
						counts[name]++
					}
				}
			}
			for name, n := range counts {
				require.LessOrEqual(t, n, (total+nodes-1)/nodes, "%v", counts)
				require.GreaterOrEqual(t, n, total/nodes, "%v", counts)
				give, _ := shares(name, counts, total)
				require.Zero(t, give, "%v", counts)
			}
		}
	}
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
