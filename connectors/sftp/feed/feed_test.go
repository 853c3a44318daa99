package feed

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
)

func column(name string) Column {
	return Column{Name: name, Kind: KindAttribute, True: "true", False: "false", Enabled: "active", Disabled: "disabled", Deleted: "deleted", Separator: "|"}
}

func special(kind, header string) Column {
	c := column("")
	c.Kind, c.Header = kind, header
	return c
}

// layout is a layout with an id, a name, more columns, and changes.
func layout(change func(*Layout), more ...Column) *Layout {
	l := &Layout{Key: "id", Columns: append([]Column{column("id"), column("name")}, more...), Actions: Actions{Create: "A", Update: "U", Delete: "D"}}
	if change != nil {
		change(l)
	}
	return l
}

func row(pairs ...any) *Row {
	r := &Row{State: Enabled}
	for i := 0; i < len(pairs); i += 2 {
		vs, ok := pairs[i+1].(connector.Values)
		if !ok {
			vs = connector.Values{pairs[i+1]}
		}
		r.Attributes = append(r.Attributes, connector.Attribute{Name: pairs[i].(string), Values: vs})
	}
	return r
}

// write makes a whole file of rows.
func write(t testing.TB, l *Layout, x Facts, pgp *PGP, rows ...*Row) ([]byte, Written) {
	t.Helper()
	var b bytes.Buffer
	x.Rows = int64(len(rows))
	w, err := l.NewWriter(&b, x, false, pgp)
	require.NoError(t, err)
	for _, r := range rows {
		line, err := l.Line(r.Attributes.Text("id"), r, NoAction)
		require.NoError(t, err)
		require.NoError(t, w.Lines(line, 1))
	}
	done, err := w.Close()
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), done.Size)
	return b.Bytes(), done
}

