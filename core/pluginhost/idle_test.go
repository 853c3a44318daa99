package pluginhost

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func TestAnIdlePluginIsStoppedUntilItIsNeeded(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.IdleAfter = 200 * time.Millisecond
	cfg.Times.Health = 20 * time.Millisecond
	var mu sync.Mutex
	var states []State
	cfg.OnState = func(s State) { mu.Lock(); states = append(states, s); mu.Unlock() }
	in := startConfig(t, cfg)
	for round := range 3 {
		pid := strconv.Itoa(in.Health().PID)
		eventually(t, "it rests", func() bool { return in.Health().State == StateIdle && !alive(pid) })
		assert.Equal(t, "user", in.Schema()[0].Name, "what is known of it stays")
		var wg sync.WaitGroup
		for c := range 10 {
			wg.Go(func() {
				r := in.Apply(t.Context(), []connector.Operation{op(fmt.Sprint(round, c), "")})[0]
				assert.Equal(t, connector.OutcomeApplied, r.Outcome, "%v", r.Err)
				_, err := in.Get(t.Context(), connector.Ref{ID: "x"}, nil)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
	}
	assert.Empty(t, in.Incidents())
	eventually(t, "it rests", func() bool { return in.Health().State == StateIdle })
	require.NoError(t, in.WaitReady(t.Context()), "waiting wakes it")
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []State{StateStarting, StateConfiguring, StateReady, StateIdle, StateStarting, StateConfiguring, StateReady}, states[:7])
}

func TestAPluginAtWorkDoesNotRest(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{"delay_ms":3000}`)
	cfg.IdleAfter = time.Second
	cfg.Times.Health = 20 * time.Millisecond
	in := startConfig(t, cfg)
	pid := in.Health().PID
	assert.Equal(t, connector.OutcomeApplied, apply(t, in, op("o-1", ""))[0].Outcome)
	assert.Equal(t, pid, in.Health().PID)
	eventually(t, "it rests", func() bool { return in.Health().State == StateIdle })
	stopped(t, in)
	assert.Equal(t, StateStopped, in.Health().State)
	assert.Equal(t, connector.CodeUnavailable, apply(t, in, op("o-2", ""))[0].Err.Code)
}

func TestASleeperThatDoesNotComeUpSaysSo(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.IdleAfter = 50 * time.Millisecond
	cfg.Times.Health = 20 * time.Millisecond
	in := startConfig(t, cfg)
	eventually(t, "it rests", func() bool { return in.Health().State == StateIdle })
	in.cfg.Path += "-gone" // only the supervisor reads it, and it waits
	r := apply(t, in, op("o-1", ""))[0]
	assert.Equal(t, connector.OutcomeFailed, r.Outcome)
	assert.Equal(t, connector.CodeUnavailable, r.Err.Code)
	assert.Contains(t, in.Health().LastError, "does not exist")
}

func TestAPluginThatGrowsIsReplaced(t *testing.T) {
	cfg, logs := testConfig(t, "good", `{}`)
	cfg.MemoryMax = 100 << 20
	in := startConfig(t, cfg)
	pid := in.Health().PID
	assert.Equal(t, connector.OutcomeApplied, apply(t, in, op("o-1", "grow 120"))[0].Outcome)
	eventually(t, "it is started anew in good order", func() bool { h := in.Health(); return h.PID != pid && h.State == StateReady })
	assert.Empty(t, in.Incidents())
	assert.Contains(t, logs.String(), "MiB of memory")

	// One that is seen while it still grows is replaced in good order, too.
	for n := 2; n < 8 && len(in.Incidents()) == 0; n++ {
		apply(t, in, op(fmt.Sprintf("o-%d", n), "grow 260"))
		recovers(t, in)
	}
	assert.Contains(t, incident(t, in).Cause, "MiB of memory")
	recovers(t, in)
}
