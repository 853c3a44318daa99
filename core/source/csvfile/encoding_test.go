package csvfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
)

// QUIRKS FILE-10
func TestNationalFilesAreReadInTheirEncodings(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		want   map[string]identity.Attributes
	}{
		{
			name:   "French in ISO-8859-15, with the euro sign and œ",
			config: file("salaries-fr.csv", "iso-8859-15", ";", "id=Matricule", "family=Nom", "bonus=Prime"),
			want: map[string]identity.Attributes{
				"F-001": {"id": "F-001", "family": "Lefèvre", "bonus": "1200 €"},
				"F-002": {"id": "F-002", "family": "Bœuf", "bonus": "950 €"},
			},
		},
		{
			name:   "Spanish in ISO-8859-1, with a delimiter inside quotes",
			config: file("plantilla-es.csv", "ISO-8859-1", "", "id=ID", "family=Apellidos", "given=Nombre"),
			want: map[string]identity.Attributes{
				"E-100": {"id": "E-100", "family": "Núñez, de la Peña", "given": "José Ángel"},
				"E-101": {"id": "E-101", "family": "Muñoz", "given": "Íñigo"},
			},
		},
		{
			name:   "Polish, Excel's Unicode text: UTF-16 LE with a mark, tabs",
			config: file("kadry-pl.txt", "utf-16le", "\t", "id=Numer", "family=Nazwisko", "given=Imię", "hired=Data zatrudnienia:date"),
			want: map[string]identity.Attributes{
				"1001": {"id": "1001", "family": "Wójcik", "given": "Łucja", "hired": "2020-02-29"},
				"1002": {"id": "1002", "family": "Żółć", "given": "Stanisław", "hired": "2021-11-30"},
			},
		},
		{
			name:   "Greek in UTF-16 BE, with a character outside the basic plane",
			config: file("staff-el.csv", "utf-16be", "", "id=ΚΩΔΙΚΌΣ", "family=Επώνυμο"),
			want: map[string]identity.Attributes{
				"501": {"id": "501", "family": "Παπαδοπούλου"},
				"502": {"id": "502", "family": "𝒦αραγιάννης"},
			},
		},
		{
			name:   "Japanese in UTF-8 with a mark before a quoted header",
			config: file("shain-ja.csv", "", "", "id=社員番号", "name=氏名"),
			want: map[string]identity.Attributes{
				"A-1": {"id": "A-1", "name": "山田 太郎"},
				"A-2": {"id": "A-2", "name": "佐藤 花子"},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readConfig(t, c.config)
			require.NoError(t, err)
			assert.Equal(t, c.want, got.people)
			assert.True(t, got.Complete, got.Incomplete)
			assert.Zero(t, got.FaultCount)
		})
	}
}

// QUIRKS FILE-10
func TestBytesThatAreNoTextAreARowFaultWithLineAndOffset(t *testing.T) {
	for _, c := range []struct{ name, encoding, content, want string }{
		{"Windows-1252 in UTF-8", "", "id,name\n1,Ann\n2,M\xfcller\n3,Cy\n",
			`"name" is not utf-8: 0xFC at byte 17 of the file; if the file is windows-1252, say so as its encoding`},
		{"after a byte order mark the offset is still the file's", "", "\xef\xbb\xbfid,name\n1,Ann\n2,M\xfcller\n3,Cy\n", "0xFC at byte 20 of the file"},
		{"a quoted value over two lines", "", "id,name\n1,Ann\n2,\"a\nM\xfcller\"\n3,Cy\n", "0xFC at byte 20 of the file"},
		{"a character cut in two", "", "id,name\n1,Ann\n2,M\xc3\n3,Cy\n", "0xC3 at byte 17 of the file"},
		{"the mark of a character lost before", "", "id,name\n1,Ann\n2,M\ufffdller\n3,Cy\n", "U+FFFD, the mark of a character that was lost before; at byte 17"},
		{"a hole of Windows-1252", "windows-1252", "id,name\n1,\xc4nn\n2,M\x81ller\n3,Cy\n", "is not windows-1252 text at byte 17 of the file"},
		{"Windows-1252 in ISO-8859-1", "iso-8859-1", "id,name\n1,\xc4nn\n2,O\x92Neil\n3,Cy\n", "control character U+0092; the file is probably windows-1252"},
		{"half a surrogate pair", "utf-16le", utf16le("id,name\n1,𝒦nn\n2,M") + "\x00\xd8" + utf16le("ller\n3,Cy\n"), "is not utf-16le text at byte 36 of the file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := textConfig(t, c.content, "id", "name")
			config.Encoding = c.encoding
			got, err := readConfig(t, config)
			require.NoError(t, err)
			assert.Equal(t, []string{"1", "2", "3"}, got.anchors)
			require.Len(t, got.faults, 1)
			assert.Contains(t, got.faults["2"], c.want)
			assert.Equal(t, "hr.csv:3", got.at["2"])
			assert.NotContains(t, got.people, "2")
			assert.True(t, got.Complete, "its row is bad, and the person is there all the same")
		})
	}
}

func utf16le(s string) string {
	b, err := encodings["utf-16le"].text.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

// QUIRKS FILE-10
func TestAWrongEncodingIsNamedWithTheRightOne(t *testing.T) {
	for _, c := range []struct{ name, encoding, content, want string }{
		{"mark of UTF-16", "", "\xff\xfei\x00d\x00", "set encoding: utf-16le"},
		{"mark of UTF-8", "windows-1252", "\xef\xbb\xbfid,name\n1,Zoë\n", "set encoding: utf-8"},
		{"UTF-16 without a mark", "", utf16le("id,name\n1,Ann\n"), "probably utf-16le"},
		{"UTF-8 read as Windows-1252 would garble names without a fault", "windows-1252", "id,name\n1,Zoë\n2,Ann\n", "the file is utf-8, and the config says windows-1252"},
		{"a header that is no text", "", "id,name,Stra\xdfe\n1,Ann,x\n", "column 3 of the header holds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := textConfig(t, c.content, "id", "name")
			config.Encoding = c.encoding
			_, err := readConfig(t, config)
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "hr.csv")
		})
	}
}

func TestWindows1252IsNotTakenForUTF8(t *testing.T) {
	config := textConfig(t, "id,name\n1,Zo\xeb\n2,Ann\n"+strings.Repeat("3,x\n", 40_000), "id", "name")
	config.Encoding = "windows-1252"
	got, err := readConfig(t, config)
	require.NoError(t, err)
	assert.Equal(t, "Zoë", got.people["1"]["name"])
}
