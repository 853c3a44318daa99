package pluginhost

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/provhub/provhub/plugins/redact"
)

func TestLogLinesOfEveryKindAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		raw   string
		level slog.Level
		text  string
		attrs string
	}{
		{`{"@level":"warn","@message":"slow","@timestamp":"2026-01-01T00:00:00Z","op":"o-1"}`, slog.LevelWarn, "slow", "op=o-1"},
		{`{"time":"x","level":"ERROR","msg":"failed","n":3,"list":[1,2]}`, slog.LevelError, "failed", "list=[1,2] n=3"},
		{`{"@message": 1}`, slog.LevelInfo, "1", ""},
		{`{"@message": {"a":null}, "@level": 7, "x": null}`, slog.LevelInfo, `{"a":null}`, "x="},
		{`{"level":"trace","msg":"deep"}`, slog.LevelDebug - 4, "deep", ""},
		{`{"msg":"sent","operation_id":"o-1/create","run":"7"}`, slog.LevelInfo, "sent", "=[operation=o-1 step=create] plugin_run=7"},
		{`{"msg":"sent","operation":"o-1"}`, slog.LevelInfo, "sent", "operation=o-1"},
		{`{broken`, slog.LevelInfo, `{broken`, ""},
		{`[WARN] disk is full`, slog.LevelWarn, "disk is full", ""},
		{`[1,2]`, slog.LevelInfo, "[1,2]", ""},
		{`just text`, slog.LevelInfo, "just text", ""},
		{`panic: oh no`, slog.LevelError, "panic: oh no", ""},
	} {
		l := parseLine(c.raw)
		var attrs []string
		for _, a := range l.attrs {
			attrs = append(attrs, a.String())
		}
		assert.Equal(t, c.level, l.level, c.raw)
		assert.Equal(t, c.text, l.text, c.raw)
		assert.Equal(t, c.attrs, strings.Join(attrs, " "), c.raw)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add(`{"@message": 1}`)
	f.Add(`{"@level":[],"@timestamp":{}}`)
	f.Add(`[ERROR`)
	f.Fuzz(func(t *testing.T, raw string) { parseLine(raw) })
}

func TestLinesAreCutAndJoined(t *testing.T) {
	var got []string
	w := &lineWriter{emit: func(s string) { got = append(got, s) }}
	for _, chunk := range []string{"one\ntw", "o\r\n\n", strings.Repeat("x", maxLine+5), "yyy\nbad \xff byte\nrest"} {
		n, err := w.Write([]byte(chunk))
		assert.NoError(t, err)
		assert.Equal(t, len(chunk), n)
	}
	w.Close()
	assert.Equal(t, []string{"one", "two", strings.Repeat("x", maxLine) + " [cut off]", "bad \uFFFD byte", "rest"}, got)
}

func TestAFloodIsDroppedCountedAndKept(t *testing.T) {
	var out bytes.Buffer
	b := newLogbook(slog.New(slog.NewTextHandler(&out, nil)), redact.New(nil))
	w := b.stderr()
	for i := range 20_000 {
		fmt.Fprintf(w, "line %d\n", i)
	}
	logged := strings.Count(out.String(), "\n")
	assert.GreaterOrEqual(t, logged, lineBurst)
	assert.Less(t, logged, 15_000)
	assert.Len(t, b.last(5000), keptLines)
	assert.Contains(t, b.last(1)[0], "line 19999", "the end is what matters")
	time.Sleep(5 * time.Millisecond) // room for a few lines
	fmt.Fprintln(w, "after")
	assert.Contains(t, out.String(), "lines were dropped")
}

func TestAPanicIsKeptWhole(t *testing.T) {
	b := newLogbook(nopLog(), redact.New(nil))
	fmt.Fprint(b.stderr(), "before\npanic: x\n\ngoroutine 1 [running]:\nmain.f()\n")
	assert.Equal(t, "panic: x\ngoroutine 1 [running]:\nmain.f()", b.takePanic())
	assert.Empty(t, b.takePanic())
}
