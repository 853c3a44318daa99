package sftp

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// answered is a connector whose receiver gives responses.
func answered(state string, acks settings) settings {
	base := settings{"folder": "/acks", "name": "{base}.rsp", "key": "ID", "status": "RESULT", "ok": []string{"OK"}, "message": "WHY", "poll": "1ms", "wait": "1h"}
	return people(state).with(settings{"acks": base.with(acks)})
}

// pollUntil asks until the answer is not pending any more.
func pollUntil(t testing.TB, x *Target, r connector.Result) connector.Result {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); r.Outcome == connector.OutcomePending; {
		require.True(t, time.Now().Before(end), "still pending")
		time.Sleep(2 * time.Millisecond)
		r = pollFor(t, x, r)
	}
	return r
}

// QUIRKS FILE-14, Q-14: a change is done when the receiver says so, row by row.
func TestResponses(t *testing.T) {
	s := server(t)
	x := target(t, answered(t.TempDir(), nil).with(at(s)), secretsOf(s))
	rs := apply(t, x, create("1", "7", "Zoë"), create("2", "8", "Ann"), create("3", "9", "Bo"))
	for _, r := range rs {
		require.Equal(t, connector.OutcomePending, r.Outcome, "published is not done")
		require.Equal(t, connector.OutcomePending, pollFor(t, x, r).Outcome)
	}
	_, err := x.Get(context.Background(), user("7"), nil)
	require.True(t, connector.IsCode(err, connector.CodeNotFound))

	s.FS.Put("/acks/people_0001.rsp", []byte("ID,RESULT,WHY\n7,OK,\n8,BAD,no such site\n"))
	require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, rs[0]).Outcome)
	refused := pollUntil(t, x, rs[1])
	require.Equal(t, connector.OutcomeFailed, refused.Outcome)
	require.Equal(t, connector.CodeInvalidValue, refused.Err.Code)
	require.Equal(t, "the receiver refuses the row (BAD): no such site", refused.Err.Message)
	require.Equal(t, connector.OutcomePending, pollFor(t, x, rs[2]).Outcome, "a row that is not answered is not done")

	// Whom the receiver refused is not in the next file.
	r := apply(t, x, rename("4", "7", "Zoe"))[0]
	require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoe,,active,\n9,Bo,,active,\n", text(t, s, "/outgoing/people_0002.csv"))
	s.FS.Put("/acks/people_0002.rsp", []byte("ID,RESULT,WHY\n7,OK,\n9,OK,\n"))
	require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, r).Outcome)
	s.FS.Put("/acks/people_0001.rsp", []byte("ID,RESULT,WHY\n7,OK,\n8,BAD,no such site\n9,OK,\n"))
	require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, rs[2]).Outcome)

	// A person corrects it and tries again.
	again := apply(t, x, create("2", "8", "Ann"))[0]
	require.Equal(t, connector.OutcomePending, again.Outcome)
	require.Contains(t, text(t, s, "/outgoing/people_0003.csv"), "8,Ann,,active,\n")
}

// A refused change of an account that was there before leaves it as it was.
func TestRefusedChange(t *testing.T) {
	s := server(t)
	x := target(t, answered(t.TempDir(), nil).with(at(s)), secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0]
	s.FS.Put("/acks/people_0001.rsp", []byte("ID,RESULT,WHY\n7,OK,\n"))
	pollUntil(t, x, r)
	rs := apply(t, x, rename("2", "7", "Bad"), grant("3", "7", "admin"))
	s.FS.Put("/acks/people_0002.rsp", []byte("ID,RESULT,WHY\n7,NO,\n"))
	for _, r := range rs {
		require.Equal(t, connector.CodeInvalidValue, pollUntil(t, x, r).Err.Code)
	}
	o, err := x.Get(context.Background(), user("7"), nil)
	require.NoError(t, err)
	require.Equal(t, "Zoë", o.Attributes.Text("displayName"))
	require.Empty(t, o.Grants)
	apply(t, x, create("4", "8", "Ann"))
	require.Contains(t, text(t, s, "/outgoing/people_0003.csv"), "7,Zoë,,active,\n")
}

func TestResponsesThatListErrorsOnly(t *testing.T) {
	s := server(t)
	x := target(t, answered(t.TempDir(), settings{"lists": "errors", "status": nil, "ok": nil}).with(at(s)), secretsOf(s))
	rs := apply(t, x, create("1", "7", "Zoë"), create("2", "8", "Ann"))
	s.FS.Put("/acks/people_0001.rsp", []byte("ID,WHY\n8,unknown\n"))
	require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, rs[0]).Outcome)
	require.Equal(t, connector.CodeInvalidValue, pollUntil(t, x, rs[1]).Err.Code)
}

func TestResponseThatIsJustThere(t *testing.T) {
	s := server(t)
	x := target(t, answered(t.TempDir(), settings{"key": nil, "status": nil, "ok": nil, "message": nil}).with(at(s)), secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0]
	s.FS.Put("/acks/people_0001.rsp", nil)
	require.Equal(t, connector.OutcomeApplied, pollUntil(t, x, r).Outcome)
}

// A response that never comes, and one that cannot be read, are told.
func TestMissingResponse(t *testing.T) {
	s := server(t)
	x := target(t, answered(t.TempDir(), settings{"wait": "50ms"}).with(at(s)), secretsOf(s))
	r := apply(t, x, create("1", "7", "Zoë"))[0]
	late := pollUntil(t, x, r)
	require.Equal(t, connector.CodeTimeout, late.Err.Code)
	require.Contains(t, late.Err.Message, "publication 1 is without a response")
	steps, _ := x.CheckSteps(context.Background())
	require.Equal(t, connector.CheckWarn, steps[len(steps)-1].Status)
	again := apply(t, x, create("1", "7", "Zoë"))[0]
	require.Equal(t, connector.CodeTimeout, again.Err.Code, "it is not sent a second time")
	require.Len(t, s.FS.Deliveries(), 3)
	s.FS.Put("/acks/people_0001.rsp", []byte("ID,RESULT,WHY\n7\n"))
	require.Eventually(t, func() bool {
		got := apply(t, x, connector.Poll{Call: call("1"), Continuation: r.Continuation})[0]
		return got.Err != nil && got.Err.Code == connector.CodeConfiguration
	}, 30*time.Second, 2*time.Millisecond)
	s.FS.Put("/acks/people_0001.rsp", []byte("ID,RESULT,WHY\n7,OK,late\n"))
	require.Eventually(t, func() bool {
		return apply(t, x, connector.Poll{Call: call("1"), Continuation: r.Continuation})[0].Outcome.Done()
	}, 30*time.Second, 2*time.Millisecond)
}
