package connectortest

import (
	"fmt"
	"strings"
	"testing"
)

// Run runs all checks as subtests, in-process and through the plugin's process,
// as far as the target gives both. With -short the heavy checks send a tenth.
func Run(t *testing.T, target Target) {
	t.Helper()
	if err := target.check(); err != nil {
		t.Fatal(err)
	}
	for _, h := range hostsOf(&target) {
		t.Run(h.name(), func(t *testing.T) {
			s := &session{target: &target, host: h, options: Options{Quick: testing.Short()}}
			if err := s.start(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.close)
			for _, c := range s.checks() {
				t.Run(c.ID, func(t *testing.T) {
					switch out := s.run(t.Context(), c); out.Status {
					case Pass:
						for _, part := range out.NotTried {
							t.Log("not tried: " + part)
						}
					case Failed:
						t.Errorf("%s\nrepeat it with: go test -run '%s'", out.explain(), t.Name())
					case Skipped:
						t.Skip(out.Reason)
					}
				})
			}
		})
	}
}

// explain tells all there is to know about a failure.
func (o Outcome) explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", o.ID, o.Title, o.Reason)
	if len(o.Trace) > 0 {
		b.WriteString("\nthe last operations:")
		for _, line := range o.Trace {
			b.WriteString("\n  " + line)
		}
	}
	if o.Log != "" {
		b.WriteString("\nthe plugin's log:\n  " + strings.ReplaceAll(strings.TrimSpace(o.Log), "\n", "\n  "))
	}
	return b.String()
}
