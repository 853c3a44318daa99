package scim

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

func update(ref connector.Ref, changes ...connector.Change) connector.Update {
	return connector.Update{Call: call("update"), Target: ref, Changes: changes}
}

// The same changes, in every way that dialects have to make them (QUIRKS SCIM-12,
// SCIM-13, SCIM-25 to 27).
func TestUpdateInEveryStyle(t *testing.T) {
	for name, overrides := range map[string]map[string]any{
		"per path":        nil,
		"pathless object": {"patch_style": "pathless_object"},
		"dotted":          {"patch_style": "dotted"},
		"pathless single": {"patch_style": "pathless_single"},
		"no path filters": {"path_filters": "none"},
		"put, merged":     {"user_update": "put_merge"},
		"clear by null":   {"clear_style": "null"},
		"manager as text": {"manager_style": "string"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, "rfc7644", overrides, nil)
			boss := f.create(newUser("boss"))
			ref := f.create(newUser("jane", "givenName", "Jane", "familyName", "Doe", "title", "Clerk", "nickName", "JJ",
				"email", "old@example.org", "phone", "1", "mobile", "2", "department", "Sales"))
			require.NoError(t, applied(f.target.Update(context.Background(), update(ref, replace("title", "Chief"), replace("familyName", "Roe"),
				replace("email", "new@example.org"), replace("department", "IT"), replace("costCenter", "42"), replace("manager", boss), replace("nickName")))))
			u := f.user("jane")
			require.Equal(t, "Chief", u.Text("title"))
			require.Equal(t, map[string]any{"givenName": "Jane", "familyName": "Roe"}, u.Attributes["name"], "the other part of a name stays")
			require.Contains(t, u.JSON(), "new@example.org")
			require.NotContains(t, u.JSON(), "old@example.org")
			require.Len(t, u.Attributes["phoneNumbers"], 2, "what nobody named stays")
			require.Equal(t, map[string]any{"department": "IT", "costCenter": "42", "manager": map[string]any{"value": boss.ID}}, u.Attributes[enterpriseSchema])
			require.NotContains(t, u.Attributes, "nickName", "cleared because the hub said so (SCIM-26)")

			before := f.user("jane")
			f.ResetLog()
			err := f.target.Update(context.Background(), update(ref, replace("title", "Chief"), replace("email", "NEW@example.org"), replace("nickName")))
			require.Equal(t, connector.OutcomeUnchanged, outcome(err), "a mail address differs in case alone (SCIM-5)")
			require.Zero(t, f.Count(http.MethodPatch, "")+f.Count(http.MethodPut, ""))
			require.Equal(t, before, f.user("jane"))
		})
	}
}

// applied turns the answer "applied, and this is what it holds now" into no error.
func applied(err error) error {
	if outcome(err) == connector.OutcomeApplied {
		return nil
	}
	return err
}

// QUIRKS SCIM-13: what somebody else keeps in the account is not lost by a PUT.
func TestPutKeepsWhatOthersWrote(t *testing.T) {
	f := newFake(t, "rfc7644", map[string]any{"user_update": "put_merge", "group_update": "put_merge"}, nil)
	f.Arm(fakescim.Fault{Name: fakescim.PutWipes})
	id, err := f.Seed("User", `{"userName": "jane", "externalId": "x-jane", "title": "Clerk", "ims": [{"type": "aim", "value": "j"}],
		"emails": [{"type": "home", "value": "home@example.org"}]}`)
	require.NoError(t, err)
	require.NoError(t, applied(f.target.Update(context.Background(), update(connector.Ref{Type: "user", ID: id}, replace("title", "Chief"), replace("email", "w@example.org")))))
	u := f.user("jane")
	require.Equal(t, "Chief", u.Text("title"))
	require.NotNil(t, u.Attributes["ims"])
	require.Contains(t, u.JSON(), "home@example.org")

	group, err := f.Seed("Group", `{"displayName": "staff"}`)
	require.NoError(t, err)
	require.NoError(t, f.SeedMembers(group, id))
	_, err = f.target.Rename(context.Background(), connector.Rename{Call: call("r"), Target: connector.Ref{Type: "group", ID: group}, NewName: "people"})
	require.NoError(t, err)
	g, ok := f.Group("people")
	require.True(t, ok)
	require.Equal(t, []string{id}, g.Members)
}

