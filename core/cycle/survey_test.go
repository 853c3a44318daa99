package cycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// survey tells what is missed, in short: "create 1001", a "!" in front of what the next
// plan looks at by itself.
func (l *lab) survey() (string, Surveyed) {
	l.Helper()
	var out []string
	saw, err := l.cycle.Survey(l.Context(), l.now, func(m Missed) error {
		text := ""
		switch {
		case m.Operation != nil:
			text = fmt.Sprintf("%s/%s %s", m.Operation.Kind, m.Operation.Cause, m.Anchor)
		case m.Withdraw != "":
			text = "withdraw " + m.Anchor
		default:
			text = m.Fault.Code + " " + m.Anchor
		}
		if m.Next {
			text = "!" + text
		}
		out = append(out, text)
		return nil
	})
	require.NoError(l, err)
	slices.Sort(out)
	return strings.Join(out, "; "), saw
}

// correct writes another row into the ledger, and has nobody look at it again.
func (l *lab) correct(anchor string, change func(*identity.Account)) {
	l.Helper()
	a := l.account("crm", anchor)
	change(&a)
	done, err := l.store.CorrectAccounts(l.Context(), []store.Correction{{Account: a, Why: "test"}}, "test", l.now)
	require.NoError(l, err)
	require.Len(l, done, 1)
	l.ledger[a.AccountKey] = l.account("crm", anchor)
}

// QUIRKS Q-44: the ledger against what is wanted, which is a report of its own.
func TestSurveyTellsWhatNoPlanWouldLookAt(t *testing.T) {
	l := newLab(t, staff(6, "dept=sales")...)
	found, saw := l.survey()
	require.Empty(t, found, "nothing was read yet")
	require.Zero(t, saw.ReadAt)

	l.sync()
	found, saw = l.survey()
	require.Empty(t, found)
	require.Equal(t, 6, saw.Evaluated)
	require.NotZero(t, saw.ReadAt)
	require.Empty(t, saw.Rules)

	// Somebody has tampered with the ledger, and a plan has forgotten it.
	l.correct("1000", func(a *identity.Account) { a.Absent, a.Grants = true, nil })
	l.correct("1001", func(a *identity.Account) { a.Enabled = connector.IsDisabled })
	l.correct("1002", func(a *identity.Account) { a.Grants = append(a.Grants, identity.Grant{Entitlement: "vault"}) })
	l.correct("1003", func(a *identity.Account) {
		a.Applied = connector.Attributes{{Name: "mail", Values: connector.Values{"other@x.test"}}, {Name: "userName", Values: connector.Values{"p1003"}}}
	})
	const missed = "create/return 1000; enable/return 1001; update/change 1002; update/change 1003"
	found, _ = l.survey()
	require.Equal(t, "!"+strings.ReplaceAll(missed, "; ", "; !"), found, "what was corrected is looked at by itself")
	p := l.run()
	p.Operations = nil // as a fault in planning would have it
	plan.Seal(p)
	l.apply(p)
	found, _ = l.survey()
	require.Equal(t, missed, found)
	require.Empty(t, brief(l.run()), "no plan would look at them")

	// It changes nothing: who asks to have them looked at gets them planned.
	var keys []identity.AccountKey
	for _, a := range []string{"1000", "1001", "1002", "1003"} {
		keys = append(keys, identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: a})
	}
	require.NoError(t, l.store.Reconsider(t.Context(), keys))
	l.sync()
	found, _ = l.survey()
	require.Empty(t, found, "what waits in the queue is no surprise")
}

func TestSurveyTellsWhoLeftWhileNothingWasRead(t *testing.T) {
	l := newLab(t, "1 name=a mail=a@x end=2026-03-05", "2 name=b mail=b@x")
	l.sync()
	l.now = l.now.Add(5 * 24 * time.Hour)
	found, _ := l.survey()
	require.Equal(t, "disable/leave 1", found, "the date has come, and no reading since")
	l.now = l.now.Add(60 * 24 * time.Hour)
	found, _ = l.survey()
	require.Empty(t, found, "a clock that jumped is not believed")
}

func TestSurveyTellsWhatIsHeldAndWhatCannotBeWorkedOut(t *testing.T) {
	l := newLab(t, "1 name=a mail=a@x", "2 name=b mail=b@x", "3 name=c mail=c@x")
	l.connector("crm", plan.Policy{}, mapping.Rules{}).Guards = plan.Guards{Run: map[plan.Guarded]plan.Limit{"disable": {Max: 1}}}
	l.sync()
	l.people("1 name=a mail=a@x status=T", "2 name=b mail=b@x status=T", "3 name=c mail=c@x")
	require.NotEmpty(t, l.sync().Verdicts)
	found, _ := l.survey()
	require.Equal(t, "!disable/leave 1; !disable/leave 2", found)

	// New rules that nothing was planned with, which fail for somebody.
	l.connector("crm", plan.Policy{}, mapping.Rules{Attributes: []mapping.AttributeRule{
		{To: "userName", From: mapping.Rule{Expr: `string(1 / (size(person.name) - 1))`, Place: "provhub.yaml:1"}}}})
	found, saw := l.survey()
	require.Equal(t, []string{"crm"}, saw.Rules)
	require.Regexp(t, `!disable/leave 1; !disable/leave 2; !mapping\S* 3`, found)
}

func TestSurveyTellsAnOperationThatNobodyWantsAnyMore(t *testing.T) {
	l := newLab(t, "1 name=a mail=a@x")
	l.apply(l.run()) // and it stays in the queue
	found, _ := l.survey()
	require.Empty(t, found)
	l.people("1 name=a mail=a@x status=T", "2 name=b mail=b@x")
	l.run() // read, and never applied
	found, _ = l.survey()
	require.Equal(t, "!create/join 2; !withdraw 1", found)
}
