package csvfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// QUIRKS FILE-12: a bad row is set aside, and nobody else is touched. The
// columns are id, name, city, note, and the rows 1 and 9 are always good.
func TestADamagedRowIsSetAsideAndItsPersonCountsAsPresent(t *testing.T) {
	for _, c := range []struct {
		name, rows string
		good       []string
		bad        map[string]string
		incomplete string
	}{
		{name: "too few fields", rows: "2,Bob,Rome", bad: map[string]string{"2": "has 3 fields, and the header 4"}},
		{name: "too many fields", rows: "2,Bob,Rome, Italy,x", bad: map[string]string{"2": "has 5 fields, and the header 4"}},
		{name: "bare quote", rows: `2,Bob 12" pipe,Rome,x`, bad: map[string]string{"2": "quote inside text that is not quoted"}},
		{name: "quote not doubled", rows: `2,"Bob "the" Builder",Rome,x`, bad: map[string]string{"2": "quote that is not closed"}},
		{name: "quote opened and never closed", rows: "2,\"Bob,Rome,x\n3,Cy,Oslo,x\n4,\"Dee\",Bern,x", good: []string{"3", "4"}, bad: map[string]string{"2": "quote that is not closed"}},
		{name: "two stray quotes that pair up over whole rows", rows: "2,\"Bob,Rome,x\n3,Cy,Oslo,x\n4,Dee\",Bern,x", good: []string{"3"},
			bad: map[string]string{"2": "looks like a row of its own", "4": "quote inside text"}},
		{name: "two stray quotes that take the field count away", rows: "2,\"Bob,Rome,x\n3,Cy,Oslo\",x", good: nil,
			bad: map[string]string{"2": "wrong number of fields", "3": "quote inside text"}},
		{name: "legitimate line breaks are no damage", rows: "2,Bob,Rome,\"1 Main St,\nRome,\n00100\"", good: []string{"2"}},
		{name: "NUL bytes", rows: "2,B\x00b,Rome,x", bad: map[string]string{"2": `"name" holds the control character U+0000 (a NUL byte)`}},
		{name: "no id", rows: ",Bob,Rome,x", incomplete: `hr.csv:3: "id" is empty, so it is not known whose row this is`},
		{name: "blank id", rows: "  \u200b,Bob,Rome,x", incomplete: `hr.csv:3: "id" is empty`},
		{name: "id in bad quotes", rows: `"2"x,Bob,Rome,x`, incomplete: `hr.csv:3: "id" cannot be read`},
		{name: "id with a NUL byte", rows: "\x002,Bob,Rome,x", incomplete: `hr.csv:3: "id" holds the control character`},
		{name: "id that a spreadsheet has shortened", rows: "1.23457E+11,Bob,Rome,x", incomplete: "export it as text"},
		{name: "id of a broken row", rows: strings.Repeat("2", 300) + ",Bob,Rome,x", incomplete: "is longer than 256 characters"},
		{name: "a row longer than may be", rows: "2," + strings.Repeat("x", 2*maxRow) + ",Rome,x\n3,Cy,Oslo,x", good: []string{"3"}, bad: map[string]string{"2": "longer than 1 MiB"}},
		{name: "a quote that is closed too far away", rows: "2,\"Bob,Rome,x\n" + strings.Repeat("3,Cy,Oslo,x\n", 100_000) + "4,Dee\",Bern,x", good: []string{"3"},
			bad: map[string]string{"2": "longer than 1 MiB", "4": "quote inside text"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readText(t, "id,name,city,note\n1,Ann,Paris,x\n"+c.rows+"\n9,Zoe,Lima,x\n", "id", "name", "city", "note")
			require.NoError(t, err)
			for _, good := range append(c.good, "1", "9") {
				assert.Contains(t, got.people, good)
			}
			assert.Len(t, got.faults, len(c.bad))
			for anchor, want := range c.bad {
				assert.Contains(t, got.faults[anchor], want)
				assert.Contains(t, got.anchors, anchor, "counts as present")
				assert.NotContains(t, got.people, anchor)
			}
			assert.Equal(t, c.incomplete == "", got.Complete)
			if c.incomplete != "" {
				assert.Contains(t, strings.Join(got.Incomplete, "\n"), c.incomplete)
				assert.Equal(t, 1, got.FaultCount)
			}
		})
	}
}

