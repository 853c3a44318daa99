package helpdesk_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/helpdesk"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// op is an operation on the account of 1001 in crm.
func op(kind plan.Kind, state store.OpState, with ...func(*store.OpRow)) store.OpRow {
	r := store.OpRow{State: state, Attempts: 1, Operation: plan.Operation{
		ID: "5f0c2e77-0000-5000-8000-000000000000", Kind: kind, Lane: plan.LaneNormal,
		AccountKey: identity.AccountKey{Connector: "crm", Kind: identity.Person, Anchor: "1001"},
		Changes:    []plan.Change{{Name: "manager", After: connector.Values{"1000"}}},
	}}
	for _, w := range with {
		w(&r)
	}
	return r
}

func failed(code connector.Code, attributes ...string) func(*store.OpRow) {
	return func(r *store.OpRow) { r.LastError = &connector.Error{Code: code, Attributes: attributes} }
}

func leaver(r *store.OpRow)  { r.Lane = plan.LaneLeaver }
func pending(r *store.OpRow) { r.Pending = true }
func park(r *store.OpRow)    { r.Park, r.Attempts = "an account is there already", 0 }
func inTheWay(r *store.OpRow) {
	r.LastError.Conflicting = &connector.Ref{ID: "x7"}
}

func grant(name string, remove bool) func(*store.OpRow) {
	return func(r *store.OpRow) {
		r.Grants = append(r.Grants, plan.GrantChange{Grant: identity.Grant{Entitlement: name}, Remove: remove})
	}
}

func TestAnOperationIsExplained(t *testing.T) {
	for _, c := range []struct {
		name                string
		op                  store.OpRow
		happened, means, do string
		who                 helpdesk.Who
	}{
		{"a value is refused", op(plan.Create, store.OpParked, failed(connector.CodeInvalidValue, "email")),
			"crm refuses the value of email", "person 1001 has no account in crm yet", "have the value corrected in the source, or send another one from here", helpdesk.Source},
		{"the target is down", op(plan.Update, store.OpRetry, failed(connector.CodeUnavailable)),
			"crm cannot be reached", "the account of person 1001 in crm still has the old values", "nothing: it is tried again by itself", helpdesk.Nobody},
		{"a leaver still gets in", op(plan.Disable, store.OpParked, failed(connector.CodePermission), leaver),
			"crm does not allow the hub to do this", "person 1001 should be locked out and can still use the account in crm", "give the hub's account in crm the right it lacks, then try again", helpdesk.Ops},
		{"a right is not taken away", op(plan.Update, store.OpParked, failed(connector.CodeBusy), grant("seller", true)),
			"the account is locked in crm, or somebody else is changing it", "person 1001 still holds seller in crm", "look whether it is still locked in crm, then try again", helpdesk.Helpdesk},
		{"a right is not given", op(plan.Update, store.OpRetry, failed(connector.CodeDependencyMissing), grant("seller", false)),
			"what the account needs is not in crm yet", "person 1001 has not got seller in crm yet", "make what is missing in crm; it is tried again by itself", helpdesk.Target},
		{"the manager has no account", op(plan.Create, store.OpRetry, failed(connector.CodeDependencyMissing, "manager")),
			"what manager needs is not in crm yet", "person 1001 has no account in crm yet", "it goes on by itself once 1000 has an account in crm", helpdesk.Nobody},
		{"accepted and not finished", op(plan.Delete, store.OpUnknown, pending),
			"crm has accepted it and not finished", "the account of person 1001 in crm is still there", "nothing: the target has accepted it, and is asked again whether it is finished", helpdesk.Nobody},
		{"the answer was lost", op(plan.Enable, store.OpUnknown),
			"whether it took effect is not known", "person 1001 cannot use the account in crm yet", "nothing: the next run looks at the target first and then settles it", helpdesk.Nobody},
		{"a person decides", op(plan.Adopt, store.OpParked, failed(connector.CodePolicy), park),
			"a person has to decide: an account is there already", "the account of person 1001 in crm is not looked after yet", "decide whether it is done or not", helpdesk.Helpdesk},
		{"its turn has not come", op(plan.Create, store.OpReady),
			"it waits for its turn", "person 1001 has no account in crm yet", "nothing: it goes out by itself", helpdesk.Nobody},
		{"done", op(plan.Create, store.OpDone),
			"it is done", "nothing is left to do for person 1001 in crm", "nothing", helpdesk.Nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := helpdesk.Explain(c.op)
			require.Equal(t, []any{c.happened, c.means, c.do, c.who}, []any{got.Happened, got.Means, got.Do, got.Who})
		})
	}
}

// blanks are words that a name should stand in the place of.
var blanks = regexp.MustCompile(`TARGET|VALUE`)

func TestEveryCodeHasWordsOfItsOwn(t *testing.T) {
	happened := map[string]connector.Code{}
	for code := range connector.Code(100) {
		_, known := connector.ParseCode(code.String())
		for _, state := range []store.OpState{store.OpParked, store.OpRetry} {
			got := helpdesk.Explain(op(plan.Update, state, failed(code)))
			for _, text := range []string{got.Happened, got.Means, got.Do} {
				require.NotEmpty(t, text, code)
				require.NotRegexp(t, blanks, text, code)
			}
			if known && state == store.OpParked {
				require.NotContains(t, happened, got.Happened, code)
				happened[got.Happened] = code
			}
		}
	}
	require.Len(t, happened, 18)
}

