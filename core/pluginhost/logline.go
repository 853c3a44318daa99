package pluginhost

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// maxLine bounds one log line; the rest of a longer one is cut off.
const maxLine = 16 << 10

// line is one line of a plugin's log, understood as far as possible.
type line struct {
	level slog.Level
	text  string
	attrs []slog.Attr
	panic bool // begins a panic or a dump of all goroutines
}

// The keys of hclog and of log/slog.
var (
	messageKeys = []string{"@message", "msg"}
	levelKeys   = []string{"@level", "level"}
	droppedKeys = []string{"@timestamp", "time", "@caller", "source"}
)

// operationKeys are how plugins name an operation; ourKeys are those of which the hub
// alone says what they mean.
var (
	operationKeys = map[string]bool{"operation_id": true, "operation": true}
	ourKeys       = map[string]bool{"connector": true, "plugin": true, "printed_to": true, "run": true, "plan": true, "node": true, "step": true}
)

var levels = map[string]slog.Level{
	"trace": slog.LevelDebug - 4, "debug": slog.LevelDebug, "info": slog.LevelInfo,
	"warn": slog.LevelWarn, "warning": slog.LevelWarn, "error": slog.LevelError,
}

// panicStarts begin what the Go runtime prints before it ends the process.
var panicStarts = []string{"panic: ", "fatal error: ", "SIGQUIT: quit", "unexpected fault address", "Traceback (most recent call last)"}

// parseLine reads a line of JSON as hclog or slog write it, a plain line with
// or without a level such as "[WARN] …", or anything else. It never fails: a
// plugin must not be able to upset the hub by what it logs.
func parseLine(raw string) line {
	if strings.HasPrefix(raw, "{") {
		var fields map[string]any
		if json.Unmarshal([]byte(raw), &fields) == nil {
			return fromFields(fields)
		}
	}
	for _, start := range panicStarts {
		if strings.HasPrefix(raw, start) {
			return line{level: slog.LevelError, text: raw, panic: true}
		}
	}
	if rest, ok := strings.CutPrefix(raw, "["); ok {
		if name, text, ok := strings.Cut(rest, "]"); ok {
			if level, known := levels[strings.ToLower(name)]; known {
				return line{level: level, text: strings.TrimSpace(text)}
			}
		}
	}
	return line{level: slog.LevelInfo, text: raw}
}

func fromFields(fields map[string]any) line {
	l := line{level: slog.LevelInfo}
	for _, k := range messageKeys {
		if v, ok := fields[k]; ok {
			l.text = plain(v)
		}
		delete(fields, k)
	}
	for _, k := range levelKeys {
		if level, known := levels[strings.ToLower(plain(fields[k]))]; known {
			l.level = level
		}
		delete(fields, k)
	}
	for _, k := range droppedKeys {
		delete(fields, k)
	}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		switch {
		case operationKeys[k]:
			l.attrs = append(l.attrs, ofStep(plain(fields[k])))
		case ourKeys[k]:
			l.attrs = append(l.attrs, slog.String("plugin_"+k, plain(fields[k])))
		default:
			l.attrs = append(l.attrs, slog.String(k, plain(fields[k])))
		}
	}
	return l
}

// ofStep says which operation a line is about, by the id of one of its steps: to the
// plugin each step is an operation.
func ofStep(id string) slog.Attr {
	operation, step, ok := strings.Cut(id, "/")
	if !ok {
		return slog.String("operation", id)
	}
	// Without a name: its members stand beside the others.
	return slog.Attr{Value: slog.GroupValue(slog.String("operation", operation), slog.String("step", step))}
}

// plain renders a JSON value as text, whatever it is.
func plain(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool, float64:
		return fmt.Sprint(x)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
