package pluginhost

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/provhub/provhub/plugins/redact"
)

// Bounds of what one plugin may log. A chatty one writes tens of thousands of
// lines a second.
const (
	linesPerSecond = 1000
	lineBurst      = 5000
	keptLines      = 1000
	maxPanicLines  = 400
)

// logbook takes what one instance's plugin writes: parses it, redacts it, hands
// it to the hub's log and keeps the last lines for incidents.
type logbook struct {
	log    *slog.Logger
	redact *redact.Redactor
	limit  *rate.Limiter

	mu      sync.Mutex
	ring    []string // oldest first once full, from next on
	next    int
	panic   []string // from the line where a panic began; nil: none seen
	dropped int      // by the limit, not reported yet
}

func newLogbook(log *slog.Logger, redact *redact.Redactor) *logbook {
	return &logbook{log: log, redact: redact, limit: rate.NewLimiter(linesPerSecond, lineBurst)}
}

// stderr returns the writer for a process's log.
func (b *logbook) stderr(attrs ...slog.Attr) *lineWriter {
	return &lineWriter{emit: func(raw string) { b.add(parseLine(raw), attrs) }}
}

// printed returns the writer for what a plugin prints where nothing should be
// printed, such as a stray fmt.Println.
func (b *logbook) printed(stream string, attrs ...slog.Attr) *lineWriter {
	attrs = append(attrs, slog.String("printed_to", stream))
	return &lineWriter{emit: func(raw string) {
		b.add(line{level: slog.LevelWarn, text: "printed by the plugin: " + raw}, attrs)
	}}
}

func (b *logbook) add(l line, attrs []slog.Attr) {
	// After parsing: inside JSON a secret may be written in many ways.
	l.text = b.redact.Text(l.text)
	for i, a := range l.attrs {
		l.attrs[i].Value = b.clean(a.Value)
	}
	l = b.keep(l)
	if !b.limit.Allow() {
		b.mu.Lock()
		b.dropped++
		b.mu.Unlock()
		return
	}
	b.reportDropped()
	b.log.LogAttrs(context.Background(), l.level, l.text, append(l.attrs, attrs...)...)
}

// clean returns a value without secrets.
func (b *logbook) clean(v slog.Value) slog.Value {
	if v.Kind() != slog.KindGroup {
		return slog.StringValue(b.redact.Text(v.String()))
	}
	members := slices.Clone(v.Group())
	for i := range members {
		members[i].Value = b.clean(members[i].Value)
	}
	return slog.GroupValue(members...)
}

func (b *logbook) reportDropped() {
	b.mu.Lock()
	n := b.dropped
	b.dropped = 0
	b.mu.Unlock()
	if n > 0 {
		b.log.Warn("the plugin logs too much: lines were dropped", "dropped", n, "lines_per_second", linesPerSecond)
	}
}

// keep stores l for incidents and returns it; what follows a panic is part of it.
func (b *logbook) keep(l line) line {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.panic || b.panic != nil {
		l.level = slog.LevelError
		if len(b.panic) < maxPanicLines {
			b.panic = append(b.panic, l.text)
		}
	}
	var text strings.Builder
	text.WriteString(time.Now().UTC().Format("15:04:05.000 ") + l.level.String() + " " + l.text)
	for _, a := range l.attrs {
		text.WriteString(" " + a.String())
	}
	if len(b.ring) < keptLines {
		b.ring = append(b.ring, text.String())
	} else {
		b.ring[b.next] = text.String()
		b.next = (b.next + 1) % keptLines
	}
	return l
}

// last returns up to n lines, oldest first.
func (b *logbook) last(n int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := append(append([]string{}, b.ring[b.next:]...), b.ring[:b.next]...)
	return all[max(0, len(all)-n):]
}

// takePanic returns the panic that was logged since the last call, "" for none.
func (b *logbook) takePanic() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := strings.Join(b.panic, "\n")
	b.panic = nil
	return text
}

// lineWriter cuts a stream into lines. A line longer than [maxLine] is cut off
// and marked.
type lineWriter struct {
	emit func(string)

	mu  sync.Mutex
	buf []byte
	cut bool
}

// Write implements io.Writer and never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		head, rest, ended := bytes.Cut(p, []byte{'\n'})
		room := maxLine - len(w.buf)
		w.cut = w.cut || len(head) > room
		w.buf = append(w.buf, head[:min(len(head), room)]...)
		if ended {
			w.flush()
		}
		p = rest
	}
	return n, nil
}

// Close hands out an unfinished line.
func (w *lineWriter) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buf) > 0 {
		w.flush()
	}
}

func (w *lineWriter) flush() {
	text := strings.TrimRight(strings.ToValidUTF8(string(w.buf), "\uFFFD"), "\r")
	if w.cut {
		text += " [cut off]"
	}
	w.buf, w.cut = w.buf[:0], false
	if text != "" {
		w.emit(text)
	}
}
