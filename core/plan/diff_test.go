package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

func TestDiff(t *testing.T) {
	month := 30 * 24 * time.Hour
	tests := []struct {
		name     string
		subject  Subject
		policy   Policy
		schema   connector.Schema // nil: schema
		op       string
		withdraw string
		notes    []string
	}{
		{name: "a joiner gets an account, enabled, with grants",
			subject: subject(wanting(set("mail", "j@x.test"), set("userName", "jane"), "sales")),
			op:      "create/join enabled mail:>j@x.test userName:>jane +sales"},
		{name: "nothing differs, nothing is done", subject: subject(account())},
		{name: "case alone is no difference", subject: subject(account(), wanting(set("userName", "JANE")))},
		{name: "case is a difference where the attribute is exact",
			subject: subject(account(holding("pin", "a")), wanting(set("pin", "A"), set("userName", "jane"))), op: "update/change u1 pin:a>A"},
		{name: "blanks around are no difference", subject: subject(account(), wanting(set("userName", "  jane ")))},
		{name: "the written value stays as it was mapped", subject: subject(account(), wanting(set("userName", "JaneD"))), op: "update/change u1 userName:jane>JaneD"},
		{name: "composed and decomposed letters are the same",
			subject: subject(account(holding("mail", "\u00e9@x.test")), wanting(set("mail", "e\u0301@x.test"), set("userName", "jane")))},
		{name: "types follow the schema",
			subject: subject(account(holding("active", true), holding("hired", connector.Date("2026-03-31")), holding("level", int64(3))),
				wanting(set("active", "yes"), set("hired", "2026-03-31"), set("level", "3"), set("userName", "jane")))},
		{name: "a set in another order is the same",
			subject: subject(account(holding("phones", "1", "2")), wanting(set("phones", "2", "1", "2"), set("userName", "jane")))},
		{name: "a list in another order is not",
			subject: subject(account(holding("ranked", "1", "2")), wanting(set("ranked", "2", "1"), set("userName", "jane"))),
			op:      "update/change u1 ranked:1,2>2,1"},
		{name: "a value that is missing clears nothing", subject: subject(account(holding("title", "Clerk")), wanting(set("title"), set("userName", "jane")))},
		{name: "nor does a blank one", subject: subject(account(holding("title", "Clerk")), wanting(set("title", " "), set("userName", "jane")))},
		{name: "a rule that says clear does", subject: subject(account(holding("title", "Clerk")), wanting(unset("title"), set("userName", "jane"))),
			op: "update/change u1 title:Clerk>"},
		{name: "clearing what is empty is nothing", subject: subject(account(), wanting(unset("title"), set("userName", "jane")))},
		{name: "a value for creating is not changed later",
			subject: subject(account(), wanting(mapping.Desired{Name: "userName", Values: connector.Values{"jdoe"}, Apply: mapping.OnCreate}))},
		{name: "a value for empty attributes leaves what is there",
			subject: subject(account(holding("title", "Boss")), wanting(mapping.Desired{Name: "title", Values: connector.Values{"Clerk"}, Apply: mapping.IfEmpty}))},
		{name: "a value for empty attributes fills what is not",
			subject: subject(account(), wanting(mapping.Desired{Name: "title", Values: connector.Values{"Clerk"}, Apply: mapping.IfEmpty})),
			op:      "update/change u1 title:>Clerk"},
		{name: "a read-only attribute is not written", subject: subject(account(), wanting(set("created", "2026-03-31T00:00:00Z"), set("userName", "jane"))), notes: []string{NoteNotSettable}},
		{name: "a create-only attribute is written on create", subject: subject(wanting(set("externalId", "1001"), set("userName", "jane"))),
			op: "create/join enabled externalId:>1001 userName:>jane"},
		{name: "a create-only attribute is not changed", subject: subject(account(holding("externalId", "1")), wanting(set("externalId", "2"), set("userName", "jane"))), notes: []string{NoteNotSettable}},
		{name: "QUIRKS EXPR-7: a secret is never written from a rule", subject: subject(wanting(set("password", "x"), set("userName", "jane"))),
			op: "create/join enabled userName:>jane", notes: []string{NoteNotSettable}},
		{name: "a write-only attribute is compared with what was sent", subject: subject(account(holding("pin", "1")), wanting(set("pin", "1"), set("userName", "jane")))},
		{name: "QUIRKS HR-28: a value that does not fit leaves the rest to be done",
			subject: subject(account(grants("old")), wanting(set("level", "many"), set("title", "a title that is too long"), set("userName", "jane"))),
			op:      "update/change u1 -old", notes: []string{NoteInvalid, NoteInvalid}},
		{name: "QUIRKS HR-28: without a required value no account is made", subject: subject(wanting(set("mail", "x"))), notes: []string{NoteInvalid}},
		{name: "a value of a closed list takes the schema's spelling", subject: subject(account(), wanting(set("type", "employee"), set("userName", "jane"))),
			op: "update/change u1 type:>Employee"},

		{name: "a mover loses before gaining", subject: subject(account(grants("a-old", "keep")), wanting(set("userName", "jane"), "keep", "z-new")),
			op: "update/change u1 -a-old +z-new"},
		{name: "grants that the target cannot give are noted", schema: without(connector.VerbGrant, connector.VerbRevoke),
			subject: subject(account(), wanting(set("userName", "jane"), "sales")), notes: []string{NoteUnable}},
		{name: "attributes that the target cannot change are noted", schema: without(connector.VerbUpdate),
			subject: subject(account(), wanting(set("title", "Clerk"), set("userName", "jane"))), notes: []string{NoteNotSettable}},

		{name: "a leaver is disabled, not deleted, and keeps the grants", subject: subject(in(identity.Leaver), account(grants("sales"))), op: "disable/leave u1 disabled"},
		{name: "a leaver loses grants when the policy says so", subject: subject(in(identity.Leaver), account(grants("b", "a"))), policy: Policy{RevokeOnLeave: true},
			op: "disable/leave u1 disabled -a -b"},
		{name: "a leaver whose state in the target is not known is disabled",
			subject: subject(in(identity.Leaver), account(func(a *identity.Account) { a.Enabled = connector.EnabledUnknown })), op: "disable/leave u1 disabled"},
		{name: "a leaver needs no mapping", subject: subject(in(identity.Leaver), account(), func(s *Subject) { s.Want = nil }), op: "disable/leave u1 disabled"},
		{name: "a leaver without an account gets none", subject: subject(in(identity.Leaver))},
		{name: "a leaver who is disabled stays so", subject: subject(in(identity.Leaver), account(disabled(month)))},
		{name: "a leaver who was on leave loses the grants", subject: subject(in(identity.Leaver), account(disabled(month), grants("sales"))), policy: Policy{RevokeOnLeave: true},
			op: "update/leave u1 -sales"},
		{name: "a leaver is deleted when the policy says so", subject: subject(in(identity.Leaver), account()), policy: Policy{OnLeave: ReactDelete}, op: "delete/leave u1"},
		{name: "a leaver is kept when the policy says so", subject: subject(in(identity.Leaver), account()), policy: Policy{OnLeave: ReactKeep}},
		{name: "a kept leaver can lose the grants", subject: subject(in(identity.Leaver), account(grants("sales"))), policy: Policy{OnLeave: ReactKeep, RevokeOnLeave: true}, op: "update/leave u1 -sales"},
		{name: "where deleting is forbidden a leaver is disabled", subject: subject(in(identity.Leaver), account()), policy: Policy{OnLeave: ReactDelete, Forbid: []Kind{Delete}},
			op: "disable/leave u1 disabled", notes: []string{NoteForbidden}},
		{name: "where deleting is not possible a leaver is disabled", schema: without(connector.VerbDelete), subject: subject(in(identity.Leaver), account()), policy: Policy{OnLeave: ReactDelete},
			op: "disable/leave u1 disabled", notes: []string{NoteUnable}},
		{name: "where disabling is not possible nothing is deleted instead", schema: without(connector.VerbDisable), subject: subject(in(identity.Leaver), account()), notes: []string{NoteUnable}},
		{name: "where disabling is forbidden it is noted", subject: subject(in(identity.Leaver), account()), policy: Policy{Forbid: []Kind{Disable}}, notes: []string{NoteForbidden}},
		{name: "gone from the source is left", subject: subject(in(identity.Gone), account()), op: "disable/gone u1 disabled"},
		{name: "QUIRKS HR-5: absence from an incomplete reading is nothing, and not forgotten", subject: subject(in(identity.Gone), account(), incomplete), notes: []string{NoteDoubtful}},
		{name: "what was done already is not due", subject: subject(in(identity.Gone), account(disabled(month)), incomplete)},
		{name: "QUIRKS Q-30: a disabled account is deleted when its time is over", subject: subject(in(identity.Leaver), account(disabled(month))), policy: Policy{DeleteAfter: month}, op: "delete/expired u1"},
		{name: "and not a second earlier", subject: subject(in(identity.Leaver), account(disabled(month-time.Second))), policy: Policy{DeleteAfter: month}},
		{name: "QUIRKS Q-31: nor after an incomplete reading", subject: subject(in(identity.Leaver), account(disabled(month)), incomplete), policy: Policy{DeleteAfter: month}},
		{name: "QUIRKS Q-30: nor when its owner is back", subject: subject(account(disabled(month))), policy: Policy{DeleteAfter: month}, op: "enable/return u1 enabled"},
		{name: "QUIRKS Q-32: nor under a legal hold", subject: subject(in(identity.Leaver), account(disabled(month)), underHold), policy: Policy{DeleteAfter: month}, notes: []string{NoteHold}},
		{name: "QUIRKS Q-32: a leaver under a legal hold is disabled where the policy deletes", subject: subject(in(identity.Gone), account(), underHold), policy: Policy{OnLeave: ReactDelete},
			op: "disable/gone u1 disabled", notes: []string{NoteHold}},
		{name: "QUIRKS Q-32: and so is who is out of scope", subject: subject(account(), outOfScope, underHold), policy: Policy{OutOfScope: ReactDelete}, op: "disable/out_of_scope u1 disabled", notes: []string{NoteHold}},
		{name: "QUIRKS Q-32: a delete that waits is withdrawn", subject: subject(in(identity.Leaver), account(disabled(month)), underHold, open(Operation{Kind: Delete})),
			policy: Policy{DeleteAfter: month}, withdraw: "op-1", notes: []string{NoteHold}},
		{name: "who is under a legal hold and here is treated like everybody", subject: subject(account(), wanting(set("title", "Clerk")), underHold), op: "update/change u1 title:>Clerk"},
		{name: "QUIRKS HR-25: leave does not start the clock of deleting", subject: subject(in(identity.Suspended), account(disabled(month))), policy: Policy{DeleteAfter: month}},

		{name: "QUIRKS HR-25: leave suspends", subject: subject(in(identity.Suspended), account(grants("sales"))), policy: Policy{OnLeave: ReactDelete, RevokeOnLeave: true}, op: "disable/suspend u1 disabled"},
		{name: "leave does nothing where the policy keeps accounts", subject: subject(in(identity.Suspended), account()), policy: Policy{OnSuspend: ReactKeep}},
		{name: "nobody gets an account while on leave", subject: subject(in(identity.Suspended))},
		{name: "QUIRKS HR-25: somebody on leave whom the scope rule no longer covers is suspended", subject: subject(in(identity.Suspended), account(), outOfScope), policy: Policy{OutOfScope: ReactDelete}, op: "disable/suspend u1 disabled"},
		{name: "QUIRKS HR-6: out of scope has a policy of its own", subject: subject(account(), outOfScope), policy: Policy{OnLeave: ReactDelete, OutOfScope: ReactKeep}},
		{name: "QUIRKS HR-6: out of scope keeps the grants, left or not", subject: subject(account(grants("a")), outOfScope), policy: Policy{RevokeOnLeave: true}, op: "disable/out_of_scope u1 disabled"},
		{name: "out of scope and without an account is nothing", subject: subject(outOfScope)},
		{name: "QUIRKS HR-12: a rehire is enabled and everything is worked out again",
			subject: subject(account(disabled(month), grants("old")), wanting(set("title", "Clerk"), set("userName", "jane"), "new")),
			op:      "enable/return u1 enabled title:>Clerk -old +new"},
		{name: "where enabling is not possible the rest is done", schema: without(connector.VerbEnable), subject: subject(account(disabled(month)), wanting(set("title", "Clerk"))),
			op: "update/change u1 title:>Clerk", notes: []string{NoteUnable}},
		{name: "QUIRKS HR-11: after a delete a person decides", subject: subject(account(deleted)), op: "create/return enabled userName:>jane PARK"},
		{name: "unless the policy makes accounts anew", subject: subject(account(deleted)), policy: Policy{Recreate: true}, op: "create/return enabled userName:>jane"},
		{name: "what was deleted is not deleted again", subject: subject(in(identity.Leaver), account(deleted)), policy: Policy{OnLeave: ReactDelete}},

		{name: "nobody gets an account before the start", subject: subject(in(identity.PreHire))},
		{name: "QUIRKS HR-21: unless the policy makes it, disabled", subject: subject(in(identity.PreHire)), policy: Policy{PreCreate: true}, op: "create/join disabled userName:>jane"},
		{name: "and only where the target can disable", schema: without(connector.VerbDisable), subject: subject(in(identity.PreHire)), policy: Policy{PreCreate: true}, notes: []string{NoteUnable}},
		{name: "QUIRKS HR-21: a start that moved disables", subject: subject(in(identity.PreHire), account()), op: "disable/pre-hire u1 disabled"},
		{name: "an account made ahead follows the source", subject: subject(in(identity.PreHire), account(disabled(0)), wanting(set("title", "Clerk"))), policy: Policy{PreCreate: true}, op: "update/change u1 title:>Clerk"},
		{name: "the first day enables", subject: subject(account(disabled(0))), op: "enable/return u1 enabled"},

		{name: "an observed account is not updated", subject: subject(account(owned(identity.Observed)), wanting(set("title", "Clerk"), "sales"))},
		{name: "an observed account is not disabled", subject: subject(in(identity.Leaver), account(owned(identity.Observed))), notes: []string{NoteObserved}},
		{name: "an observed account is not deleted", subject: subject(account(owned(identity.Observed)), outOfScope), policy: Policy{OutOfScope: ReactDelete}, notes: []string{NoteObserved}},
		{name: "an adopted account is ours", subject: subject(in(identity.Leaver), account(owned(identity.Adopted))), op: "disable/leave u1 disabled"},
		{name: "a protected anchor is not disabled", subject: subject(in(identity.Leaver), account()), policy: Policy{Protected: []string{"1001"}}, notes: []string{NoteProtected}},
		{name: "a protected name is not deleted", subject: subject(in(identity.Gone), account()), policy: Policy{Protected: []string{"Jane"}, OnLeave: ReactDelete}, notes: []string{NoteProtected}},
		{name: "a protected account is not disabled for a start that moved", subject: subject(in(identity.PreHire), account()), policy: Policy{Protected: []string{"u1"}}, notes: []string{NoteProtected}},
		{name: "a protected account follows the source", subject: subject(account(), wanting(set("title", "Clerk"))), policy: Policy{Protected: []string{"1001"}}, op: "update/change u1 title:>Clerk"},
		{name: "a forbidden kind is noted", subject: subject(), policy: Policy{Forbid: []Kind{Create}}, notes: []string{NoteForbidden}},

		{name: "a match is left to a person", subject: subject(found(object("x9"))), policy: Policy{Match: []string{"mail"}}, op: "adopt/join x9 enabled userName:>jane PARK"},
		{name: "a match is adopted, with all that is mapped",
			subject: subject(found(object("x9", connector.Attribute{Name: "mail", Values: connector.Values{"J@x.test"}}, connector.Attribute{Name: "userName", Values: connector.Values{"old"}})),
				wanting(set("mail", "j@x.test"), set("userName", "jane"), "sales")),
			policy: Policy{Match: []string{"mail"}, OnMatch: MatchAdopt}, op: "adopt/join x9 enabled mail:J@x.test>J@x.test userName:old>jane +sales"},
		{name: "a match is observed", subject: subject(found(object("x9"))), policy: Policy{Match: []string{"mail"}, OnMatch: MatchObserve}, notes: []string{NoteObserved}},
		{name: "QUIRKS HR-11: several matches are ambiguous", subject: subject(found(object("x9"), object("x8"))), policy: Policy{Match: []string{"mail"}, OnMatch: MatchAdopt}, notes: []string{NoteAmbiguous}},
		{name: "QUIRKS HR-2: a match that is another's is a conflict", subject: subject(found(object("x9")), func(s *Subject) { s.HeldBy = s.Key; s.HeldBy.Anchor = "1002" }), policy: Policy{Match: []string{"mail"}, OnMatch: MatchAdopt}, notes: []string{NoteConflict}},
		{name: "QUIRKS HR-10: a match whose owner has left may be the same person, and its old grants are not restored",
			subject: subject(found(object("x9")), wanting(set("userName", "jane"), "keep", "new"), func(s *Subject) {
				s.HeldBy, s.Former = identity.Key{Source: "hr", Kind: identity.Person, Anchor: "900"}, &identity.Account{Grants: []identity.Grant{{Entitlement: "keep"}, {Entitlement: "old"}}}
			}), policy: Policy{Match: []string{"mail"}, OnMatch: MatchAdopt},
			op: "adopt/return x9 enabled userName:>jane -old +keep +new PARK", notes: []string{NoteRehire}},
		{name: "without an answer nothing is made", subject: subject(func(s *Subject) { s.Unasked = true }), policy: Policy{Match: []string{"mail"}}, notes: []string{NoteNotAsked}},
		{name: "without an answer the target itself adopts", subject: subject(func(s *Subject) { s.Unasked = true }), policy: Policy{Match: []string{"userName"}, OnMatch: MatchAdopt}, op: "create/join enabled userName:>jane"},

		{name: "the same as what is open is nothing new", subject: subject(open(Operation{Kind: Create, Enabled: connector.IsEnabled, Changes: []Change{{Name: "userName", After: connector.Values{"JANE"}}}}))},
		{name: "nor when that is parked", subject: subject(open(Operation{Kind: Create, Enabled: connector.IsEnabled, Changes: []Change{{Name: "userName", After: connector.Values{"jane"}}}}, parked))},
		{name: "a create that is half done and what is left of it mean the same",
			subject: subject(account(), wanting(set("userName", "jane"), "sales"),
				open(Operation{Kind: Update, Grants: []GrantChange{{Grant: identity.Grant{Entitlement: "sales"}}}}, parked))},
		{name: "QUIRKS Q-5: another intent replaces what is open", subject: subject(account(), wanting(set("title", "Boss")), open(Operation{Kind: Update, Changes: []Change{{Name: "title", After: connector.Values{"Clerk"}}}})),
			op: "update/change u1 title:>Boss"},
		{name: "QUIRKS Q-5: a disable is withdrawn when its person is back", subject: subject(account(), open(Operation{Kind: Disable, Enabled: connector.IsDisabled})), withdraw: "op-1"},
		{name: "QUIRKS Q-4: what was sent is waited for", subject: subject(account(), open(Operation{Kind: Disable, Enabled: connector.IsDisabled}, sent)), notes: []string{NoteInFlight}},
		{name: "what was sent and still holds is nothing", subject: subject(in(identity.Leaver), account(), open(Operation{Kind: Disable, Enabled: connector.IsDisabled}, sent))},
		{name: "what the target has accepted is waited for",
			subject: subject(account(), wanting(set("title", "Boss")), open(Operation{Kind: Update, Changes: []Change{{Name: "title", After: connector.Values{"Clerk"}}}}, accepted)), notes: []string{NoteInFlight}},
		{name: "but not by a leaver, who loses what it brings, too",
			subject: subject(in(identity.Leaver), account(), open(Operation{Kind: Update, Grants: []GrantChange{{Grant: identity.Grant{Entitlement: "sales"}}}}, accepted)), policy: Policy{RevokeOnLeave: true},
			op: "disable/leave u1 disabled -sales"},
		{name: "an enabling that the target has accepted is taken back by a disable",
			subject: subject(in(identity.Leaver), account(disabled(0)), open(Operation{Kind: Enable, Enabled: connector.IsEnabled}, accepted)), op: "disable/leave u1 disabled"},
		{name: "a disable that the target has accepted is not sent again",
			subject: subject(in(identity.Leaver), account(), open(Operation{Kind: Disable, Enabled: connector.IsDisabled}, accepted))},
		{name: "a create stays open while the target cannot be asked",
			subject: subject(func(s *Subject) { s.Unasked = true }, open(Operation{Kind: Create, Changes: []Change{{Name: "userName", After: connector.Values{"jane"}}}})),
			policy:  Policy{Match: []string{"mail"}}, notes: []string{NoteNotAsked}},

		{name: "a group is made without a state", subject: subject(func(s *Subject) { s.Kind = identity.Group }, wanting(set("displayName", "Sales"))), op: "create/join displayName:>Sales"},
		{name: "a group that is gone is not disabled", subject: subject(func(s *Subject) { s.Kind = identity.Group }, in(identity.Gone), account()), notes: []string{NoteUnable}},
		{name: "a group that is gone is deleted by policy", subject: subject(func(s *Subject) { s.Kind = identity.Group }, in(identity.Gone), account()), policy: Policy{OnLeave: ReactDelete}, op: "delete/gone u1"},
		{name: "a kind without an object type is noted", schema: connector.Schema{schema[0]}, subject: subject(func(s *Subject) { s.Kind = identity.Group }), notes: []string{NoteUnknownObject}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.schema == nil {
				tt.schema = schema
			}
			step := Diff(tt.subject, tt.policy, tt.schema)
			require.Equal(t, tt.op, line(step.Operation))
			require.Equal(t, tt.withdraw, step.Withdraw)
			require.Equal(t, tt.notes, codes(step.Notes))
		})
	}
}

