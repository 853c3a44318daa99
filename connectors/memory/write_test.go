package memory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
)

func TestCreateHoldsTheRulesOfTheSchema(t *testing.T) {
	tg := openTarget(t, Config{})
	tg.make(typeUser, user("ann", attr("externalId", "4711"), attr("mail", "a@x.example")))
	tg.make(typeUser, user("eve", attr("mail", "shared@x.example")))
	tg.make(typeUser, user("eva", attr("mail", "shared@x.example")))
	boss := connector.Ref{By: connector.Correlation{Attribute: "userName", Value: "ann"}}
	by := func(attribute, value string) connector.Correlation {
		return connector.Correlation{Attribute: attribute, Value: value}
	}
	for _, tt := range []struct {
		name string
		c    connector.Create
		want string
	}{
		{"required only", connector.Create{Type: typeUser, Attributes: user("bob")}, "applied"},
		{"everything", connector.Create{Type: typeUser, Attributes: user("cat", attr("phone", "1", "2"), attr("manager", boss),
			attr("hireDate", connector.Date("2026-03-31")), attr("seat", int64(7)), attr("vip", true), attr("employeeType", "intern"), attr("origin", "hr"))}, "applied"},
		{"without what is required", connector.Create{Type: typeUser, Attributes: connector.Attributes{attr("mail", "x@x.example")}}, "INVALID_VALUE"},
		{"a name that is taken, in another case", connector.Create{Type: typeUser, Attributes: user("ANN")}, "ALREADY_EXISTS"},
		{"a name that is taken, after a lost reply of somebody else", connector.Create{Call: connector.Call{MaybeApplied: true, Key: "mine"}, Type: typeUser, Attributes: user("ann"), Correlate: by("userName", "ann")}, "ALREADY_EXISTS"},
		{"an anchor that is taken", connector.Create{Type: typeUser, Attributes: user("dan", attr("externalId", "4711"))}, "ALREADY_EXISTS"},
		{"an account to take over", connector.Create{Type: typeUser, Attributes: user("ann"), Correlate: by("externalId", "4711"), Adopt: true}, "adopted"},
		{"one of several accounts to take over", connector.Create{Type: typeUser, Attributes: user("new"), Correlate: by("mail", "shared@x.example"), Adopt: true}, "AMBIGUOUS"},
		{"a manager who is not there", connector.Create{Type: typeUser, Attributes: user("fay", attr("manager", connector.Ref{ID: "user-99"}))}, "DEPENDENCY_MISSING"},
		{"an attribute that does not exist", connector.Create{Type: typeUser, Attributes: user("gus", attr("shoe", "43"))}, "INVALID_VALUE"},
		{"an attribute that the target sets", connector.Create{Type: typeUser, Attributes: user("gus", attr("created", "now"))}, "INVALID_VALUE"},
		{"two values where one goes", connector.Create{Type: typeUser, Attributes: user("gus", attr("mail", "a", "b"))}, "INVALID_VALUE"},
		{"a wrong type", connector.Create{Type: typeUser, Attributes: user("gus", attr("vip", "yes"))}, "INVALID_VALUE"},
		{"a day that does not exist", connector.Create{Type: typeUser, Attributes: user("gus", attr("hireDate", connector.Date("2026-02-30")))}, "INVALID_VALUE"},
		{"a value outside the list", connector.Create{Type: typeUser, Attributes: user("gus", attr("employeeType", "guest"))}, "INVALID_VALUE"},
		{"a blank", connector.Create{Type: typeUser, Attributes: user("gus", attr("title", "  "))}, "INVALID_VALUE"},
		{"a name that is too long", connector.Create{Type: typeUser, Attributes: user(strings.Repeat("ü", 129))}, "INVALID_VALUE"},
		{"a name as long as can be", connector.Create{Type: typeUser, Attributes: user(strings.Repeat("ü", 128))}, "applied"},
		{"a weak password", connector.Create{Type: typeUser, Attributes: user("gus"), Credential: connector.NewSecret("short")}, "POLICY"},
		{"a password for a group", connector.Create{Type: typeGroup, Attributes: connector.Attributes{attr("displayName", "x")}, Credential: connector.NewSecret("long enough")}, "UNSUPPORTED"},
		{"no such type", connector.Create{Type: "printer"}, "INVALID_VALUE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := tg.verbs()
			ref, err := tg.Create(t.Context(), tt.c)
			if got := answer(err); got != tt.want {
				t.Errorf("got %s (%v); want %s", got, err, tt.want)
			}
			if changed := before != tg.verbs(); changed != (tt.want == "applied") {
				t.Errorf("effects: %s", tg.verbs())
			}
			if (tt.want == "applied" || tt.want == "adopted") && ref.ID == "" {
				t.Error("no id")
			}
			if e := connector.AsError(err); tt.want == "ALREADY_EXISTS" && (e.Conflicting == nil || e.Conflicting.ID != "user-1") {
				t.Errorf("does not say what is in the way: %+v", e)
			}
		})
	}
}

