package sftp

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

// later is a connector that publishes when nothing new has come for a moment.
func later(after string) settings {
	return settings{"publish": settings{"after": after, "within": "1m"}}
}

// A run of the hub: all is accepted, then asked after; one file carries it.
func TestOneFileForARun(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)).with(later("1s")), secretsOf(s))
	var rs []connector.Result
	for i := range 20 {
		rs = append(rs, apply(t, x, create(fmt.Sprint(i), fmt.Sprintf("%02d", i), "Name"))[0])
	}
	first := pollFor(t, x, rs[0])
	require.Equal(t, connector.OutcomePending, first.Outcome, "not due yet")
	require.Empty(t, s.FS.Deliveries())
	_, err := x.Get(context.Background(), user("00"), nil)
	require.True(t, connector.IsCode(err, connector.CodeNotFound), "what is accepted does not show")
	require.LessOrEqual(t, first.PollAfter, time.Second)

	time.Sleep(1100 * time.Millisecond)
	for _, r := range rs {
		r = pollFor(t, x, r)
		require.Equal(t, connector.OutcomeApplied, r.Outcome, "%v", r.Err)
		require.NotEmpty(t, r.Object.Ref.ID)
		require.Equal(t, "publication 1", r.RequestID)
	}
	require.Len(t, s.FS.Deliveries(), 3)
	again := apply(t, x, create("0", "00", "Name"))[0]
	require.Equal(t, connector.OutcomeApplied, again.Outcome, "the same key again is the same change")
	require.Len(t, s.FS.Deliveries(), 3)
}

// Changes that keep coming do not put a file off for ever.
func TestWithin(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)).with(settings{"publish": settings{"after": "100ms", "within": "300ms"}}), secretsOf(s))
	begun, first := time.Now(), apply(t, x, create("first", "0", "Name"))[0]
	for i := 1; ; i++ {
		apply(t, x, create(fmt.Sprint(i), fmt.Sprint(i), "Name"))
		if first = pollFor(t, x, first); first.Outcome.Done() {
			break
		}
		require.Less(t, time.Since(begun), 30*time.Second)
		time.Sleep(20 * time.Millisecond)
	}
	require.GreaterOrEqual(t, time.Since(begun), 250*time.Millisecond)
}

// What is accepted outlives the process, and so does what to do about it.
func TestRestart(t *testing.T) {
	s := server(t)
	cfg := people(t.TempDir()).with(at(s)).with(later("50ms"))
	x := target(t, cfg, secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0]
	require.NoError(t, x.Close(context.Background()))
	x = target(t, cfg, secretsOf(s))
	time.Sleep(60 * time.Millisecond)
	require.Equal(t, connector.OutcomeApplied, pollFor(t, x, r).Outcome)
}

// A server that is down is told to those who ask, as an outage of the target; the
// changes stay accepted, and nobody is told that they failed.
func TestOutage(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)).with(later("1ms")), secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0]
	time.Sleep(2 * time.Millisecond)
	for name, tt := range map[string]struct {
		faults []fakesftp.Fault
		code   connector.Code
	}{
		"disk full":     {fakesftp.DiskFull, connector.CodeUnavailable},
		"no rename":     {fakesftp.RenameRefused, connector.CodeUnavailable},
		"cut":           {[]fakesftp.Fault{{On: "write", Do: fakesftp.Cut}}, connector.CodeUnavailable},
		"lost rename":   {[]fakesftp.Fault{{On: "posix-rename", Do: fakesftp.Cut}}, connector.CodeUnavailable},
		"no permission": {fakesftp.NoPermission, connector.CodePermission},
	} {
		s.SetFaults(tt.faults...)
		got := pollFor(t, x, r)
		require.Equal(t, connector.OutcomeFailed, got.Outcome, name)
		require.Equal(t, tt.code, got.Err.Code, name)
		require.Equal(t, connector.ScopeInstance, got.Err.Scope, name)
	}
	require.Empty(t, s.FS.Deliveries())
	s.SetFaults()
	require.Equal(t, connector.OutcomeApplied, pollFor(t, x, r).Outcome)
	require.Len(t, s.FS.Deliveries(), 3, "one publication, under its first number")
	text(t, s, "/outgoing/people_0001.csv")
}

// QUIRKS FILE-5: a host key that changes stops the connector; the queue stays.
func TestHostKeyChanged(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)).with(later("1ms")), secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0] // begins while the key is right
	time.Sleep(2 * time.Millisecond)
	require.NoError(t, s.RotateHostKey())
	s.Disconnect()
	require.Eventually(t, func() bool {
		got := pollFor(t, x, r)
		return got.Err != nil && got.Err.Code == connector.CodeConfiguration && got.Err.Class() == connector.ClassInstance
	}, 30*time.Second, 5*time.Millisecond)
	require.Empty(t, s.FS.Deliveries())
}

// A large file goes on its way when the one who asked has no more time.
func TestPublicationOutlivesThePoll(t *testing.T) {
	s := server(t, fakesftp.Fault{On: "posix-rename", Nth: 1, Do: fakesftp.Slow, Wait: 300 * time.Millisecond})
	x := target(t, people(t.TempDir()).with(at(s)).with(later("1ms")), secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0]
	time.Sleep(2 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	got := x.ApplyBatch(ctx, []connector.Operation{connector.Poll{Call: call("1"), Continuation: r.Continuation}})[0]
	require.Equal(t, connector.OutcomePending, got.Outcome)
	require.Eventually(t, func() bool { return len(s.FS.Deliveries()) == 3 }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, r).Outcome)
}

// An account whose last change is on its way is not changed meanwhile.
func TestOnItsWay(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)).with(later("1ms")), secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0]
	must2 := apply(t, x, rename("2", "7", "Zoe"))[0]
	require.Equal(t, connector.OutcomePending, must2.Outcome, "not sealed yet, so it goes along")
	time.Sleep(2 * time.Millisecond)
	s.SetFaults(fakesftp.DiskFull...)
	require.Equal(t, connector.CodeUnavailable, pollFor(t, x, r).Err.Code)
	require.Equal(t, connector.CodeBusy, apply(t, x, rename("3", "7", "Zo"))[0].Err.Code)
	require.Equal(t, connector.OutcomePending, apply(t, x, create("4", "8", "Ann"))[0].Outcome, "others are accepted")
	s.SetFaults()
	require.Equal(t, connector.OutcomeApplied, pollFor(t, x, r).Outcome)
	require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoe,,active,\n", text(t, s, "/outgoing/people_0001.csv"), "nobody who came later")
	require.Equal(t, connector.OutcomePending, apply(t, x, rename("3", "7", "Zo"))[0].Outcome)
}

// An outbox that was lost has the hub send its operations again.
func TestForgottenChange(t *testing.T) {
	s := server(t)
	x := target(t, people(t.TempDir()).with(at(s)).with(later("1ms")), secretsOf(s))
	got := apply(t, x, connector.Poll{Call: call("1"), Continuation: []byte(`{"key":"gone"}`)})[0]
	require.Equal(t, connector.CodeBusy, got.Err.Code)
	got = apply(t, x, connector.Poll{Call: call("1"), Continuation: []byte(`nonsense`)})[0]
	require.Equal(t, connector.CodeInvalidValue, got.Err.Code)
}