func TestWhatCanBeDoneDependsOnTheState(t *testing.T) {
	handed := func(r *store.OpRow) { r.Handed = &store.Handed{By: "bob"} }
	for _, c := range []struct {
		name string
		op   store.OpRow
		want []string
	}{
		{"met an account", op(plan.Create, store.OpParked, failed(connector.CodeAlreadyExists, "manager"), inTheWay), []string{
			"provhub ops adopt 5f0c2e77-000 --reason TEXT", "provhub ops retry 5f0c2e77-000", "provhub ops edit 5f0c2e77-000 manager=VALUE",
			"provhub ops skip 5f0c2e77-000 --reason TEXT", "provhub ops handover 5f0c2e77-000 --note TEXT"}},
		{"to be tried again, with ops", op(plan.Update, store.OpRetry, failed(connector.CodeTimeout), handed), []string{
			"provhub ops retry 5f0c2e77-000", "provhub ops skip 5f0c2e77-000 --reason TEXT", "provhub ops takeback 5f0c2e77-000"}},
		{"to be decided", op(plan.Adopt, store.OpParked, failed(connector.CodePolicy), park), []string{
			"provhub ops retry 5f0c2e77-000", "provhub ops skip 5f0c2e77-000 --reason TEXT", "provhub ops handover 5f0c2e77-000 --note TEXT"}},
		{"the target is at it", op(plan.Update, store.OpUnknown, pending), []string{"provhub ops handover 5f0c2e77-000 --note TEXT"}},
		{"done", op(plan.Update, store.OpDone), nil},
	} {
		var got []string
		for _, s := range helpdesk.Explain(c.op).Can {
			require.NotEmpty(t, s.Label)
			got = append(got, s.Command)
		}
		require.Equal(t, c.want, got, c.name)
	}
}

func TestACauseSpeaksOfAllWhomItConcerns(t *testing.T) {
	example := op(plan.Disable, store.OpParked, failed(connector.CodePermission), leaver)
	c := store.Cause{Key: "3fa9c1", Connector: "crm", Code: "PERMISSION", Count: 312, Leavers: 4, States: map[store.OpState]int{store.OpParked: 312},
		Kinds: map[plan.Kind]int{plan.Disable: 312}, Examples: []store.OpRow{example, example}}
	got := helpdesk.ExplainCause(c)
	require.Equal(t, []any{"crm does not allow the hub to do this", "312 people can still use the accounts in crm", helpdesk.Ops},
		[]any{got.Happened, got.Means, got.Who})
	require.Equal(t, "provhub ops retry --cause 3fa9c1", got.Can[0].Command)

	c.Leavers = 312
	require.Equal(t, "312 people should be locked out and can still use the accounts in crm", helpdesk.ExplainCause(c).Means)
	c.Kinds[plan.Create] = 3
	require.Equal(t, "the accounts of 312 people in crm stay as they are; some should be locked out", helpdesk.ExplainCause(c).Means)
	c.Count, c.Examples = 1, c.Examples[:1]
	require.Equal(t, "person 1001 should be locked out and can still use the account in crm", helpdesk.ExplainCause(c).Means)
	c.States, c.Handed = map[store.OpState]int{store.OpUnknown: 1}, 1
	require.Len(t, helpdesk.ExplainCause(c).Can, 1, "only to be taken back")
}

func TestAConnectorThatStandsStillIsOneCause(t *testing.T) {
	for _, c := range []struct {
		kind               store.StillKind
		why, happened, doS string
		command            string
	}{
		{store.StillStopped, "its sign-in failed: AUTHENTICATION: the password is wrong", "crm refuses the hub's sign-in", "mend the sign-in of the connector and check it; it goes on when the check passes", "provhub connector check crm"},
		{store.StillStopped, "nobody knows", "crm stands still", "mend what is wrong, then check the connector", "provhub connector check crm"},
		{store.StillPaused, "bob: maintenance", "a person has paused crm", "resume it once the reason is gone", "provhub connector resume crm"},
		{store.StillUnusable, "no such file", "the plugin of crm does not start", "mend what is wrong, then check the connector", "provhub connector check crm"},
		{store.StillQuarantined, "9 of 10", "too many operations of crm failed, so that only single ones are tried", "look at what they fail for; it goes on by itself when single ones succeed", "provhub connector check crm"},
		{store.StillEverything, "bob: breach", "a person has stopped everything", "let it go on once the reason is gone", "provhub go"},
	} {
		got := helpdesk.ExplainCause(store.Cause{Connector: "crm", Count: 312, Leavers: 4, Standstill: store.Standstill{Kind: c.kind, Why: c.why}})
		require.Equal(t, []any{c.happened, c.doS, helpdesk.Ops, c.command}, []any{got.Happened, got.Do, got.Who, got.Can[0].Command})
		require.Equal(t, "312 operations wait, and none of them is lost; leavers among them, who can still use their accounts: 4", got.Means)
	}
	worked := store.Cause{Connector: "crm", Count: 3, Standstill: store.Standstill{Kind: store.StillMaintained, Why: "maintenance until 2026-03-08 05:00 UTC"}}
	got := helpdesk.ExplainCause(worked)
	require.Equal(t, helpdesk.Text{Happened: "the target of crm is worked on", Means: "3 operations wait, and none of them is lost",
		Do: "nothing: it goes on by itself after the maintenance until 2026-03-08 05:00 UTC", Who: helpdesk.Nobody}, got)
	worked.Leavers = 1
	got = helpdesk.ExplainCause(worked)
	require.Contains(t, got.Do, "lock the account in the target by hand")
	require.Equal(t, helpdesk.Target, got.Who)
	held := helpdesk.ExplainCause(store.Cause{Connector: "crm", Count: 1, Standstill: store.Standstill{Kind: store.StillHeld, Why: "another one"}})
	require.Equal(t, "the config of crm leads to another target than before", held.Happened)
}
