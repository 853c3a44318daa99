package sftp

import (
	"fmt"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

// How many changes a second go into the outbox, in batches as the hub sends them.
func BenchmarkAccept(b *testing.B) {
	s := server(b)
	x := target(b, people(b.TempDir()).with(at(s)).with(settings{"publish": settings{"after": "1h", "within": "1h"}}), secretsOf(s))
	n := 0
	for b.Loop() {
		var ops []connector.Operation
		for range 256 {
			n++
			ops = append(ops, create(fmt.Sprint(n), fmt.Sprintf("%08d", n), "Somebody or other", "mail", "somebody@example.org"))
		}
		apply(b, x, ops...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "changes/s")
}
