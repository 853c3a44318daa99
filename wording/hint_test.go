package wording_test

import (
	"testing"

	"github.com/provhub/provhub/wording"
)

func TestNearest(t *testing.T) {
	names := []string{"employee_id", "given", "family", "department", ""}
	for _, tc := range []struct{ name, word, want string }{
		{"a missing letter is found", "givn", "given"},
		{"swapped neighbours are one slip", "famliy", "family"},
		{"case does not count", "Department", "department"},
		{"a different word is not guessed at", "manager", ""},
		{"an empty word has no neighbour", "", ""},
		{"an empty name is never meant", "x", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := wording.Nearest(tc.word, names); got != tc.want {
				t.Errorf("Nearest(%q) = %q, want %q", tc.word, got, tc.want)
			}
		})
	}
}