// QUIRKS Q-13
func TestARepeatedCreateMakesNoSecondObject(t *testing.T) {
	tg := openTarget(t, Config{})
	c := connector.Create{Call: tg.call(), Type: typeUser, Attributes: user("ann"), Correlate: connector.Correlation{Attribute: "userName", Value: "ann"}}
	first, err := tg.Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.MaybeApplied, c.Attempt = true, 2
	again, err := tg.Create(t.Context(), c)
	if again != first || answer(err) != "unchanged" || tg.verbs() != "create ann" {
		t.Errorf("got %v, %s; effects: %s", again, answer(err), tg.verbs())
	}
}

func TestUpdateChangesWhatIsNamedAndNothingElse(t *testing.T) {
	tg := openTarget(t, Config{})
	tg.make(typeUser, user("bob"))
	ann := tg.make(typeUser, user("ann", attr("title", "Dr"), attr("phone", "1", "2")))
	for _, tt := range []struct {
		name    string
		changes []connector.Change
		want    string
		phone   []any
	}{
		{"replace", []connector.Change{{Name: "title", Replace: connector.Values{"Prof"}}}, "applied", []any{"1", "2"}},
		{"replace with the same", []connector.Change{{Name: "title", Replace: connector.Values{"Prof"}}}, "unchanged", []any{"1", "2"}},
		{"a change of case", []connector.Change{{Name: "title", Replace: connector.Values{"PROF"}}}, "applied", []any{"1", "2"}},
		{"add and remove", []connector.Change{{Name: "phone", Delta: true, Add: connector.Values{"3"}, Remove: connector.Values{"1", "9"}}}, "applied", []any{"2", "3"}},
		{"add what is there", []connector.Change{{Name: "phone", Delta: true, Add: connector.Values{"3"}}}, "unchanged", []any{"2", "3"}},
		{"clear", []connector.Change{{Name: "phone"}}, "applied", nil},
		{"swap the one value of a required attribute", []connector.Change{{Name: "userName", Delta: true, Add: connector.Values{"ann2"}, Remove: connector.Values{"ann"}}}, "applied", nil},
		{"clear a required attribute", []connector.Change{{Name: "userName"}}, "INVALID_VALUE", nil},
		{"take a name that is taken", []connector.Change{{Name: "title", Replace: connector.Values{"x"}}, {Name: "userName", Replace: connector.Values{"BOB"}}}, "ALREADY_EXISTS", nil},
		{"an attribute that stays", []connector.Change{{Name: "origin", Replace: connector.Values{"x"}}}, "INVALID_VALUE", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := answer(tg.update(ann, tt.changes...)); got != tt.want {
				t.Errorf("got %s; want %s", got, tt.want)
			}
			obj := tg.read(ann)
			if d := cmp.Diff(tt.phone, []any(obj.Attributes.Get("phone"))); d != "" {
				t.Errorf("phone (-want +got):\n%s", d)
			}
			if obj.Attributes.Text("title") == "x" {
				t.Error("half of it took effect")
			}
		})
	}
	if got := answer(tg.update(connector.Ref{Type: typeUser, ID: "user-99"})); got != "NOT_FOUND" {
		t.Errorf("nobody: got %s", got)
	}
}

