package mapping

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/wording"
)

// someOf lists words for a hint, the first twenty.
func someOf(words []string) string {
	const some = 20
	if len(words) <= some {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:some], ", "), len(words)-some)
}

// didYouMean is a hint that names the likeliest candidate as a rule writes it,
// else fallback.
func didYouMean(word string, candidates []string, written func(string) string, fallback string) string {
	if near := wording.Nearest(word, candidates); near != "" {
		return "did you mean " + written(near) + "?"
	}
	return fallback
}

func asIs(word string) string   { return word }
func quoted(word string) string { return fmt.Sprintf("%q", word) }
func called(word string) string { return word + "()" }
