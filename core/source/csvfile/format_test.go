package csvfile

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
)

// QUIRKS FILE-11
func TestAGermanExcelExportIsRead(t *testing.T) {
	c := file("personal-excel.csv", "windows-1252", ";", "id=Personalnummer", "family=Nachname", "given=Vorname",
		"street=Straße", "start=Eintritt:date", "end=Austritt:date", "cost=Kostenstelle", "note=Bemerkung")
	for i := range c.Columns {
		if c.Columns[i].Type == "date" {
			c.Columns[i].Format = []string{"DD.MM.YYYY"}
		}
	}
	c.Sentinels = []string{"31.12.9999"}
	got, err := readConfig(t, c)
	require.NoError(t, err)
	assert.Equal(t, map[string]identity.Attributes{
		"00017": {"id": "00017", "family": "Müller", "given": "Jürgen", "street": "Große Bleichen 5\n20354 Hamburg",
			"start": "2019-03-01", "cost": "4711", "note": `sagt "Moin"`},
		"00018": {"id": "00018", "family": "Weiß", "given": "Zoë", "street": "Königsallee 1",
			"start": "2022-07-15", "cost": "4711", "note": "Umsatz > 5 T€"},
		"00019": {"id": "00019", "family": "von der Heide", "given": "Änne", "street": "",
			"start": "2026-04-01", "end": "2026-09-30", "cost": "0815", "note": ""},
	}, got.people)
	assert.Equal(t, map[string]string{
		"00017": "personal-excel.csv:3", "00018": "personal-excel.csv:5", "00019": "personal-excel.csv:6"}, got.at)
	assert.Equal(t, 3, got.Rows, "blank rows at the end do not count")
	assert.True(t, got.Complete)
	assert.Empty(t, got.Warnings)
}

// QUIRKS FILE-11
func TestLineEndsAndBlankLines(t *testing.T) {
	want := map[string]identity.Attributes{"1": {"id": "1", "name": "Ann"}, "2": {"id": "2", "name": "Bob"}}
	for name, content := range map[string]string{
		"LF":                       "id,name\n1,Ann\n2,Bob\n",
		"CRLF":                     "id,name\r\n1,Ann\r\n2,Bob\r\n",
		"CR alone":                 "id,name\r1,Ann\r2,Bob\r",
		"mixed":                    "id,name\r\n1,Ann\n2,Bob\r\n",
		"blank lines all over":     "\n\r\nid,name\n\n1,Ann\n  \n2,Bob\n\n\n,\n , \n",
		"end-of-file mark of DOS":  "id,name\r\n1,Ann\r\n2,Bob\r\n\x1a",
		"every value in quotes":    "\"id\",\"name\"\n\"1\",\"Ann\"\n\"2\",\"Bob\"\n",
		"more blank than a row is": "id,name\n1,Ann\n" + strings.Repeat("\r\n", maxRow) + "2,Bob\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readText(t, content, "id", "name")
			require.NoError(t, err)
			assert.Equal(t, want, got.people)
			assert.Zero(t, got.FaultCount)
			assert.True(t, got.Complete, got.Incomplete)
		})
	}
	mac, err := os.ReadFile("testdata/mac.csv")
	require.NoError(t, err)
	got, err := readText(t, string(mac), "id", "name")
	require.NoError(t, err)
	assert.Equal(t, want, got.people)
}

