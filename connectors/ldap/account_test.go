package ldap

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// QUIRKS LDAP-1, LDAP-2: names and filters hold any value.
func TestNamesWithSpecialCharacters(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	for i, login := range []string{"Doe, Jane", "a*)(uid=*", `b\2a"+<>;=#`, "#c", "ö ß Ж"} {
		ref := mustCreate(t, target, create(login, fmt.Sprint("E", i)))
		o := get(t, target, ref)
		require.Equal(t, login, o.Attributes.Text("userName"))
		found := get(t, target, connector.Ref{Type: "user", By: connector.Correlation{Attribute: "userName", Value: login}})
		require.Equal(t, ref.ID, found.Ref.ID)
		require.NoError(t, target.Delete(context.Background(), connector.Delete{Target: ref}))
	}
}

// QUIRKS LDAP-3, LDAP-4: the id stays when somebody else renames and moves the
// entry, and work goes on under it.
func TestAnEntryThatSomebodyElseMovesStaysTheSame(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ref := mustCreate(t, target, create("jane", "E1"))
	below := s.ou("people").Child(ldap.NewRDN("ou", "below"))
	s.add(below, "objectClass", "organizationalUnit")
	require.NoError(t, s.c.Move(context.Background(), s.ou("people").Child(ldap.NewRDN("uid", "jane")), ldap.NewRDN("uid", "Jane.Doe"), &below))

	require.NoError(t, target.Update(context.Background(), connector.Update{Target: ref, Changes: []connector.Change{replace("displayName", "Jane")}}))
	o := get(t, target, ref)
	require.Equal(t, "Jane.Doe", o.Attributes.Text("userName"))
	require.True(t, dn(t, o.Ref.Name).Equal(dn(t, strings.ToUpper("uid=jane.doe,")+below.String())))
	require.NoError(t, target.SetEnabled(context.Background(), connector.SetEnabled{Target: ref}))
	require.NoError(t, target.Delete(context.Background(), connector.Delete{Target: ref}))
	require.Equal(t, connector.Unchanged, target.Delete(context.Background(), connector.Delete{Target: ref}))
}

// QUIRKS LDAP-10, §7.2: what holds the name is ours only when the anchor says so.
func TestCreateMeetsWhatIsThere(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ctx := context.Background()
	s.person(s.ou("people").Child(ldap.NewRDN("uid", "foreign")), "employeeNumber", "E9")
	s.person(s.ou("people").Child(ldap.NewRDN("uid", "moved")), "employeeNumber", "E1")

	for _, again := range []bool{false, true} {
		c := create("foreign", "E2")
		c.MaybeApplied, c.Adopt = again, again
		_, err := target.Create(ctx, c)
		e := connector.AsError(err)
		require.Equal(t, connector.CodeAlreadyExists, e.Code, "%v", err)
		require.Equal(t, []string{"userName"}, e.Attributes)
		require.NotEmpty(t, e.Conflicting.ID)
	}
	_, err := target.Create(ctx, create("jane", "E1"))
	require.True(t, connector.IsCode(err, connector.CodeAlreadyExists), "the same person under another name: %v", err)
	require.Equal(t, []string{"employeeNumber"}, connector.AsError(err).Attributes)
	require.True(t, s.gone(s.ou("people").Child(ldap.NewRDN("uid", "jane"))))

	adopt := create("jane", "E1")
	adopt.Adopt = true
	_, err = target.Create(ctx, adopt)
	r := connector.ResultOf("", connector.Ref{}, err)
	require.Equal(t, connector.OutcomeAdopted, r.Outcome)
	require.Equal(t, "moved", r.Object.Attributes.Text("userName"), "as it really is")

	whole := create("jack", "E3", "displayName", "Jack")
	ref := mustCreate(t, target, whole)
	whole.MaybeApplied = true
	again, err := target.Create(ctx, whole)
	require.Equal(t, connector.Unchanged, err)
	require.Equal(t, ref.ID, again.ID)
	s.modify(s.ou("people").Child(ldap.NewRDN("uid", "jack")), ldap.OpReplace, "displayName", "Somebody")
	_, err = target.Create(ctx, whole)
	require.Equal(t, connector.OutcomeAdopted, outcome(err), "it is ours, and not as it was sent")
	s.person(s.ou("people").Child(ldap.NewRDN("uid", "twin")), "employeeNumber", "E3")
	_, err = target.Create(ctx, whole)
	require.Equal(t, connector.OutcomeAdopted, outcome(err), "found where the first try made it")
	whole.Adopt, whole.MaybeApplied = true, false
	_, err = target.Create(ctx, whole)
	require.True(t, connector.IsCode(err, connector.CodeAmbiguous), "%v", err)
}

