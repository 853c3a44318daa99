package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// nearest returns the candidates that word is most likely a slip of, two at
// most, or none.
func nearest(word string, candidates []string) []string {
	best, limit := []string(nil), max(1, (len(word)+1)/3)
	fold := strings.ToLower(word)
	for _, c := range candidates {
		d := distance(fold, strings.ToLower(c), limit+1)
		switch {
		case c == word || d > limit:
		case d < limit:
			best, limit = []string{c}, d
		default:
			best = append(best, c)
		}
	}
	slices.Sort(best)
	return best[:min(len(best), 2)]
}

// someOf lists words for a hint, the first twenty.
func someOf(words []string) string {
	const some = 20
	if len(words) <= some {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:some], ", "), len(words)-some)
}

// didYouMean is a hint that names the nearest candidates, else fallback.
func didYouMean(word string, candidates []string, fallback string) string {
	if near := nearest(word, candidates); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return fallback
}

// distance counts the letters to insert, drop, change or swap with their
// neighbour to get from a to b; from limit on it may stop counting.
func distance(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if diff := len(s) - len(t); diff >= limit || -diff >= limit {
		return limit
	}
	before, prev, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(t)]
}
