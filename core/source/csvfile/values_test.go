package csvfile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/source"
)

func TestValuesByType(t *testing.T) {
	for _, c := range []struct {
		typ, cell string
		want      any // nil: no value
		fault     string
	}{
		{typ: "text", cell: "", want: ""},
		{typ: "text", cell: "  x  y\t", want: "x  y"},
		{typ: "text", cell: "+49 40 123", want: "+49 40 123"},
		{typ: "text", cell: "=1+1", want: "=1+1"},
		{typ: "text", cell: "0042", want: "0042"},
		{typ: "integer", cell: "-42", want: int64(-42)},
		{typ: "integer", cell: "", want: nil},
		{typ: "integer", cell: "1.0", fault: "is no whole number"},
		{typ: "integer", cell: "9223372036854775808", fault: "is no whole number"},
		{typ: "number", cell: "0.80", want: 0.8},
		{typ: "number", cell: "1e3", want: 1000.0},
		{typ: "number", cell: "0x10p0", fault: "is no number with a decimal point"},
		{typ: "number", cell: "NaN", fault: "is no number with a decimal point"},
		{typ: "number", cell: "1e999", fault: "is no number with a decimal point"},
		{typ: "bool", cell: "Ja", want: true},
		{typ: "bool", cell: "0", want: false},
		{typ: "bool", cell: "maybe", fault: "is neither yes nor no"},
		{typ: "bool", cell: "", want: nil},
		{typ: "list", cell: " a ;; b;c ", want: []string{"a", "b", "c"}},
		{typ: "list", cell: "", want: []string{}},
		{typ: "date", cell: "2026-02-28", want: "2026-02-28"},
		{typ: "date", cell: "2026-02-29", fault: "is no date in the form YYYY-MM-DD"},
		{typ: "date", cell: "", want: nil},
	} {
		t.Run(c.typ+" "+c.cell, func(t *testing.T) {
			got, err := readText(t, "id,v\n0,\n1,\""+c.cell+"\"\n", "id", "v:"+c.typ)
			require.NoError(t, err)
			if c.fault != "" {
				assert.Contains(t, got.faults["1"], `"v" `+c.fault)
				assert.NotContains(t, got.people, "1")
				return
			}
			v, there := got.people["1"]["v"]
			assert.Equal(t, c.want, v)
			assert.Equal(t, c.want != nil, there)
		})
	}
}

// QUIRKS HR-19
func TestTextIsComparedInOneForm(t *testing.T) {
	for _, c := range []struct{ name, cell, want, fault string }{
		{"decomposed", "Zoe\u0308", "Zoë", ""},
		{"zero width", "A\u200bn\ufeffn", "Ann", ""},
		{"bidirectional controls", "\u202eAnn\u202c\u2066!\u2069", "Ann!", ""},
		{"soft hyphen", "Donau\u00adschiff", "Donauschiff", ""},
		{"blanks of all sorts around", "\u00a0\u3000 Ann\u2003\t", "Ann", ""},
		{"apostrophes, hyphens, particles stay", "van der O’Neill-Łęcki", "van der O’Neill-Łęcki", ""},
		{"nothing but invisible", "\u200b\u00a0", "", ""},
		{"escape", "A\x1b[31m", "", "holds the control character U+001B"},
		{"delete", "A\x7f", "", "holds the control character U+007F"},
		{"next line", "A\u0085", "", "holds the control character U+0085"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readText(t, "id,v\n0,x\n1,\""+c.cell+"\"\n", "id", "v")
			require.NoError(t, err)
			if c.fault != "" {
				assert.Contains(t, got.faults["1"], c.fault)
				return
			}
			assert.Equal(t, c.want, got.people["1"]["v"])
		})
	}
	got, err := readText(t, "id\n\u200b17\u00a0\nZoe\u0308\n", "id")
	require.NoError(t, err)
	assert.Equal(t, []string{"17", "Zoë"}, got.anchors, "anchors too")
}

// QUIRKS HR-28
func TestAMandatoryValueThatIsMissing(t *testing.T) {
	config := textConfig(t, "id,name,end\n0,Ann,2026-01-01\n1, \u200b,2026-01-01\n2,Cy,9999-12-31\n", "id", "name", "end:date")
	config.Columns[1].Required, config.Columns[2].Required = true, true
	config.Sentinels = []string{"9999-12-31"}
	got, err := readConfig(t, config)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"1": `"name" is empty, and a value is required`,
		"2": `"end" holds a date that means "none", and a value is required`,
	}, got.faults)
	assert.Equal(t, "hr.csv:3", got.Faults[0].Position)
}

