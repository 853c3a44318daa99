package pluginhost

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// TestKillsAtAnyMomentLoseAndInventNothing kills the plugin with SIGKILL at
// random moments under load. The plugin journals each effect before it
// answers. Whatever is called done must have taken effect, and whatever took
// effect must be called done or unknown.
func TestKillsAtAnyMomentLoseAndInventNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	journal := filepath.Join(t.TempDir(), "journal")
	cfg, _ := testConfig(t, "good", fmt.Sprintf(`{"journal":%q,"delay_ms":2}`, journal))
	cfg.Times.RestartMax = 20 * time.Millisecond
	in := startConfig(t, cfg)

	const callers, kills = 64, 25
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answers := make([]map[string]connector.Result, callers)
	var wg sync.WaitGroup
	for c := range callers {
		answers[c] = map[string]connector.Result{}
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_ = in.WaitReady(ctx)
				// Singles and groups; the context is another, so that none is taken back.
				ops := []connector.Operation{op(fmt.Sprintf("c%d-%d-a", c, n), "")}
				if n%4 == 0 {
					ops = append(ops, op(fmt.Sprintf("c%d-%d-b", c, n), ""))
				}
				for _, r := range in.Apply(context.Background(), ops) {
					answers[c][r.ID] = r
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		require.NoError(t, in.WaitReady(ctx))
		pid := in.Health().PID
		time.Sleep(time.Duration(random.IntN(40_000)) * time.Microsecond)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		eventually(t, "the kill is seen", func() bool { return in.Health().PID != pid })
	}
	cancel()
	wg.Wait()
	stopped(t, in)

	content, err := os.ReadFile(journal)
	require.NoError(t, err)
	effects := map[string]int{}
	for line := range strings.Lines(string(content)) {
		effects[strings.TrimSpace(line)]++
	}
	tally := map[connector.Outcome]int{}
	doubtButDone := 0
	for _, as := range answers {
		for id, r := range as {
			tally[r.Outcome]++
			n := effects[id]
			delete(effects, id)
			switch r.Outcome {
			case connector.OutcomeApplied:
				assert.Equal(t, 1, n, "%s was called done", id)
			case connector.OutcomeUnknown:
				assert.LessOrEqual(t, n, 1, id)
				doubtButDone += n
			case connector.OutcomeFailed:
				assert.Zero(t, n, "%s was called not sent: %v", id, r.Err)
				assert.Equal(t, connector.CodeUnavailable, r.Err.Code)
			default:
				t.Errorf("%s: unexpected outcome %s", id, r.Outcome)
			}
		}
	}
	assert.Empty(t, effects, "effects of operations that nobody was told about")
	t.Logf("%d kills: %v; of the unknown, %d had taken effect", kills, tally, doubtButDone)
	assert.Positive(t, tally[connector.OutcomeApplied])
	assert.Positive(t, tally[connector.OutcomeUnknown], "the kills hit nothing under way")
	assert.Len(t, in.Incidents(), keptIncidents)
}