// QUIRKS LDAP-21: renaming is ModifyDN, then Modify.
func TestRenameAndUpdate(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1"))
	mustCreate(t, target, create("taken", "E2"))
	now, err := target.Rename(ctx, connector.Rename{Target: ref, NewName: "jane.doe"})
	require.NoError(t, err)
	require.Equal(t, ref.ID, now.ID)
	require.Equal(t, []string{"jane.doe"}, s.read(dn(t, now.Name)).Get("uid"), "the old value is gone")
	_, err = target.Rename(ctx, connector.Rename{Target: ref, NewName: "jane.doe"})
	require.Equal(t, connector.Unchanged, err)
	_, err = target.Rename(ctx, connector.Rename{Target: ref, NewName: "taken"})
	require.True(t, connector.IsCode(err, connector.CodeAlreadyExists))
	require.NotNil(t, connector.AsError(err).Conflicting)

	require.NoError(t, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{replace("userName", "jane"), replace("displayName", "Jane")}}))
	e := s.read(s.ou("people").Child(ldap.NewRDN("uid", "jane")))
	require.Equal(t, "Jane", e.First("displayName"))
	_, err = target.Rename(ctx, connector.Rename{Target: ref, NewName: "x", NewContainer: "ou=elsewhere,dc=example"})
	require.True(t, connector.IsCode(err, connector.CodeInvalidValue), "%v", err)
}

// Changes by others between reading and writing are not lost, and one that finds
// another entry under the name changes nothing.
func TestUpdatesChangeOnlyWhatDiffers(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1", "mail", connector.Values{"a@x", "b@x"}, "photo", []byte{0xff, 0xd8, 0, 1}))
	at := s.ou("people").Child(ldap.NewRDN("uid", "jane"))
	require.Equal(t, []any{[]byte{0xff, 0xd8, 0, 1}}, []any(get(t, target, ref).Attributes.Get("photo")), "QUIRKS LDAP-24: bytes stay bytes")
	s.modify(at, ldap.OpAdd, "mail", "others@x")
	require.NoError(t, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{{Name: "mail", Delta: true, Add: connector.Values{"c@x", "A@X"}, Remove: connector.Values{"B@x", "no@x"}}}}))
	require.ElementsMatch(t, []string{"a@x", "others@x", "c@x"}, s.read(at).Get("mail"))
	require.Equal(t, connector.Unchanged, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{replace("displayName"), replace("mail", "c@x", "a@x", "others@x")}}))
	s.modify(at, ldap.OpReplace, "displayName", "Jane")
	require.NoError(t, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{replace("displayName", "")}}))
	require.Nil(t, s.read(at).Get("displayName"), "QUIRKS LDAP-24: empty text is no value")

	u := connector.Update{Target: ref, Changes: []connector.Change{replace("mail", "not a mail ☃", "x")}}
	require.True(t, connector.IsCode(target.Update(ctx, u), connector.CodeInvalidValue), "IA5 only")
	require.Contains(t, connector.AsError(target.Update(ctx, u)).Attributes, "mail")
	u.Changes = []connector.Change{replace("manager", connector.Ref{Type: "user", ID: "00000000-0000-0000-0000-000000000000"})}
	require.True(t, connector.IsCode(target.Update(ctx, u), connector.CodeDependencyMissing))
}

// QUIRKS LDAP-22
func TestAnEntryWithEntriesBelowItIsNotDeleted(t *testing.T) {
	s := newServer(t)
	target := s.target(s.config(usual))
	ref := mustCreate(t, target, create("jane", "E1"))
	at := s.ou("people").Child(ldap.NewRDN("uid", "jane"))
	s.add(at.Child(ldap.NewRDN("cn", "device")), "objectClass", "device")
	err := target.Delete(context.Background(), connector.Delete{Target: ref})
	require.True(t, connector.IsCode(err, connector.CodeVersionConflict), "%v", err)
	require.ErrorContains(t, err, "must go first")
	require.False(t, s.gone(at))
}