// QUIRKS HR-23
func TestDatesAreStrict(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct {
		cell    string
		formats []string
		want    any // nil: no value
		fault   string
	}{
		{cell: "31.12.2026", formats: []string{"DD.MM.YYYY"}, want: "2026-12-31"},
		{cell: "12/31/2026", formats: []string{"MM/DD/YYYY"}, want: "2026-12-31"},
		{cell: "31/12/2026", formats: []string{"MM/DD/YYYY"}, fault: "is no date in the form MM/DD/YYYY"},
		{cell: "1.2.2026", formats: []string{"DD.MM.YYYY"}, fault: "is no date"},
		{cell: "1.2.2026", formats: []string{"D.M.YYYY"}, want: "2026-02-01"},
		{cell: "31.12.26", formats: []string{"DD.MM.YYYY"}, fault: "is no date in the form DD.MM.YYYY"},
		{cell: "31.12.26", formats: []string{"DD.MM.YY"}, want: "2026-12-31"},
		{cell: "31.12.69", formats: []string{"DD.MM.YY"}, want: "1969-12-31"},
		{cell: "20261231", formats: []string{"YYYYMMDD"}, want: "2026-12-31"},
		{cell: "31-Dec-2026", formats: []string{"dd-MMM-yyyy"}, want: "2026-12-31"},
		{cell: "2026-12-31 00:00:00", formats: []string{"YYYY-MM-DD HH:mm:ss"}, want: "2026-12-31"},
		{cell: "2026-12-31T23:30:00Z", formats: []string{"YYYY-MM-DDTHH:mm:ssZ"}, want: "2027-01-01"},
		{cell: "2026-12-31T23:30:00-05:00", formats: []string{"YYYY-MM-DDTHH:mm:ssZ"}, want: "2027-01-01"},
		{cell: "46387", formats: []string{"EXCEL"}, want: "2026-12-31"},
		{cell: "46387.75", formats: []string{"excel"}, want: "2026-12-31"},
		{cell: "46387", formats: []string{"DD.MM.YYYY"}, fault: "is no date"},
		{cell: "60", formats: []string{"EXCEL"}, fault: "is no date"},
		{cell: "46387", formats: []string{"YYYY-MM-DD", "EXCEL"}, want: "2026-12-31"},
		{cell: "31.12.2026", formats: []string{"YYYY-MM-DD", "DD.MM.YYYY"}, want: "2026-12-31"},
		{cell: "soon", formats: []string{"YYYY-MM-DD", "EXCEL"}, fault: "is no date in the form YYYY-MM-DD or EXCEL"},
		{cell: "12/31/9999", formats: []string{"DD.MM.YYYY"}, want: nil},
		{cell: "0000-00-00", want: nil},
		{cell: "1900-01-01", want: nil},
		{cell: "0202-03-31", fault: "the year 202 cannot be meant"},
	} {
		t.Run(c.cell, func(t *testing.T) {
			config := textConfig(t, "id,v\n0,\n1,"+c.cell+"\n", "id", "v:date")
			config.Columns[1].Format, config.Zone = c.formats, berlin
			config.Sentinels = []string{"12/31/9999", "0000-00-00", "1900-01-01"}
			got, err := readConfig(t, config)
			require.NoError(t, err)
			if c.fault != "" {
				assert.Contains(t, got.faults["1"], c.fault)
				return
			}
			assert.Equal(t, c.want, got.people["1"]["v"])
		})
	}
}

func TestADayStaysADayWhereMidnightDoesNotExist(t *testing.T) {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	require.NoError(t, err)
	config := textConfig(t, "id,v\n1,2018-11-04\n", "id", "v:date")
	config.Zone = zone
	got, err := readConfig(t, config)
	require.NoError(t, err)
	assert.Equal(t, "2018-11-04", got.people["1"]["v"])
}

func TestNewNamesEveryFaultOfTheConfig(t *testing.T) {
	_, err := New(Config{
		Encoding: "latin-9", Delimiter: "::", Comment: ",", Anchor: "employe", MaxBad: 101, Trailer: &Trailer{Prefix: "T", Field: 1},
		Columns: []Column{
			{Name: "employee", Type: "txt"}, {Name: "employee"}, {},
			{Name: "a", Type: "date", Format: []string{"DD/MM/YYYY", "MM/DD/YYYY"}},
			{Name: "b", Type: "date", Format: []string{"DD.MM"}},
			{Name: "c", Type: "date", Format: []string{"DD.MM.YYYY foo"}},
			{Name: "d", Format: []string{"DD.MM.YYYY"}},
			{Name: "e", Separator: "|"},
			{Name: "f", Type: "date", Format: []string{"DD.MM.YY", "YY.MM.DD"}},
		},
	})
	for _, want := range []string{
		"path is missing", `encoding "latin-9" is not known; known are iso-8859-1, iso-8859-15, utf-16be`, `delimiter "::" is not a single character`,
		`comment and delimiter are both`, `anchor "employe" is none of the columns (did you mean "employee"?)`, "max_bad_percent 101", "trailer needs a prefix",
		`column "employee": type "txt" is not known (did you mean "text"?)`, `column "employee" is listed twice`, "columns[2] has no name",
		`column "a": formats DD/MM/YYYY and MM/DD/YYYY read "02/01/2003" as different dates`, `column "b": format "DD.MM" does not name a year`,
		`column "c": format "DD.MM.YYYY foo": 'f' is no letter of a date`, `column "d": format is for columns of type date`,
		`column "e": separator is for columns of type list`, `column "f": formats DD.MM.YY and YY.MM.DD`,
	} {
		assert.ErrorContains(t, err, want)
	}
	_, err = New(Config{Path: "x", Anchor: "n", Columns: []Column{{Name: "n", Type: "integer", Optional: true}}})
	assert.ErrorContains(t, err, "the anchor must be of type text")
	assert.ErrorContains(t, err, "the anchor cannot be optional")
	_, err = New(Config{Path: "x"})
	assert.ErrorContains(t, err, "columns is empty")
}

func TestFieldsAreSortedByName(t *testing.T) {
	r, err := New(Config{Path: "x", Anchor: "id", Columns: []Column{{Name: "id"}, {Name: "born", Type: "date"}}})
	require.NoError(t, err)
	assert.Equal(t, []source.Field{{Name: "born", Type: source.Date}, {Name: "id", Type: source.Text}}, r.Fields())
}
