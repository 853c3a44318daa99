package pluginhost

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func nopLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestManyCallersShareOneStream(t *testing.T) {
	in, _ := started(t)
	var wg sync.WaitGroup
	var batched atomic.Int64
	for g := range 40 {
		wg.Go(func() {
			for n := range 25 {
				r := in.Apply(context.Background(), []connector.Operation{op(fmt.Sprintf("g%d-%d", g, n), "")})[0]
				assert.Equal(t, connector.OutcomeApplied, r.Outcome)
				assert.Equal(t, "u-"+r.ID, r.Object.Ref.ID, "the answer belongs to its operation")
				if r.RequestID != "1" {
					batched.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.Positive(t, batched.Load(), "operations submitted at once travel together")
	assert.Zero(t, in.Health().Defects)
	assert.Zero(t, in.Health().Outstanding)
}

func TestAGroupTravelsWhole(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.Window = 4
	in := startConfig(t, cfg)
	group := func(name string, n int) (ops []connector.Operation) {
		for i := range n {
			c := op(fmt.Sprintf("%s-%d", name, i), "").(connector.Create)
			c.Group, c.GroupSize = name, n
			ops = append(ops, c)
		}
		return ops
	}
	// The second is larger than the window and must not wait for ever.
	ops := append(append(group("a", 3), group("b", 9)...), group("c", 2)...)
	sizes := map[string]map[string]bool{}
	for _, r := range apply(t, in, ops...) {
		assert.Equal(t, connector.OutcomeApplied, r.Outcome)
		name, _, _ := strings.Cut(r.ID, "-")
		if sizes[name] == nil {
			sizes[name] = map[string]bool{}
		}
		sizes[name][r.RequestID] = true
	}
	for name, batches := range sizes {
		assert.Len(t, batches, 1, "group %s went out in messages of different size", name)
	}
}

func TestWhatCannotBeSentIsAnsweredWithTheRestOfItsGroup(t *testing.T) {
	in, _ := started(t)
	huge := op("huge", strings.Repeat("x", 17<<20)).(connector.Create)
	huge.Group = "g"
	other := op("other", "").(connector.Create)
	other.Group = "g"
	rs := apply(t, in, huge, other, op("alone", ""))
	assert.Equal(t, connector.OutcomeFailed, rs[0].Outcome)
	assert.Equal(t, connector.CodeTooLarge, rs[0].Err.Code)
	assert.Equal(t, connector.OutcomeCancelled, rs[1].Outcome)
	assert.Equal(t, connector.OutcomeApplied, rs[2].Outcome)

	assert.Equal(t, connector.CodeInvalidValue, apply(t, in, op("latin1", "M\xfcller"))[0].Err.Code)
	assert.Equal(t, connector.CodeInternal, apply(t, in, op("", ""))[0].Err.Code)
	assert.Empty(t, in.Incidents())
}

func TestBreachesOfTheProtocolAreCountedAndHarmless(t *testing.T) {
	for i, do := range []string{"twice", "stranger", "noid"} {
		t.Run(do, func(t *testing.T) {
			in, logs := started(t)
			r := apply(t, in, op("o-1", do))[0]
			assert.Equal(t, connector.OutcomeApplied, r.Outcome)
			want := []string{"a second answer", "an answer to an operation that was not sent", "a create answered without"}[i]
			eventually(t, "it is counted and logged", func() bool {
				return in.Health().Defects == 1 && strings.Contains(logs.String(), "the plugin breaks the protocol: "+want)
			})
		})
	}
}

func TestAnOperationInTimeTroubleIsCancelledAndUnknown(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.Timeout, cfg.Times.AnswerGrace = 100*time.Millisecond, 200*time.Millisecond
	in := startConfig(t, cfg)
	before := time.Now()
	r := apply(t, in, op("o-1", "hang"))[0]
	assert.Equal(t, connector.OutcomeUnknown, r.Outcome)
	assert.Equal(t, connector.CodeTimeout, r.Err.Code)
	assert.Less(t, time.Since(before), patience)
	eventually(t, "the late answer comes and is dropped", func() bool { return in.Health().Outstanding == 0 })
	assert.Zero(t, in.Health().Defects)
	assert.Empty(t, in.Incidents())
}

func TestAPluginThatNeverAnswersIsReplaced(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.Timeout, cfg.Times.AnswerGrace = 100*time.Millisecond, 200*time.Millisecond
	cfg.Times.CancelGrace = 2 * time.Second // until then it may be asked again
	in := startConfig(t, cfg)
	assert.Equal(t, connector.OutcomeUnknown, apply(t, in, op("o-1", "never"))[0].Outcome)
	assert.Equal(t, connector.CodeBusy, apply(t, in, op("o-1", ""))[0].Err.Code, "a second answer could not be told from the first")
	assert.Contains(t, incident(t, in).Cause, "does not answer operation o-1")
}

func TestACallerThatGivesUpIsAnswered(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	cfg.Window = 1
	in := startConfig(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		eventually(t, "one is sent, one waits", func() bool { h := in.Health(); return h.Outstanding == 1 && h.Queued == 1 })
		cancel()
	}()
	rs := in.Apply(ctx, []connector.Operation{op("sent", "hang"), op("waiting", "")})
	assert.Equal(t, connector.OutcomeUnknown, rs[0].Outcome)
	assert.Equal(t, "cancelled", rs[0].Err.Message, "the plugin's own answer to the cancel")
	assert.Equal(t, connector.OutcomeCancelled, rs[1].Outcome)
	assert.Equal(t, connector.OutcomeApplied, apply(t, in, op("next", ""))[0].Outcome)
}

func TestTheSameOperationIsNotUnderWayTwice(t *testing.T) {
	in, _ := started(t)
	rs := apply(t, in, op("o-1", ""), op("o-1", ""))
	assert.Equal(t, connector.OutcomeApplied, rs[0].Outcome)
	assert.Equal(t, connector.CodeInternal, rs[1].Err.Code)
}

func TestThrottleHoldsTheWholeInstance(t *testing.T) {
	cfg, _ := testConfig(t, "good", `{}`)
	told := make(chan time.Time, 1)
	cfg.OnThrottle = func(until time.Time) { told <- until }
	in := startConfig(t, cfg)
	before := time.Now()
	apply(t, in, op("o-1", "throttle"))
	assert.WithinRange(t, <-told, before.Add(2*time.Second), time.Now().Add(2*time.Second))
	r := apply(t, in, op("o-2", ""))[0]
	assert.Equal(t, connector.OutcomeFailed, r.Outcome)
	assert.Equal(t, connector.CodeRateLimited, r.Err.Code)
	assert.Equal(t, connector.ScopeInstance, r.Err.Scope)
	assert.Positive(t, r.Err.RetryAfter)
	assert.False(t, in.Throttled().IsZero())
	eventually(t, "it is over", func() bool { return in.Throttled().IsZero() })
	assert.Equal(t, connector.OutcomeApplied, apply(t, in, op("o-3", ""))[0].Outcome)
}

func TestWithoutAProcessNothingIsSent(t *testing.T) {
	in, _ := started(t)
	stopped(t, in)
	r := apply(t, in, op("o-1", ""))[0]
	assert.Equal(t, connector.OutcomeFailed, r.Outcome)
	assert.Equal(t, connector.CodeUnavailable, r.Err.Code)
	assert.Equal(t, connector.ScopeInstance, r.Err.Scope)
	_, err := in.Get(t.Context(), connector.Ref{ID: "x"}, nil)
	assert.True(t, connector.IsCode(err, connector.CodeUnavailable))
}

func TestSecretsStayOutOfAnswersAndLogs(t *testing.T) {
	in, logs := started(t)
	c := op("o-1", "leak").(connector.Create)
	c.Credential = connector.NewSecret("initial-Passw0rd")
	r := apply(t, in, c)[0]
	assert.Equal(t, "bad ***", r.Err.Message)
	assert.Equal(t, "sent ***", r.Err.Detail)
	eventually(t, "it is logged", func() bool { return strings.Contains(logs.String(), "password is ***") })
	steps, _, err := in.Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "password *** refused", steps[1].Message)
	require.NoError(t, in.RotateSecrets(t.Context(), map[string]connector.Secret{"password": connector.NewSecret("rotated-value")}))
	apply(t, in, op("o-2", "leak"))
	eventually(t, "the new one is redacted", func() bool { return strings.Count(logs.String(), "password is ***") == 2 })
	assert.NotContains(t, logs.String()+strings.Join(in.Log(1000), ""), "s3cret")
	assert.NotContains(t, logs.String(), "rotated-value")
}

func TestASecretThatTheTargetReplacedIsUsedAtTheNextStart(t *testing.T) {
	cfg, logs := testConfig(t, "good", `{}`)
	told := make(chan string, 1)
	cfg.OnSecret = func(name string, value connector.Secret) { told <- name + "=" + value.Reveal() }
	in := startConfig(t, cfg)
	apply(t, in, op("o-1", "replace refreshed-token"))
	assert.Equal(t, "password=refreshed-token", <-told)
	apply(t, in, op("o-2", "exit"))
	recovers(t, in)
	obj, err := in.Get(t.Context(), connector.Ref{ID: "environment"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "refreshed-token", obj.Attributes.Text("password"))
	assert.NotContains(t, logs.String(), "refreshed-token")
}

func TestAnOperationThatKillsThePluginIsFoundAndHeldBack(t *testing.T) {
	in, _ := started(t)
	var rs []connector.Result
	for try := range 1 + poisonAt {
		require.NoError(t, in.WaitReady(t.Context()))
		ops := []connector.Operation{op("good-1", "hang"), op("poison", "exit"), op("good-2", "hang")}
		if try > 0 { // suspects go one at a time
			ops = []connector.Operation{op("poison", "exit"), op(fmt.Sprint("good-", try), "")}
		}
		rs = apply(t, in, ops...)
		eventually(t, "the incident is recorded", func() bool { return len(in.Incidents()) == try+1 })
		assert.Equal(t, connector.OutcomeUnknown, rs[0].Outcome)
		if try > 0 {
			assert.Equal(t, []string{"poison"}, in.Incidents()[try].InFlight)
			assert.Equal(t, connector.OutcomeFailed, rs[1].Outcome, "it was not sent")
		}
	}
	require.NoError(t, in.WaitReady(t.Context()))
	rs = apply(t, in, op("poison", "exit"), op("good-1", ""), op("good-2", ""))
	assert.Equal(t, connector.ClassDefect, rs[0].Err.Class())
	assert.ErrorContains(t, rs[0].Err, "died 3 times")
	assert.Equal(t, connector.OutcomeApplied, rs[1].Outcome)
	assert.Equal(t, connector.OutcomeApplied, rs[2].Outcome)
}

func TestReadsCarryTheTargetsErrors(t *testing.T) {
	in, _ := started(t)
	_, err := in.Get(t.Context(), connector.Ref{Type: "user", ID: "missing"}, nil)
	assert.True(t, connector.IsCode(err, connector.CodeNotFound), "%v", err)

	var ids []string
	end, err := in.List(t.Context(), connector.ListQuery{Type: "user"}, func(o connector.Object) error { ids = append(ids, o.Ref.ID); return nil })
	require.NoError(t, err)
	assert.True(t, end.Complete)
	assert.Equal(t, []string{"0", "1", "2"}, ids)

	end, err = in.List(t.Context(), connector.ListQuery{Type: "cut"}, func(connector.Object) error { return nil })
	require.Error(t, err, "a listing cut short must not look complete")
	assert.False(t, end.Complete)

	_, _, err = in.Changes(t.Context(), connector.ChangesQuery{Type: "user"}, func(connector.TargetChange) error { return nil })
	assert.True(t, connector.IsCode(err, connector.CodeUnsupported), "%v", err)

	s, err := in.SchemaRefresh(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "user", s[0].Name)
}
