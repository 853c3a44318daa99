package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/provhub/provhub/core/hub"
)

// json prints v when --output json was given, and says whether it did. A list
// with nothing in it is [], never null.
func (a *app) json(v any) (bool, error) {
	if a.output != "json" {
		return false, nil
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.IsNil() {
		v = []any{}
	}
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return true, e.Encode(v)
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// table prints rows under headers; nothing when there are no rows.
func (a *app) table(header []any, rows [][]any) {
	if len(rows) == 0 {
		return
	}
	t := table.NewWriter()
	t.SetOutputMirror(a.out)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatUpper
	t.SetStyle(style)
	if w := a.width(); w > 0 {
		t.SetColumnConfigs([]table.ColumnConfig{{
			Number: len(header), WidthMax: lastColumn(header, rows, w), WidthMaxEnforcer: text.WrapSoft,
		}})
	}
	t.AppendHeader(header)
	for _, r := range rows {
		t.AppendRow(r)
	}
	t.SuppressTrailingSpaces()
	t.Render()
}

// lastColumn returns how wide the last column may be, so that the table fits the
// terminal: it holds the long text, and is wrapped.
func lastColumn(header []any, rows [][]any, width int) int {
	for col := range len(header) - 1 {
		widest := text.StringWidth(fmt.Sprint(header[col]))
		for _, r := range rows {
			widest = max(widest, text.StringWidth(fmt.Sprint(r[col])))
		}
		width -= widest + 2
	}
	return max(width, 24)
}

// width returns the width of the terminal, 0 when the output is none.
func (a *app) width() int {
	f, ok := a.out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// progress returns what tells the user that long work goes on: a line that is
// overwritten on a terminal, a line every ten seconds elsewhere.
func (a *app) progress() func(hub.Progress) {
	if a.quiet {
		return nil
	}
	f, ok := a.err.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	return newProgress(a.err, terminal, time.Now).report
}

// short shortens a hash or an id to what people type.
func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

// when prints a time for people: the clock today, the date otherwise.
func when(t, now time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = t.Local()
	if t.Format(time.DateOnly) == now.Local().Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04")
}

// list joins what there is with commas.
func list(parts []string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ", ")
}
