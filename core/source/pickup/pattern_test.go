package pickup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ pattern, name, dated string }{
		{"hr_(YYYYMMDD)_full.csv", "hr_20260331_full.csv", "2026-03-31T00:00:00Z"},
		{"hr_(YYYY-MM-DD_HHmm)*.csv", "hr_2026-03-31_0415_x.csv", "2026-03-31T04:15:00Z"},
		{"(DD.MM.YY).csv", "31.03.26.csv", "2026-03-31T00:00:00Z"},
		{"hr?(YYYYMMDD).csv", "hr-20260331.csv", "2026-03-31T00:00:00Z"},
		{"hr_(YYYYMMDD).csv", "hr_20260331.csv.tmp", ""},
		{"hr.(YYYYMMDD)", "hrx20260331", ""},
		{"*.csv", ".csv", "0001-01-01T00:00:00Z"},
	} {
		p, err := parsePattern(c.pattern)
		require.NoError(t, err)
		_, dated, ok, err := p.match(c.name, time.UTC)
		require.NoError(t, err)
		require.Equal(t, c.dated != "", ok, c.name)
		if ok {
			require.Equal(t, c.dated, dated.Format(time.RFC3339), c.name)
		}
	}
	for pattern, why := range map[string]string{
		"":                "is missing",
		"in/hr.csv":       "belongs into folder",
		"hr_(YYYYMM).csv": "does not name a year, a month and a day",
		"hr_(X).csv":      "is neither N",
		"hr_(N.csv":       "half of one",
		"(N)(N).csv":      "more than one pair",
	} {
		_, err := parsePattern(pattern)
		require.ErrorContains(t, err, why, pattern)
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("hr_(YYYYMMDD)_*.csv", "hr_20260101_x.csv")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if p, err := parsePattern(pattern); err == nil {
			_, _, _, _ = p.match(name, time.UTC)
		}
	})
}