func TestWhole(t *testing.T) {
	typed := []Column{
		{Name: "born", Kind: KindAttribute, Type: "date", Format: "DD.MM.YYYY"}, {Name: "staff", Kind: KindAttribute, Type: "bool", True: "Y", False: "N"},
		{Name: "floor", Kind: KindAttribute, Type: "integer"}, {Name: "phone", Kind: KindAttribute, Multi: true, Separator: ";"},
		special(KindState, "STATUS"), special(KindGroups, "ROLES"), {Header: "CO", Kind: KindConstant, Value: "ACME"},
	}
	jane := row("id", "7", "name", "Zoë", "born", connector.Date("1990-02-03"), "staff", true, "floor", int64(3), "phone", connector.Values{"+49 1", "+49 2"})
	jane.Groups = []string{"a", "b"}
	john := row("id", "8", "name", `O"Neil, J`)
	john.State = Disabled
	for _, tt := range []struct {
		name string
		l    *Layout
		want string
	}{
		{name: "plain CSV", l: layout(nil, typed...),
			want: "id,name,born,staff,floor,phone,STATUS,ROLES,CO\n7,Zoë,03.02.1990,Y,3,+49 1;+49 2,active,a|b,ACME\n8,\"O\"\"Neil, J\",,,,,disabled,,ACME\n"},
		{name: "everything quoted, CRLF, tabs", l: layout(func(l *Layout) {
			l.File = File{Quote: "all", LineEnd: "crlf", Delimiter: `\t`}
		}), want: "\"id\"\t\"name\"\r\n\"7\"\t\"Zoë\"\r\n\"8\"\t\"O\"\"Neil, J\"\r\n"},
		{name: "leader and trailer, no header", l: layout(func(l *Layout) {
			l.File = File{NoHeader: true, Leader: "HDR|{seq:6}|{date}", Trailer: "TRL|{rows}"}
		}), want: "HDR|000042|20260331\n7,Zoë\n8,\"O\"\"Neil, J\"\nTRL|2\n"},
		{name: "windows-1252", l: layout(func(l *Layout) { l.File.Encoding = "windows-1252" }), want: "id,name\n7,Zo\xeb\n8,\"O\"\"Neil, J\"\n"},
		{name: "a byte order mark", l: layout(func(l *Layout) { l.File.Encoding = "utf-8-bom" }), want: "\xEF\xBB\xBFid,name\n7,Zoë\n8,\"O\"\"Neil, J\"\n"},
		{name: "JSON lines", l: layout(func(l *Layout) { l.File.Format = "jsonl" }, typed...),
			want: `{"id":"7","name":"Zoë","born":"03.02.1990","staff":true,"floor":3,"phone":["+49 1","+49 2"],"STATUS":"active","ROLES":["a","b"],"CO":"ACME"}` + "\n" +
				`{"id":"8","name":"O\"Neil, J","STATUS":"disabled","ROLES":[],"CO":"ACME"}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := Facts{Seq: 42, At: time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC), Mode: "full"}
			got, done := write(t, tt.l, x, nil, jane, john)
			require.Equal(t, tt.want, string(got))
			again, second := write(t, tt.l, x, nil, jane, john)
			require.Equal(t, got, again, "the same rows, the same bytes (QUIRKS FILE-16)")
			require.Equal(t, done, second)
			require.EqualValues(t, 2, done.Rows)
			readBack(t, tt.l, got, jane, john)
		})
	}
}

// readBack parses a file and compares what the layout carries.
func readBack(t testing.TB, l *Layout, b []byte, want ...*Row) {
	t.Helper()
	i := 0
	require.NoError(t, l.File.Records(bytes.NewReader(b), func(cells map[string]any) error {
		key, r, err := l.Parse(cells)
		require.NoError(t, err)
		require.Equal(t, want[i].Attributes.Text("id"), key)
		line, err := l.Line(key, r, NoAction)
		require.NoError(t, err)
		same, err := l.Line(key, want[i], NoAction)
		require.NoError(t, err)
		require.Equal(t, string(same), string(line))
		i++
		return nil
	}))
	require.Equal(t, len(want), i)
}

func TestUTF16(t *testing.T) {
	for _, name := range []string{"utf-16le", "utf-16be"} {
		l := layout(func(l *Layout) { l.File.Encoding = name })
		got, _ := write(t, l, Facts{}, nil, row("id", "1", "name", "Ж🧑"))
		require.Equal(t, marks[name], string(got[:2]))
		require.Equal(t, 1, bytes.Count(got, []byte(marks[name])), "one mark only")
		readBack(t, l, got, row("id", "1", "name", "Ж🧑"))
	}
}

// QUIRKS FILE-10: a value is refused rather than mangled, and the error names the
// attribute, not the value.
func TestValuesThatAFileCannotHold(t *testing.T) {
	for _, tt := range []struct {
		name string
		l    *Layout
		r    *Row
		attr string
	}{
		{name: "not in the encoding", l: layout(func(l *Layout) { l.File.Encoding = "iso-8859-1" }), r: row("id", "1", "name", "secret-Ж"), attr: "name"},
		{name: "not UTF-8", l: layout(nil), r: row("id", "1", "name", "secret-\xff"), attr: "name"},
		{name: "a delimiter without quotes", l: layout(func(l *Layout) { l.File.Quote = "none" }), r: row("id", "1", "name", "secret-,"), attr: "name"},
		{name: "a line break without quotes", l: layout(func(l *Layout) { l.File.Quote = "none" }), r: row("id", "1", "name", "secret-\n"), attr: "name"},
		{name: "the separator", l: layout(func(l *Layout) { l.Columns[1].Multi = true }), r: row("id", "1", "name", connector.Values{"secret-|", "b"}), attr: "name"},
		{name: "an object", l: layout(nil), r: row("id", "1", "name", map[string]any{"secret-": 1.0}), attr: "name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.l.Line("1", tt.r, NoAction)
			require.True(t, connector.IsCode(err, connector.CodeInvalidValue), "%v", err)
			require.Equal(t, []string{tt.attr}, connector.AsError(err).Attributes)
			require.NotContains(t, err.Error(), "secret-")
		})
	}
}

// QUIRKS FILE-13: cells are guarded where the config says so, and nowhere else.
func TestFormulaGuard(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+49 40": "'+49 40", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "  =1": "'  =1", "＝1": "'＝1", "　＋1": "'　＋1",
		"a=1": "a=1", "": "", "'=1": "'=1",
	} {
		require.Equal(t, want, guarded(text), text)
	}
	l := layout(func(l *Layout) { l.Columns[1].FormulaGuard = true }, column("phone"))
	line, err := l.Line("1", row("id", "1", "name", "=cmd", "phone", "+49 40 1"), NoAction)
	require.NoError(t, err)
	require.Equal(t, "1,'=cmd,+49 40 1\n", string(line))
}

// QUIRKS FILE-8: what a delta file says of a change.
func TestActions(t *testing.T) {
	on, off, gone := &Row{State: Enabled}, &Row{State: Disabled}, &Row{State: Deleted}
	for _, tt := range []struct {
		name         string
		drop, mark   bool
		was, is      *Row
		want         Action
		nothingToSay bool
	}{
		{name: "new", is: on, want: Create},
		{name: "changed", was: on, is: on, want: Update},
		{name: "gone", was: on, want: Delete},
		{name: "disabled", was: on, is: off, want: Disable},
		{name: "enabled", was: off, is: on, want: Enable},
		{name: "disabled accounts have no row", drop: true, was: on, is: off, want: Delete},
		{name: "nor come back otherwise than new", drop: true, was: off, is: on, want: Create},
		{name: "made and gone", nothingToSay: true},
		{name: "made disabled without a row", drop: true, is: off, nothingToSay: true},
		{name: "marked as deleted", mark: true, was: on, is: gone, want: Delete},
		{name: "deleted without a mark", was: on, is: gone, want: Delete},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := layout(func(l *Layout) { l.DropDisabled, l.MarkDeleted = tt.drop, tt.mark })
			got, ok := l.ActionOf(tt.was, tt.is)
			require.Equal(t, !tt.nothingToSay, ok)
			require.Equal(t, tt.want, got)
		})
	}
	l := layout(nil, special(KindAction, "DO"))
	line, err := l.Line("1", row("id", "1"), Disable)
	require.NoError(t, err)
	require.Equal(t, "1,,U\n", string(line), "update, unless another word is given")
}

// Whatever is written, the standard library reads.
func TestCSVProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-z"',; \t\n=Ж]|\\\.){0,12}`)
		l := layout(func(l *Layout) {
			l.File.Quote = rapid.SampledFrom([]string{"minimal", "all"}).Draw(t, "quote")
			l.File.Delimiter = rapid.SampledFrom([]string{",", ";", `\t`, "|"}).Draw(t, "delimiter")
			l.File.LineEnd = rapid.SampledFrom([]string{"lf", "crlf"}).Draw(t, "end")
		})
		name := text.Draw(t, "name")
		line, err := l.Line("k", row("id", "k", "name", name), NoAction)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(bytes.NewReader(line))
		r.Comma = rune(l.File.delimiter()[0])
		cells, err := r.Read()
		if err != nil || len(cells) != 2 || cells[1] != name {
			t.Fatalf("%q was read as %q, %v", line, cells, err)
		}
	})
}