func TestAFaultNamesFileLineAndColumnAndNoValue(t *testing.T) {
	got, err := readText(t, "id,name,hired\n1,Ann,2020-01-01\n2,\"Bob\nSecret\",31.12.20\n3,Cy,2021-01-01\n", "id", "name", "hired:date")
	require.NoError(t, err)
	require.Len(t, got.Faults, 1)
	f := got.Faults[0]
	assert.Equal(t, `hr.csv:3: "hired" is no date in the form YYYY-MM-DD`, f.String())
	assert.Equal(t, "2", f.Anchor)
	assert.Equal(t, "hired", f.Field)
	assert.Equal(t, "hr.csv:5", got.at["3"], "lines inside quotes count")
}

func TestWhoseRowItIsCannotBeToldFromAShiftedColumn(t *testing.T) {
	c := textConfig(t, "name,id\nAnn,1\nBob, Jr.,2\n", "id", "name")
	got, err := readConfig(t, c)
	require.NoError(t, err)
	assert.Equal(t, []string{"1"}, got.anchors, "Jr. is no id")
	assert.False(t, got.Complete, "2 was not read, and may not be taken as gone")
}

// QUIRKS FILE-7
func TestACutFileIsIncomplete(t *testing.T) {
	whole := "id,name,note\n1,Ann,x\n2,Bob,\"y\nz\"\n3,Cy,w\n"
	for at, want := range map[string]string{
		"2,Bob,\"y\n": "hr.csv:3: the file ends inside quoted text: it was probably cut",
		"2,Bob,\"y":   "hr.csv:3: the file ends inside quoted text: it was probably cut",
		"3,C":         "hr.csv:5: the file ends in the middle of a row: it was probably cut",
	} {
		content := whole[:strings.Index(whole, at)+len(at)]
		got, err := readText(t, content, "id", "name", "note")
		require.NoError(t, err)
		assert.False(t, got.Complete, "%q", content)
		assert.Contains(t, got.Incomplete, want)
	}
	got, err := readText(t, strings.TrimSuffix(whole, "\n"), "id", "name", "note")
	require.NoError(t, err)
	assert.True(t, got.Complete)
	assert.Contains(t, strings.Join(got.Warnings, ""), "the last row has no line end")
}

// QUIRKS FILE-12
func TestTooManyBadRowsRefuseTheFile(t *testing.T) {
	rows := func(good, bad int) string {
		return "id,n\n" + strings.Repeat("1,1\n", good) + strings.Repeat("2,x\n", bad)
	}
	for _, c := range []struct {
		name      string
		good, bad int
		limit     float64
		refused   bool
	}{
		{"5 % are the default", 95, 5, 0, false},
		{"more than that", 93, 6, 0, true},
		{"a limit of its own", 80, 20, 20, false},
		{"one bad row never refuses a small company", 3, 1, 0, false},
		{"two may", 3, 2, 0, true},
		{"all rows bad", 0, 1, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := textConfig(t, rows(c.good, c.bad), "id", "n:integer")
			config.MaxBad = c.limit
			got, err := readConfig(t, config)
			assert.Equal(t, c.bad, got.FaultCount)
			if !c.refused {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "the whole file is refused")
			assert.ErrorContains(t, err, `"n" is no whole number`)
			assert.False(t, got.Complete)
		})
	}
}

func TestAReportOfManyFaultsStaysSmall(t *testing.T) {
	got, err := readText(t, "id,n\n1,1\n"+strings.Repeat("2,x\n", 500)+strings.Repeat(",1\n", 500), "id", "n:integer")
	require.NoError(t, err)
	assert.Equal(t, 1000, got.FaultCount)
	assert.Len(t, got.Faults, 100)
	assert.Len(t, got.Incomplete, 11)
	assert.Equal(t, "and 490 reasons more", got.Incomplete[10])
}
