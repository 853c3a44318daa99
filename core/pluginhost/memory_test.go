package pluginhost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// memoryConfig runs the plugin of connectors/memory, which is built with the SDK.
func memoryConfig(t testing.TB, config string) Config {
	cfg, _ := testConfig(t, "good", config)
	cfg.Type, cfg.Path, cfg.Secrets = "memory", memoryBinary, nil
	cfg.Times.RestartMax = 20 * time.Millisecond
	return cfg
}

// joiner are the steps of one new account: create it, then disable it.
func joiner(name string) []connector.Operation {
	by := connector.Correlation{Attribute: "userName", Value: name}
	call := func(step string) connector.Call {
		id := name + "/" + step
		return connector.Call{ID: id, Key: id, Attempt: 1, OrderingKey: name, Group: name, GroupSize: 2}
	}
	return []connector.Operation{
		connector.Create{Call: call("create"), Type: "user", Correlate: by,
			Attributes: connector.Attributes{{Name: "userName", Values: connector.Values{name}}}},
		connector.SetEnabled{Call: call("disable"), Target: connector.Ref{Type: "user", By: by}},
	}
}

// again is op as it is sent after an attempt that ended with r.
func again(op connector.Operation, r connector.Result) connector.Operation {
	next := func(c connector.Call) connector.Call {
		c.Attempt++
		c.MaybeApplied = c.MaybeApplied || r.Outcome == connector.OutcomeUnknown
		c.Group, c.GroupSize = "", 0
		return c
	}
	switch o := op.(type) {
	case connector.Create:
		o.Call = next(o.Call)
		return o
	case connector.SetEnabled:
		o.Call = next(o.Call)
		return o
	}
	panic(op)
}

// carryOut repeats operations, as the contract allows, until all are done.
func carryOut(t *testing.T, in *Instance, ops []connector.Operation) (doubts int) {
	for len(ops) > 0 {
		_ = in.WaitReady(t.Context())
		results := in.Apply(context.Background(), ops)
		var left []connector.Operation
		for i, r := range results {
			switch {
			case r.Outcome.Done():
				continue
			case r.Outcome == connector.OutcomeUnknown:
				doubts++
			case r.Err.Class() != connector.ClassTransient && !connector.IsCode(r.Err, connector.CodeNotFound):
				t.Errorf("%s: %s %v", r.ID, r.Outcome, r.Err)
				continue
			}
			left = append(left, again(ops[i], r))
		}
		ops = left
	}
	return doubts
}

// TestWhateverIsInDoubtCanBeSettled kills the plugin under load and repeats
// what the answers allow to repeat. In the end each account was made once and
// disabled once.
func TestWhateverIsInDoubtCanBeSettled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	journal := filepath.Join(t.TempDir(), "journal")
	in := startConfig(t, memoryConfig(t, fmt.Sprintf(`{"journal":%q}`, journal)))

	const callers, kills = 16, 10
	var mu sync.Mutex
	var wg sync.WaitGroup
	var accounts, doubts int
	ctx, cancel := context.WithCancel(t.Context())
	for c := range callers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				d := carryOut(t, in, joiner(fmt.Sprintf("user%d-%d", c, n)))
				mu.Lock()
				accounts, doubts = accounts+1, doubts+d
				mu.Unlock()
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		require.NoError(t, in.WaitReady(ctx))
		pid := in.Health().PID
		time.Sleep(time.Duration(random.IntN(60_000)) * time.Microsecond)
		// An operation that is alone each time it dies would be taken for the reason.
		eventually(t, "several are under way", func() bool { return in.Health().Outstanding > 3 })
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		eventually(t, "the kill is seen", func() bool { return in.Health().PID != pid })
	}
	cancel()
	wg.Wait()
	stopped(t, in)

	made, disabled := effectsIn(t, journal)
	assert.Len(t, made, accounts)
	assert.Len(t, disabled, accounts)
	for name, n := range made {
		assert.Equal(t, 1, n, "%s was made more than once", name)
		assert.Equal(t, 1, disabled[name], name)
	}
	assert.Positive(t, doubts, "the kills hit nothing under way")
	t.Logf("%d kills, %d accounts, %d operations were in doubt", kills, accounts, doubts)
}

// effectsIn counts what the target did, by account.
func effectsIn(t *testing.T, journal string) (made, disabled map[string]int) {
	t.Helper()
	content, err := os.ReadFile(journal)
	require.NoError(t, err)
	made, disabled = map[string]int{}, map[string]int{}
	for line := range bytes.Lines(content) {
		var e struct{ Verb, Key string }
		require.NoError(t, json.Unmarshal(line, &e))
		switch e.Verb {
		case "create":
			made[e.Key]++
		case "disable":
			disabled[e.Key]++
		default:
			t.Errorf("unexpected effect %s", line)
		}
	}
	return made, disabled
}

func TestDrainingAnswersWhatWasAccepted(t *testing.T) {
	in := startConfig(t, memoryConfig(t, `{"faults":[{"do":"slow","wait":"300ms","calls":["write"]}]}`))
	answered := make(chan []connector.Result, 1)
	go func() { answered <- in.Apply(context.Background(), joiner("ann")) }()
	// Sent is not accepted: what is still on its way may be refused.
	eventually(t, "the plugin works on it", func() bool {
		h, err := in.live.proc.rpc.Health(t.Context(), &pluginv1.HealthRequest{})
		return err == nil && h.GetInFlight() > 0
	})
	require.NoError(t, in.Stop(t.Context(), 10*time.Second))
	for _, r := range <-answered {
		assert.Equal(t, connector.OutcomeApplied, r.Outcome, "%v", r.Err)
	}
	assert.Empty(t, in.Incidents())
}
