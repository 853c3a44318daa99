package connectortest

import (
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// onItsWay is how long what was logged or printed may take to arrive.
const onItsWay = 50 * time.Millisecond

// fastest calls f up to n times, until one call takes no longer than limit, and
// returns how long the fastest took: a busy machine makes any single one slow.
func fastest(n int, limit time.Duration, f func() error) (time.Duration, error) {
	best := time.Duration(0)
	for i := range n {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if took := time.Since(began); i == 0 || took < best {
			best = took
		}
		if best <= limit {
			break
		}
	}
	return best, nil
}

// ids returns those of operations.
func ids[O connector.Operation](ops []O) []string {
	out := make([]string, len(ops))
	for i, op := range ops {
		out[i] = op.Meta().ID
	}
	return out
}

// inTime fails when an answer took so long that the plugin must have waited for
// something that will not come.
func inTime(took, limit time.Duration) error {
	if took > limit+patience {
		return fmt.Errorf("answered after %v, want at most %v", took.Round(time.Millisecond), limit)
	}
	return nil
}