func TestAStaleVersionChangesNothing(t *testing.T) {
	tg := openTarget(t, Config{})
	ann := tg.make(typeUser, user("ann"))
	if err := tg.update(ann, connector.Change{Name: "title", Replace: connector.Values{"Dr"}}); err != nil {
		t.Fatal(err)
	}
	stale := connector.Call{ID: "x", IfVersion: ann.Version}
	for name, err := range map[string]error{
		"update":  tg.Update(t.Context(), connector.Update{Call: stale, Target: ann, Changes: []connector.Change{{Name: "title"}}}),
		"disable": tg.SetEnabled(t.Context(), connector.SetEnabled{Call: stale, Target: ann}),
		"delete":  tg.Delete(t.Context(), connector.Delete{Call: stale, Target: ann}),
	} {
		if answer(err) != "VERSION_CONFLICT" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := tg.verbs(); got != "create ann, update ann" {
		t.Errorf("effects: %s", got)
	}
}

func TestDisableKeepsEverythingAndDeleteIsRepeatable(t *testing.T) {
	tg := openTarget(t, Config{})
	ann := tg.make(typeUser, user("ann", attr("title", "Dr")))
	staff := tg.make(typeGroup, connector.Attributes{attr("displayName", "staff")})
	if err := tg.Grant(t.Context(), connector.Grant{Call: tg.call(), Principal: ann, Entitlement: staff}); err != nil {
		t.Fatal(err)
	}
	set := func(on bool) string {
		return answer(tg.SetEnabled(t.Context(), connector.SetEnabled{Call: tg.call(), Target: ann, Enabled: on}))
	}
	if got := []string{set(false), set(false)}; cmp.Diff([]string{"applied", "unchanged"}, got) != "" {
		t.Errorf("disabling twice: %v", got)
	}
	if o := tg.read(ann); o.Enabled != connector.IsDisabled || o.Attributes.Text("title") != "Dr" || len(o.Grants) != 1 {
		t.Errorf("disabled: %+v", o)
	}
	if got := set(true); got != "applied" {
		t.Errorf("enabling: %s", got)
	}
	del := func() string { return answer(tg.Delete(t.Context(), connector.Delete{Call: tg.call(), Target: ann})) }
	if got := []string{del(), del()}; cmp.Diff([]string{"applied", "NOT_FOUND"}, got) != "" {
		t.Errorf("deleting twice: %v", got)
	}
	if again := tg.make(typeUser, user("ann")); again.ID == ann.ID {
		t.Error("an id was used again")
	}
}

func TestGrantsAreForAccountsOfWhatIsThere(t *testing.T) {
	tg := openTarget(t, Config{})
	ann, bob := tg.make(typeUser, user("ann")), tg.make(typeUser, user("bob"))
	staff := tg.make(typeGroup, connector.Attributes{attr("displayName", "Staff")})
	admin := tg.make(typeRole, connector.Attributes{attr("name", "admin")})
	byName := connector.Ref{Type: typeGroup, By: connector.Correlation{Attribute: "displayName", Value: "staff"}}
	none := connector.Ref{Type: typeGroup, By: connector.Correlation{Attribute: "displayName", Value: "none"}}
	grant := func(who, what connector.Ref) string {
		return answer(tg.Grant(t.Context(), connector.Grant{Call: tg.call(), Principal: who, Entitlement: what}))
	}
	revoke := func(who, what connector.Ref) string {
		return answer(tg.Revoke(t.Context(), connector.Revoke{Call: tg.call(), Principal: who, Entitlement: what}))
	}
	got := []string{grant(ann, byName), grant(ann, staff), grant(ann, admin), grant(bob, staff), grant(ann, none), grant(connector.Ref{Type: typeUser, ID: "user-9"}, staff), grant(ann, bob), grant(staff, admin),
		revoke(ann, staff), revoke(ann, staff), revoke(ann, none)}
	want := []string{"applied", "unchanged", "applied", "applied", "DEPENDENCY_MISSING", "NOT_FOUND", "UNSUPPORTED", "UNSUPPORTED", "applied", "unchanged", "unchanged"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if o := tg.read(ann); len(o.Grants) != 1 || o.Grants[0].Name != "admin" {
		t.Errorf("ann holds %v", o.Grants)
	}
	if o := tg.read(bob); len(o.Grants) != 1 {
		t.Errorf("bob lost what was taken from ann: %v", o.Grants)
	}
	if err := tg.Delete(t.Context(), connector.Delete{Call: tg.call(), Target: staff}); err != nil {
		t.Fatal(err)
	}
	if o := tg.read(bob); o.Grants == nil || len(o.Grants) != 0 {
		t.Errorf("bob still holds what is gone: %#v", o.Grants)
	}
}

func TestARenameKeepsWhoeverRefersToTheObject(t *testing.T) {
	for _, changes := range []bool{false, true} {
		tg := openTarget(t, Config{RenameChangesID: changes})
		ann := tg.make(typeUser, user("ann"))
		bob := tg.make(typeUser, user("bob", attr("manager", ann)))
		tg.make(typeUser, user("eve"))
		rename := func(to string) (connector.Ref, string) {
			ref, err := tg.Rename(t.Context(), connector.Rename{Call: tg.call(), Target: ann, NewName: to})
			return ref, answer(err)
		}
		if _, got := rename("EVE"); got != "ALREADY_EXISTS" {
			t.Errorf("to a name that is taken: %s", got)
		}
		if ref, got := rename("ann"); got != "unchanged" || ref.ID != ann.ID {
			t.Errorf("to the same name: %v, %s", ref, got)
		}
		now, got := rename("anne")
		if got != "applied" || (now.ID != ann.ID) != changes || now.Name != "anne" {
			t.Errorf("got %v, %s", now, got)
		}
		if m := tg.read(bob).Attributes.Get("manager"); len(m) != 1 || m[0].(connector.Ref).ID != now.ID {
			t.Errorf("bob's manager: %v; want %s", m, now.ID)
		}
		if _, err := tg.Get(t.Context(), connector.Ref{Type: typeUser, ID: ann.ID}, nil); (err != nil) != changes {
			t.Errorf("the old id: %v", err)
		}
	}
}

func TestPasswordsFollowThePolicyAndAreNeverKeptAsTheyAre(t *testing.T) {
	path := journalPath(t)
	tg := openTarget(t, Config{Journal: path, MinPassword: 10})
	ann := tg.make(typeUser, user("ann"))
	set := func(p string) string {
		return answer(tg.SetCredential(t.Context(), connector.SetCredential{Call: tg.call(), Target: ann, Credential: connector.NewSecret(p)}))
	}
	if got := []string{set("too-short"), set("long-enough")}; cmp.Diff([]string{"POLICY", "applied"}, got) != "" {
		t.Errorf("got %v", got)
	}
	for p, want := range map[string]bool{"long-enough": true, "wrong-password": false} {
		if ok, err := tg.store.HasPassword(typeUser, ann.ID, p); ok != want || err != nil {
			t.Errorf("sign in with %s: %v, %v", p, ok, err)
		}
	}
	if raw := readFile(t, path); strings.Contains(raw, "long-enough") {
		t.Errorf("the password is in the journal: %s", raw)
	}
}

func TestAGroupOfStepsTakesEffectWholeOrNotAtAll(t *testing.T) {
	tg := openTarget(t, Config{Atomic: true})
	staff := tg.make(typeGroup, connector.Attributes{attr("displayName", "staff")})
	ann := connector.Ref{Type: typeUser, By: connector.Correlation{Attribute: "userName", Value: "ann"}}
	call := func(id string) connector.Call { return connector.Call{ID: id, Key: id, Group: "g", GroupSize: 4} }
	steps := func(entitlement string, mail string) []connector.Operation {
		return []connector.Operation{
			connector.Create{Call: call("1"), Type: typeUser, Attributes: user("ann"), Correlate: ann.By},
			connector.Grant{Call: call("2"), Principal: ann, Entitlement: staff},
			connector.Grant{Call: call("3"), Principal: ann, Entitlement: connector.Ref{Type: typeGroup, ID: entitlement}},
			connector.Update{Call: call("4"), Target: ann, Changes: []connector.Change{{Name: mail, Replace: connector.Values{"a@x.example"}}}},
		}
	}
	apply := func(ops []connector.Operation) (out []string) {
		for _, r := range (atomic{tg.Target}).ApplyBatch(t.Context(), ops) {
			s := r.ID + " " + string(r.Outcome)
			if r.Err != nil {
				s += " " + r.Err.Code.String()
			}
			out = append(out, s)
		}
		return out
	}
	if d := cmp.Diff([]string{"1 cancelled DEPENDENCY_MISSING", "2 cancelled DEPENDENCY_MISSING", "3 cancelled DEPENDENCY_MISSING", "4 failed INVALID_VALUE"},
		apply(steps("group-99", "no-such-attribute"))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := tg.verbs(); got != "create staff" {
		t.Errorf("half of it took effect: %s", got)
	}
	// A group that is missing holds back its own grant only.
	if d := cmp.Diff([]string{"1 applied", "2 applied", "3 failed DEPENDENCY_MISSING", "4 applied"}, apply(steps("group-99", "mail"))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := tg.verbs(); got != "create staff, create ann, grant ann, update ann" {
		t.Errorf("effects: %s", got)
	}
}