func TestNames(t *testing.T) {
	f := &File{TimeZone: "Europe/Berlin"}
	x := Facts{Seq: 7, At: time.Date(2026, 3, 31, 23, 5, 9, 0, time.UTC), Run: "ab12", Mode: "delta", File: "people_7.csv"}
	for pattern, want := range map[string]string{
		"people_{seq}.csv": "people_7.csv", "{seq:6}": "000007", "p_{date}_{time}.csv": "p_20260401_010509.csv", "{date:YYYY-MM-DD}-{time:hhmm}": "2026-04-01-0105",
		"{file}.done": "people_7.csv.done", "{base}.ok": "people_7.ok", "{mode}-{run}": "delta-ab12",
	} {
		got, err := f.Fill(pattern, x)
		require.NoError(t, err)
		require.Equal(t, want, got)
		seq, ok := NewMatcher(pattern, "people_{seq}.csv").Match(got)
		require.True(t, ok, pattern)
		if strings.Contains(pattern, "{seq") || strings.Contains(pattern, "{file}") {
			require.EqualValues(t, 7, seq)
		}
	}
	for _, pattern := range []string{"{nonsense}", "{seq:x}", "a/b", ".hidden", ""} {
		require.Error(t, f.CheckName(pattern), pattern)
	}
	_, ok := NewMatcher("people_{seq}.csv", "").Match("people_7.csv.done")
	require.False(t, ok)
	require.True(t, Numbered("p_{seq}"))
	require.False(t, Numbered("people_{date}.csv"))
}

