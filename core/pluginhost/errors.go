package pluginhost

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// StartError says why a plugin did not come up, what to do about it and what
// the plugin last wrote to its log.
type StartError struct {
	Path string
	What string   // what happened
	Hint string   // what to do; "" when nothing is known
	Log  []string // the last lines, oldest first
	Err  error
}

// Error implements error.
func (e *StartError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plugin %s %s", e.Path, e.What)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	for _, line := range e.Log {
		b.WriteString("\n  | " + line)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// ConfigError says that a plugin refused its config. It lists every finding.
type ConfigError struct {
	Type     string
	Findings []connector.Finding // warnings too
}

// Error implements error.
func (e *ConfigError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the %s plugin refuses its config", e.Type)
	for _, f := range e.Findings {
		if f.Warning {
			continue
		}
		path := f.Path
		if path == "" {
			path = "/"
		}
		fmt.Fprintf(&b, "\n  %s: %s", path, f.Summary)
		if f.Detail != "" {
			fmt.Fprintf(&b, " (%s)", f.Detail)
		}
	}
	return b.String()
}