// QUIRKS FILE-11
func TestHeader(t *testing.T) {
	for _, c := range []struct {
		name, content string
		columns       []Column
		want          map[string]identity.Attributes
		warnings      []string
		err           []string
	}{
		{name: "columns in any order, names without regard to case and blanks",
			content: " NAME ,Id\nAnn,1\n", want: map[string]identity.Attributes{"1": {"id": "1", "name": "Ann"}}},
		{name: "the first alias that is there",
			content: "pers_no,mail,e-mail\n1,a@x.org,b@x.org\n",
			columns: []Column{{Name: "id", From: []string{"Personalnummer", "PERS_NO"}}, {Name: "mail", From: []string{"E-Mail", "mail"}}},
			want:    map[string]identity.Attributes{"1": {"id": "1", "mail": "b@x.org"}}, warnings: []string{`the column "mail" is not configured and is ignored`}},
		{name: "duplicate", content: "id,name,Name \n1,Ann,Bob\n", err: []string{"hr.csv:1", `names "Name" twice, as columns 2 and 3`}},
		{name: "missing", content: "id,nmae\n1,Ann\n", err: []string{"hr.csv:1", `"name" is missing (did you mean "nmae"?)`, `the header found is "id", "nmae"`}},
		{name: "other delimiter", content: "id;name\n1;Ann\n", err: []string{`"id" is missing`, `set delimiter: ';'`}},
		{name: "extra, and one without a name", content: "id,name,salary,\n1,Ann,9,\n", want: map[string]identity.Attributes{"1": {"id": "1", "name": "Ann"}},
			warnings: []string{`the column "salary" is not configured and is ignored`, "column 4 has no name and is ignored"}},
		{name: "optional column that is not there", content: "id\n1\n", columns: []Column{{Name: "id"}, {Name: "name", Optional: true}},
			want: map[string]identity.Attributes{"1": {"id": "1"}}, warnings: []string{`the optional column "name" is not there`}},
		{name: "line break in a name", content: "id,\"first\nname\"\n1,Ann\n", columns: []Column{{Name: "id"}, {Name: "name", From: []string{"first\nname"}}},
			want: map[string]identity.Attributes{"1": {"id": "1", "name": "Ann"}}},
		{name: "bare quote", content: "id,na\"me\n1,Ann\n", err: []string{"hr.csv:1", "the header has a quote"}},
		{name: "sep= of another delimiter", content: "sep=;\nid,name\n1,Ann\n", err: []string{"hr.csv:1", `its delimiter is ";"`}},
		{name: "comment lines", content: "#export of 2026-03-31\nid,name\n#x,y\n1,Ann\n", want: map[string]identity.Attributes{"1": {"id": "1", "name": "Ann"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := textConfig(t, c.content, "id", "name")
			config.Comment = "#"
			if c.columns != nil {
				config.Columns = c.columns
			}
			got, err := readConfig(t, config)
			for _, want := range c.err {
				require.ErrorContains(t, err, want)
			}
			if c.err == nil {
				require.NoError(t, err)
				assert.Equal(t, c.want, got.people)
				assert.Equal(t, c.warnings, got.Warnings)
			}
		})
	}
}

func TestHashDependsOnContentAlone(t *testing.T) {
	a, err := readText(t, "id,name,dept\n1,Ann,IT\n2,Bob,\n", "id", "name", "dept")
	require.NoError(t, err)
	b, err := readText(t, "dept,other,name,id\n ,,Bob,2\nIT,x, Ann ,1\n", "id", "dept", "name")
	require.NoError(t, err)
	assert.Equal(t, a.hashes, b.hashes, "not on the order of columns and rows, on blanks, on columns that are not read")

	c, err := readText(t, "id,name,dept\n1,AnnI,T\n2,,Bob\n", "id", "name", "dept")
	require.NoError(t, err)
	assert.NotEqual(t, a.hashes["1"], c.hashes["1"])
	assert.NotEqual(t, a.hashes["2"], c.hashes["2"])

	d, err := readText(t, "id,name,dept\n1,Ann,IT\n2,Bob,\n", "id", "name", "dept:list")
	require.NoError(t, err)
	assert.NotEqual(t, a.hashes["1"], d.hashes["1"], "another type is another value")
}

func TestSnapshotNamesTheContent(t *testing.T) {
	got, err := readText(t, "id\n1\n", "id")
	require.NoError(t, err)
	assert.Equal(t, "7cde7fb64fd82bd152710cf238e017b9ab46c0592483edc067ba4f6c75fac108", got.Snapshot)
}