// QUIRKS FILE-7: a file that was cut is not read as whole.
func TestReadingBackWhatIsDamaged(t *testing.T) {
	l := layout(func(l *Layout) { l.File.Trailer = "END,{rows}" })
	whole, _ := write(t, l, Facts{}, nil, row("id", "1", "name", "a"), row("id", "2", "name", "b"))
	for name, text := range map[string]string{
		"cut at a row":      "id,name\n1,a\n",
		"another count":     "id,name\n1,a\nEND,2\n",
		"a row too short":   "id,name\n1\nEND,1\n",
		"a header twice":    "id,ID\n1,a\nEND,1\n",
		"not its encoding":  "id,name\n1,\"a\nEND,1\n",
		"a missing column":  "id,other\n1,a\nEND,1\n",
		"a row without key": "id,name\n,a\nEND,1\n",
	} {
		err := l.File.Records(strings.NewReader(text), func(cells map[string]any) error {
			_, _, err := l.Parse(cells)
			return err
		})
		require.Error(t, err, name)
	}
	readBack(t, l, whole, row("id", "1", "name", "a"), row("id", "2", "name", "b"))
}

func TestGzip(t *testing.T) {
	l := layout(func(l *Layout) { l.File.Compress = "gzip" })
	got, _ := write(t, l, Facts{}, nil, row("id", "1", "name", "a"))
	again, _ := write(t, l, Facts{}, nil, row("id", "1", "name", "a"))
	require.Equal(t, got, again)
	readBack(t, l, got, row("id", "1", "name", "a"))
}

func TestManifest(t *testing.T) {
	m := Manifest{Run: "r", Sequence: 3, Mode: "full", Created: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), Previous: "abc", Files: []Written{{Name: "a", Size: 1, Rows: 2, SHA256: "x"}}}
	b := m.Encode()
	got, err := DecodeManifest(b)
	require.NoError(t, err)
	require.Equal(t, m, got)
	for cut := range len(b) - 2 {
		_, err := DecodeManifest(b[:cut])
		require.Error(t, err, cut)
	}
}

func TestDateFormats(t *testing.T) {
	for _, good := range []string{"", "YYYY-MM-DD", "DD.MM.YYYY", "YYYYMMDD"} {
		require.NoError(t, CheckDateFormat(good, false), good)
	}
	require.NoError(t, CheckDateFormat("YYYY-MM-DDThh:mm:ss", true))
	for _, bad := range []string{"YYYY-MM", "dd.mm.yy", "x"} {
		require.Error(t, CheckDateFormat(bad, false), bad)
	}
	require.Error(t, CheckDateFormat("YYYY-MM-DD", true), "a timestamp has a time")
}

// Whatever a receiver sends as a response is read or refused, never worse.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{"id,name\n1,a\nEND,1\n", "id,name\r\n\"1\",\"a\"\"\n\"\r\nEND,1", "{\"id\":\"1\",\"x\":[1,null]}\n", "\xEF\xBB\xBFid\n", "id\n\"", "\x1f\x8b\x08"} {
		for _, charset := range []string{"utf-8", "utf-16le", "windows-1252"} {
			f.Add(seed, charset, false)
			f.Add(seed, charset, true)
		}
	}
	f.Fuzz(func(t *testing.T, text, charset string, isJSON bool) {
		file := File{Encoding: charset, Trailer: "END,{rows}"}
		if isJSON {
			file.Format = "jsonl"
		}
		rows := 0
		err := file.Records(strings.NewReader(text), func(row map[string]any) error {
			rows++
			_ = Text(row, "ID")
			return nil
		})
		if err == nil && !strings.Contains(text, "END") && charset == "utf-8" {
			t.Fatalf("%d rows were read, and there is no trailer", rows)
		}
	})
}
