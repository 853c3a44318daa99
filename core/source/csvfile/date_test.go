package csvfile

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The quick way reads what the library reads, and refuses what it refuses.
func TestDatesInTheUsualFormAreReadAsTimeDoes(t *testing.T) {
	number := rapid.IntRange(-1, 101)
	rapid.Check(t, func(t *rapid.T) {
		text := fmt.Sprintf("%04d-%02d-%02d", rapid.IntRange(-1, 10_000).Draw(t, "year"), number.Draw(t, "month")%14, number.Draw(t, "day")%34)
		if rapid.Bool().Draw(t, "changed") {
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text = text[:at] + rapid.StringN(0, 2, 8).Draw(t, "with") + text[at+1:]
		}
		got, err := parse(isoDate, text)
		want, wanted := time.Parse(isoDate, text)
		if (err == nil) != (wanted == nil) || err == nil && !got.Equal(want) {
			t.Fatalf("%q: %v %v, and time.Parse %v %v", text, got, err, want, wanted)
		}
	})
}