// QUIRKS SCIM-14: conditional writes.
func TestUpdateOfWhatHasChangedSince(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	ref := f.create(newUser("jane"))
	require.NotEmpty(t, ref.Version)
	require.NoError(t, applied(f.target.Update(context.Background(), update(ref, replace("title", "A")))))
	u := update(ref, replace("title", "B"))
	u.IfVersion = ref.Version
	require.Equal(t, connector.CodeVersionConflict, code(f.target.Update(context.Background(), u)))
	require.Equal(t, "A", f.user("jane").Text("title"))
	o, err := f.target.Get(context.Background(), ref, nil)
	require.NoError(t, err)
	u.IfVersion = o.Ref.Version
	require.NoError(t, applied(f.target.Update(context.Background(), u)))
}

// QUIRKS SCIM-15: a 412 that no version asked for is the product's own refusal.
func TestRefusalBy412IsNoConflictOfVersions(t *testing.T) {
	f := newFake(t, "gitlab", nil, nil)
	_, err := f.target.Schema(context.Background())
	require.NoError(t, err)
	f.Arm(fakescim.Fault{Name: fakescim.Business412, Text: "email jane@example.org not allowed"})
	_, err = f.target.Create(context.Background(), newUser("jane"))
	require.Equal(t, connector.ClassPermanent, connector.AsError(err).Class())
	require.NotContains(t, err.Error(), "jane@example.org")
	require.Contains(t, connector.AsError(err).Detail, "not allowed", "the product's words are for the debug log")
}

func TestUpdateOfAnothersAccountUnderTheID(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	ref := f.create(newUser("jane"))
	ref.By = connector.Correlation{Attribute: "externalId", Value: "x-somebody"}
	for name, err := range map[string]error{
		"update":  f.target.Update(context.Background(), update(ref, replace("title", "Chief"))),
		"disable": f.target.SetEnabled(context.Background(), connector.SetEnabled{Call: call("d"), Target: ref}),
	} {
		require.Equal(t, connector.CodeNotFound, code(err), name)
	}
	require.Equal(t, connector.OutcomeUnchanged, outcome(f.target.Delete(context.Background(), connector.Delete{Call: call("x"), Target: ref})), "the account is gone; this one is another's")
	require.True(t, f.user("jane").Active())
}

func TestRename(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	f.create(newUser("max"))
	ref := f.create(newUser("jane"))
	rename := connector.Rename{Call: call("r"), Target: ref, NewName: "jane.roe"}
	now, err := f.target.Rename(context.Background(), rename)
	require.NoError(t, err)
	require.Equal(t, ref.ID, now.ID)
	require.Equal(t, "jane.roe", now.Name)
	_, err = f.target.Rename(context.Background(), rename)
	require.Equal(t, connector.OutcomeUnchanged, outcome(err))
	rename.NewName = "max"
	_, err = f.target.Rename(context.Background(), rename)
	require.Equal(t, connector.CodeAlreadyExists, code(err))
	rename.NewContainer = "sales"
	_, err = f.target.Rename(context.Background(), rename)
	require.Equal(t, connector.CodeUnsupported, code(err))
}

func TestSetCredential(t *testing.T) {
	f := newFake(t, "rfc7644", nil, config{"users": config{"passwords": true}})
	ref := f.create(newUser("jane"))
	set := connector.SetCredential{Call: call("p"), Target: ref, Credential: connector.NewSecret("s3cret-Qx7")}
	require.NoError(t, applied(f.target.SetCredential(context.Background(), set)))
	require.True(t, f.CheckPassword("jane", "s3cret-Qx7"))

	set.MustChange = true
	require.Equal(t, connector.CodeUnsupported, code(f.target.SetCredential(context.Background(), set)), "not done half")
	set.MustChange = false
	f.Arm(fakescim.Fault{Name: fakescim.Refused, Method: http.MethodPatch, Status: 400, Text: "password s3cret-Qx7 is too weak"})
	err := f.target.SetCredential(context.Background(), set)
	require.Equal(t, connector.CodePolicy, code(err))
	require.NotContains(t, err.Error()+connector.AsError(err).Detail, "s3cret", "what repeats the password is kept nowhere")

	without := f.open(config{"users": config{"passwords": false}})
	require.Equal(t, connector.CodeUnsupported, code(without.SetCredential(context.Background(), set)))
}