// QUIRKS LDAP-48
func TestWhatIsProtectedIsNeverWritten(t *testing.T) {
	s := newServer(t)
	s.person(s.ou("people").Child(ldap.NewRDN("uid", "boss")), "employeeNumber", "E1", "employeeType", "protected")
	locked := s.ou("people").Child(ldap.NewRDN("ou", "locked"))
	s.add(locked, "objectClass", "organizationalUnit")
	s.person(locked.Child(ldap.NewRDN("uid", "root")), "employeeNumber", "E2")
	target := s.target(s.config(usual, `"urls"`, `"overrides": {"protected": [{"attribute": "employeeType", "value": "protected"}]}, "protected": ["OU=locked,ou=people,{base}"], "writable": ["{base}"], "urls"`))
	ctx := context.Background()
	for _, anchor := range []string{"E1", "E2"} {
		ref := connector.Ref{Type: "user", By: connector.Correlation{Attribute: "employeeNumber", Value: anchor}}
		id := connector.Ref{Type: "user", ID: get(t, target, ref).Ref.ID}
		for name, err := range map[string]error{
			"update":   target.Update(ctx, connector.Update{Target: id, Changes: []connector.Change{replace("displayName", "x")}}),
			"disable":  target.SetEnabled(ctx, connector.SetEnabled{Target: id}),
			"delete":   target.Delete(ctx, connector.Delete{Target: id}),
			"password": target.SetCredential(ctx, connector.SetCredential{Target: id, Credential: connector.NewSecret("kT9!vq-Zr4#mWx7")}),
		} {
			require.True(t, connector.IsCode(err, connector.CodePolicy), "%s: %v", name, err)
			require.Equal(t, connector.ClassPermanent, connector.AsError(err).Class())
		}
	}
	c := create("new", "E3")
	outside := s.config(usual, `"urls"`, `"writable": ["ou=groups,{base}"], "urls"`)
	require.NotEmpty(t, Definition.Validate(outside))
	mustCreate(t, target, c)
}

// QUIRKS LDAP-50: references are corrected by us where the server does not.
func TestReferencesFollow(t *testing.T) {
	s := newServer(t)
	// The server corrects member and manager by itself; seeAlso and owner it does not.
	text := s.config(usual, "openldap-overlays", "openldap", `"manager", "type"`, `"manager", "attribute": "seeAlso", "type"`,
		`"kind": "group",`, `"kind": "group", "object_classes": ["top", "groupOfUniqueNames"], "member": "uniqueMember", "placeholder": "cn=nobody,{base}",`)
	target := s.target(text)
	ctx := context.Background()
	boss := mustCreate(t, target, create("boss", "E1"))
	jane := mustCreate(t, target, create("jane", "E2", "manager", boss))
	g := mustCreate(t, target, group("staff"))
	require.NoError(t, target.Grant(ctx, connector.Grant{Principal: boss, Entitlement: g}))
	members := func() []string { return s.read(s.ou("groups").Child(ldap.NewRDN("cn", "staff"))).Get("uniqueMember") }
	require.Len(t, members(), 2)

	now, err := target.Rename(ctx, connector.Rename{Target: boss, NewName: "chief"})
	require.NoError(t, err)
	require.Equal(t, boss.ID, get(t, target, jane).Attributes.Get("manager")[0].(connector.Ref).ID)
	require.True(t, dn(t, members()[1]).Equal(dn(t, now.Name)), "%v", members())
	require.Len(t, get(t, target, boss).Grants, 1)

	require.NoError(t, target.Delete(ctx, connector.Delete{Target: boss}))
	require.Nil(t, get(t, target, jane).Attributes.Get("manager"))
	require.Equal(t, []string{"cn=nobody," + s.base.String()}, members())
}

// A container decides by an attribute, and changing it moves the account.
func TestContainers(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"hr", "it"} {
		s.add(s.ou("people").Child(ldap.NewRDN("ou", name)), "objectClass", "organizationalUnit")
	}
	target := s.target(s.config(usual, `"anchor"`, `"container": {"attribute": "department", "values": [
		{"value": "HR", "base": "ou=hr,ou=people,{base}"}, {"value": "IT", "base": "ou=it,ou=people,{base}"}]}, "anchor"`))
	ctx := context.Background()
	ref := mustCreate(t, target, create("jane", "E1", "department", "HR"))
	require.Equal(t, "HR", get(t, target, ref).Attributes.Text("department"))
	require.NoError(t, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{replace("department", "it"), replace("displayName", "Jane")}}))
	o := get(t, target, ref)
	require.Equal(t, "IT", o.Attributes.Text("department"))
	require.Equal(t, "Jane", o.Attributes.Text("displayName"))
	require.Equal(t, connector.Unchanged, target.Update(ctx, connector.Update{Target: ref, Changes: []connector.Change{replace("department", "IT")}}))
	_, err := target.Rename(ctx, connector.Rename{Target: ref, NewContainer: "HR", NewName: "jane"})
	require.NoError(t, err)
	require.Equal(t, "HR", get(t, target, ref).Attributes.Text("department"))
	_, err = target.Create(ctx, create("jack", "E2", "department", "Sales"))
	require.True(t, connector.IsCode(err, connector.CodeInvalidValue), "%v", err)
}