func TestOperationIsWhole(t *testing.T) {
	s := subject(account(grants("old")), wanting(set("title", "Clerk"), set("userName", "jane2"), "new"))
	got := Diff(s, Policy{}, schema).Operation
	wanted := &Operation{
		AccountKey: identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: "1001"},
		Kind:       Update, Cause: CauseChange, Lane: LaneRevoke,
		Target: connector.Ref{ID: "u1", Name: "jane"}, AccountRev: 7, IdentityRev: 3,
		Changes: []Change{
			{Name: "title", After: connector.Values{"Clerk"}, Rule: "hub.yaml:1"},
			{Name: "userName", Before: connector.Values{"jane"}, After: connector.Values{"jane2"}, Rule: "hub.yaml:1", Naming: true},
		},
		Grants: []GrantChange{{Grant: identity.Grant{Entitlement: "old", Reason: "rule old"}, Remove: true}, {Grant: identity.Grant{Entitlement: "new", Reason: "rule new"}}},
		Reason: "moved: loses old (rule old no longer applies); gains new; changed: title, userName",
	}
	require.Empty(t, cmp.Diff(wanted, got))
	require.Equal(t, "update 1001 on crm: moved: loses old (rule old no longer applies); gains new; changed: title, userName", got.String())
}

func TestCreateSaysHowItIsFoundAgain(t *testing.T) {
	s := subject(wanting(set("externalId", "1001"), set("userName", "jane")))
	require.Equal(t, connector.Correlation{Attribute: "externalId", Value: "1001"}, Diff(s, Policy{}, schema).Operation.Correlate)
	require.Equal(t, connector.Correlation{Attribute: "userName", Value: "jane"}, Diff(s, Policy{Match: []string{"userName"}}, schema).Operation.Correlate)
	s.Unasked = true
	require.True(t, Diff(s, Policy{Match: []string{"userName"}, OnMatch: MatchAdopt}, schema).Operation.AdoptExisting)
}

func TestReasons(t *testing.T) {
	means := append(connector.Schema{}, schema...)
	means[0].DisableMeans = "sets active to false"
	tests := []struct {
		subject Subject
		policy  Policy
		want    string
	}{
		{subject(), Policy{}, "joined: in scope and has no account yet"},
		{subject(wanting(set("userName", "jane"), "sales")), Policy{}, "joined: in scope and has no account yet; gains sales"},
		{subject(in(identity.Leaver), account(grants("sales"))), Policy{RevokeOnLeave: true}, "left: status or end date in the source say so; loses sales; disabling sets active to false"},
		{subject(in(identity.Gone), account()), Policy{OnLeave: ReactDelete}, "gone: not in the source any more, which was read completely"},
		{subject(account(deleted)), Policy{Recreate: true}, "back: in scope and active again; the earlier account was deleted"},
		{subject(account(holding("title", "Clerk")), wanting(unset("title"))), Policy{}, "cleared by rule: title"},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, Diff(tt.subject, tt.policy, means).Operation.Reason)
	}
}
