package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// pin takes the versions of all modules over from a checkout of provhub, so
// that the plugin builds with exactly what the hub was tested with, offline.
func (r *Result) pin(v values) error {
	mod, err := os.ReadFile(filepath.Join(v.Replace, "go.mod"))
	if err != nil {
		return fmt.Errorf("%s is not a checkout of provhub: %w", v.Replace, err)
	}
	if !strings.HasPrefix(string(mod), "module "+hub+"\n") {
		return fmt.Errorf("%s is not a checkout of provhub: its go.mod names another module", v.Replace)
	}
	sum, err := os.ReadFile(filepath.Join(v.Replace, "go.sum"))
	if err != nil {
		return fmt.Errorf("%s is not a checkout of provhub: %w", v.Replace, err)
	}
	own := fmt.Sprintf("module %s\n\n%s\nreplace %s => %s\n\nrequire %s v0.0.0\n", v.Module, directives(string(mod)), hub, quoted(v.Replace), hub)
	if err := os.WriteFile(filepath.Join(r.Dir, "go.mod"), []byte(own+"\n"+requirements(string(mod))), 0o644); err != nil {
		return err
	}
	return r.write("go.sum", string(sum))
}

// directives returns the go and toolchain lines of a go.mod.
func directives(mod string) string {
	var b strings.Builder
	for line := range strings.Lines(mod) {
		if strings.HasPrefix(line, "go ") || strings.HasPrefix(line, "toolchain ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// requirements returns the require blocks of a go.mod.
func requirements(mod string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(mod) {
		if strings.HasPrefix(line, "require (") {
			inside = true
		}
		if inside || strings.HasPrefix(line, "require ") {
			b.WriteString(line)
		}
		if strings.HasPrefix(line, ")") {
			inside = false
		}
	}
	return b.String()
}

// quoted writes a path as go.mod wants it.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t\"'`,()[]{}") {
		return fmt.Sprintf("%q", path)
	}
	return path
}
