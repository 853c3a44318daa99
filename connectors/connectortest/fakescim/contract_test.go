package fakescim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// contract is one dialect under test: a server that plays it, and the client that
// speaks it.
type contract struct {
	*testing.T
	s *Server
	c *scim.Client
	p *scim.Profile
}

// everyProfile runs a test on each dialect that comes with the program.
func everyProfile(t *testing.T, test func(c *contract)) {
	for _, name := range scim.Profiles() {
		t.Run(name, func(t *testing.T) {
			p, err := scim.LoadProfile(name)
			require.NoError(t, err)
			test(speaking(t, p))
		})
	}
}

func speaking(t *testing.T, p *scim.Profile) *contract {
	s, _ := serve(t, Options{Profile: p})
	c, err := scim.New(scim.Options{BaseURL: s.URL(), Profile: p, Auth: scim.Bearer(connector.NewSecret(s.Token())), CAs: s.CertPool()})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &contract{t, s, c, p}
}

// person is a user with what any dialect requires.
func person(name string) scim.Resource {
	return scim.Resource{
		"userName": name, "externalId": "E-" + name, "displayName": "Jane Doe", "active": true, "title": "Dr", "password": "Cr0codile!",
		"name":              map[string]any{"givenName": "Jane", "familyName": "Doe"},
		"emails":            []any{map[string]any{"type": "work", "value": name + "@x.org", "primary": true}},
		scim.EnterpriseUser: map[string]any{"department": "R&D"},
	}
}

// made creates a person.
func (c *contract) made(name string) scim.Resource {
	c.Helper()
	out, err := c.c.Create(c.Context(), scim.Users, c.person(name))
	require.NoError(c, err)
	require.NotEmpty(c, out.ID())
	return out
}

// person is a person with what this dialect alone requires.
func (c *contract) person(name string) scim.Resource {
	r := person(name)
	if slices.Contains(c.p.RequiredOnCreate, "mailNickname") {
		r["mailNickname"] = name
	}
	return r
}

// held is what the server holds, past the protocol.
func (c *contract) held(id string) Resource {
	c.Helper()
	for _, u := range c.s.Users() {
		if u.ID == id {
			return u
		}
	}
	c.Fatalf("there is no user %s", id)
	return Resource{}
}

// text is an attribute of what the server holds.
func (c *contract) text(id, path string) string {
	c.Helper()
	return scim.Resource(c.held(id).Attributes).Text(path)
}

// sent are the requests since the last call, as "METHOD /Users".
func (c *contract) sent() (out []string) {
	for _, r := range c.s.Log() {
		kind, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		out = append(out, r.Method+" /"+kind)
	}
	c.s.ResetLog()
	return out
}

// ignores reports whether the dialect takes a change of path and does nothing.
func (c *contract) ignores(path scim.Path) bool {
	return slices.ContainsFunc(c.p.Ignored, func(name string) bool { return path.Bare().Names(scim.MustPath(name).Bare()) })
}

func TestContractACreatedUserIsFound(t *testing.T) {
	everyProfile(t, func(c *contract) {
		_, err := c.c.Discover(c.Context())
		require.NoError(c, err)
		id := c.made("Jane.Doe").ID()
		require.Equal(c, "E-Jane.Doe", c.held(id).ExternalID)
		require.Equal(c, "R&D", c.text(id, scim.EnterpriseUser+":department"))
		require.True(c, c.s.CheckPassword("jane.doe", "Cr0codile!"))

		found := 0
		for path, value := range map[string]any{"externalId": "E-Jane.Doe", "userName": "jane.doe", "emails.value": "Jane.Doe@x.org"} {
			if !slices.Contains(c.p.CorrelateBy, path) {
				continue
			}
			r, err := c.c.Find(c.Context(), scim.Users, path, value, scim.Selection{})
			if connector.IsCode(err, connector.CodeUnsupported) {
				continue // the profile says so
			}
			require.NoError(c, err, path)
			require.Equal(c, id, r.ID(), path)
			found++
		}
		require.NotZero(c, found, "the profile leaves no way to find a user")
		for _, path := range c.p.CorrelateBy {
			_, err := c.c.Find(c.Context(), scim.Users, path, `nobody" or userName pr or userName eq "`, scim.Selection{})
			require.True(c, connector.IsCode(err, connector.CodeNotFound) || connector.IsCode(err, connector.CodeUnsupported), "%s: %v", path, err)
		}
		_, err = c.c.Create(c.Context(), scim.Users, c.person("Jane.Doe"))
		require.True(c, connector.IsCode(err, connector.CodeAlreadyExists), "%v", err)
	})
}

func TestContractEachKindOfAttributeIsChangedAndCleared(t *testing.T) {
	const clear = ""
	for _, step := range []struct {
		name string
		path string // to be changed
		to   any    // [clear]: empty it
		look string // path that shows it; "": the same
	}{
		{"a text", "title", "Prof", ""},
		{"what was unassigned", "nickName", "J", ""},
		{"a part of the name", "name.givenName", "Joan", ""},
		{"an address by its type", `emails[type eq "work"].value`, "new@x.org", ""},
		{"an address of a type that is not there", `phoneNumbers[type eq "mobile"].value`, "+41 79 1", ""},
		{"a list", "emails", map[string]any{"type": "work", "value": "list@x.org", "primary": true}, `emails[type eq "work"].value`},
		{"the enterprise extension", scim.EnterpriseUser + ":department", "IT", ""},
		{"the manager", scim.EnterpriseUser + ":manager", "m-1", scim.EnterpriseUser + ":manager.value"},
		{"clear a text", "title", clear, ""},
		{"clear a part of the name", "name.givenName", clear, ""},
		{"clear the manager", scim.EnterpriseUser + ":manager", clear, scim.EnterpriseUser + ":manager.value"},
		{"clear an address by its type", `emails[type eq "work"].value`, clear, ""},
	} {
		t.Run(step.name, func(t *testing.T) {
			everyProfile(t, func(c *contract) {
				id := c.made("jane").ID()
				path := scim.MustPath(step.path)
				if step.to == clear && step.look != "" {
					c.update(id, scim.Change{Path: path, Replace: []any{"m-0"}})
				}
				look := step.path
				if step.look != "" {
					look = step.look
				}
				before := c.text(id, look)
				ch := scim.Change{Path: path}
				want := ""
				if step.to != clear {
					ch.Replace = []any{step.to}
					want, _ = step.to.(string)
					if m, ok := step.to.(map[string]any); ok {
						want, _ = m["value"].(string)
					}
				}
				if c.ignores(path) {
					want = before
				}
				c.update(id, ch)
				require.Equal(c, want, c.text(id, look))
				require.Equal(c, "Doe", c.text(id, "name.familyName"), "what is not changed stays")
				require.True(c, c.s.CheckPassword("jane", "Cr0codile!"), "what is never shown stays")
				require.True(c, c.held(id).Active())
				c.s.ResetLog()
				_, err := c.c.Update(c.Context(), scim.Update{Type: scim.Users, ID: id, Changes: []scim.Change{ch}})
				if err != nil {
					require.ErrorIs(c, err, connector.Unchanged)
				}
				require.Equal(c, want, c.text(id, look), "the same again")
			})
		})
	}
}

func (c *contract) update(id string, changes ...scim.Change) {
	c.Helper()
	_, err := c.c.Update(c.Context(), scim.Update{Type: scim.Users, ID: id, Changes: changes})
	if err != nil {
		require.ErrorIs(c, err, connector.Unchanged, "%+v", changes)
	}
}

func TestContractManyChangesAtOnce(t *testing.T) {
	everyProfile(t, func(c *contract) {
		id := c.made("jane").ID()
		c.update(id,
			scim.Change{Path: scim.MustPath("title")},
			scim.Change{Path: scim.MustPath("displayName"), Replace: []any{"Joan D."}},
			scim.Change{Path: scim.MustPath("name.givenName"), Replace: []any{"Joan"}},
			scim.Change{Path: scim.MustPath("name.familyName"), Replace: []any{"Dow"}},
			scim.Change{Path: scim.MustPath(`emails[type eq "work"].value`), Replace: []any{"joan@x.org"}},
			scim.Change{Path: scim.MustPath(`phoneNumbers[type eq "work"].value`), Replace: []any{"+49 1"}},
			scim.Change{Path: scim.MustPath(scim.EnterpriseUser + ":department"), Replace: []any{"IT"}},
			scim.Change{Path: scim.MustPath(scim.EnterpriseUser + ":manager"), Replace: []any{"m-1"}},
			scim.Change{Path: scim.MustPath("active"), Replace: []any{true}},
		)
		for path, want := range map[string]string{"title": "", "displayName": "Joan D.", "name.givenName": "Joan", "name.familyName": "Dow", `emails[type eq "work"].value`: "joan@x.org",
			`phoneNumbers[type eq "work"].value`: "+49 1", scim.EnterpriseUser + ":department": "IT", scim.EnterpriseUser + ":manager.value": "m-1"} {
			if !c.ignores(scim.MustPath(path)) {
				require.Equal(c, want, c.text(id, path), path)
			}
		}
	})
}

// QUIRKS SCIM-60, SCIM-62, SCIM-63
func TestContractAnAccountIsDisabledAndEnabledAgain(t *testing.T) {
	everyProfile(t, func(c *contract) {
		id := c.made("jane").ID()
		_, err := c.c.SetActive(c.Context(), id, false, "")
		require.NoError(c, err)
		require.False(c, c.held(id).Active())
		got, err := c.c.Get(c.Context(), scim.Users, id, scim.Selection{})
		if c.p.DisabledVisible == scim.DisabledHidden {
			require.True(c, connector.IsCode(err, connector.CodeNotFound), "%v", err)
		} else {
			require.NoError(c, err)
			active, known := got.Active()
			require.True(c, known && !active)
		}
		if slices.Contains(c.p.ObfuscatedWhenDisabled, "userName") {
			require.NotEqual(c, "jane", got.Text("userName"))
		}
		_, err = c.c.SetActive(c.Context(), id, false, "")
		if err != nil {
			require.ErrorIs(c, err, connector.Unchanged, "disabled twice")
		}
		if c.p.DisabledVisible == scim.DisabledHidden {
			return // nothing finds it any more
		}
		_, err = c.c.SetActive(c.Context(), id, true, "")
		require.NoError(c, err)
		require.True(c, c.held(id).Active())
		require.Equal(c, "jane", c.text(id, "userName"))
	})
}

// memberRequests is how many requests a profile's limits make of 250 adds and of
// 250 removes, where that is not one.
var memberRequests = map[string][2]int{
	"aws-identity-center": {3, 3},
	"entra-target":        {13, 250},
}

// QUIRKS SCIM-28, SCIM-29, SCIM-30
func TestContractAGroupOf250(t *testing.T) {
	everyProfile(t, func(c *contract) {
		if !c.p.Can(scim.GroupUpdate) {
			require.ErrorContains(c, c.c.ChangeMembers(c.Context(), "g", []scim.MemberChange{{ID: "u"}})[0], "group_ops")
			return
		}
		var ids []string
		for i := range 250 {
			ids = append(ids, seed(c, c.s, "User", fmt.Sprintf(`{"userName":"u%d"}`, i))...)
		}
		group := c.group("Staff")
		add, remove := make([]scim.MemberChange, 250), make([]scim.MemberChange, 250)
		for i, id := range ids {
			add[i] = scim.MemberChange{ID: id, Display: fmt.Sprintf("u%d", i)}
			remove[i] = scim.MemberChange{ID: id, Remove: true}
		}
		want, limited := memberRequests[c.p.Name]
		if !limited {
			want = [2]int{1, 1}
		}
		c.sent()
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, add)))
		require.Equal(c, slices.Repeat([]string{"PATCH /Groups"}, want[0]), c.sent())
		require.Len(c, c.members("Staff"), 250)
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, add[:20])), "members already")

		// A member that is not there harms no other, as far as the target tells.
		c.sent()
		mixed := []scim.MemberChange{remove[0], {ID: "nobody"}, remove[1]}
		errs := c.c.ChangeMembers(c.Context(), group, mixed)
		require.NoError(c, firstError([]error{errs[0], errs[2]}))
		require.Error(c, errs[1])
		require.Len(c, c.members("Staff"), 248)
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, remove[:2])), "removed already")
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, add[:2])))

		c.sent()
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, remove)))
		require.Equal(c, slices.Repeat([]string{"PATCH /Groups"}, want[1]), c.sent())
		require.Empty(c, c.members("Staff"))
	})
}

// group returns the id of a new group, made past the protocol where the dialect
// makes none.
func (c *contract) group(name string) string {
	c.Helper()
	if !c.p.Can(scim.GroupCreate) {
		return seed(c, c.s, "Group", `{"displayName":"`+name+`","externalId":"G-`+name+`"}`)[0]
	}
	g, err := c.c.Create(c.Context(), scim.Groups, scim.Resource{"displayName": name, "externalId": "G-" + name})
	require.NoError(c, err)
	return g.ID()
}

func (c *contract) members(group string) []string {
	g, _ := c.s.Group(group)
	return g.Members
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil && !isUnchanged(err) {
			return err
		}
	}
	return nil
}

func isUnchanged(err error) bool { return err == connector.Unchanged }

// QUIRKS SCIM-16 to SCIM-20
func TestContractAListingIsComplete(t *testing.T) {
	everyProfile(t, func(c *contract) {
		for i := range 257 {
			seed(c, c.s, "User", fmt.Sprintf(`{"userName":"u%d","active":%v}`, i, i%5 > 0))
		}
		if c.p.Can(scim.GroupRead) {
			seed(c, c.s, "Group", `{"displayName":"G"}`)
		}
		seen := map[string]bool{}
		end, err := c.c.List(c.Context(), scim.Query{Type: scim.Users}, func(r scim.Resource) error { seen[r.ID()] = true; return nil })
		require.NoError(c, err)
		require.True(c, end.Complete, end.Reason)
		want := 257
		if c.p.DisabledVisible == scim.DisabledHidden {
			want = 205
		}
		require.Len(c, seen, want)
		end, err = c.c.List(c.Context(), scim.Query{Type: scim.Groups}, func(scim.Resource) error { return nil })
		if c.p.Can(scim.GroupRead) {
			require.NoError(c, err)
			require.True(c, end.Complete && end.Distinct == 1, end.Reason)
		} else {
			require.True(c, connector.IsCode(err, connector.CodeUnsupported), "%v", err)
		}
	})
}

// QUIRKS SCIM-60, SCIM-61
func TestContractAUserIsDeleted(t *testing.T) {
	everyProfile(t, func(c *contract) {
		id := c.made("jane").ID()
		err := c.c.Delete(c.Context(), scim.Users, id, "")
		switch c.p.Delete {
		case scim.DeleteForbidden:
			require.True(c, connector.IsCode(err, connector.CodeUnsupported), "%v", err)
			return
		case scim.DeleteSoft:
			require.NoError(c, err)
			require.False(c, c.held(id).Active())
		default:
			require.NoError(c, err)
			users, _ := c.s.Len()
			require.Zero(c, users)
		}
		if err := c.c.Delete(c.Context(), scim.Users, id, ""); err != nil {
			require.ErrorIs(c, err, connector.Unchanged, "deleted twice")
		}
		if c.p.Delete == scim.DeleteIrreversible {
			_, err := c.c.Create(c.Context(), scim.Users, c.person("jane"))
			require.True(c, connector.IsCode(err, connector.CodeAlreadyExists), "%v", err)
		}
	})
}

func TestContractAGroupIsMadeRenamedAndDeleted(t *testing.T) {
	everyProfile(t, func(c *contract) {
		if !c.p.Can(scim.GroupRead) {
			return // listings and members say so above
		}
		id := c.group("Staff")
		got, err := c.c.Get(c.Context(), scim.Groups, id, scim.Selection{Excluded: []string{"members"}})
		require.NoError(c, err)
		require.Equal(c, "Staff", got.Text("displayName"))
		found := 0
		for _, path := range c.p.GroupCorrelateBy {
			r, err := c.c.Find(c.Context(), scim.Groups, path, map[string]string{"displayName": "Staff", "externalId": "G-Staff"}[path], scim.Selection{})
			if !connector.IsCode(err, connector.CodeUnsupported) {
				require.NoError(c, err, path)
				require.Equal(c, id, r.ID(), path)
				found++
			}
		}
		require.NotZero(c, found, "the profile leaves no way to find a group")
		_, err = c.c.Update(c.Context(), scim.Update{Type: scim.Groups, ID: id, Changes: []scim.Change{{Path: scim.MustPath("displayName"), Replace: []any{"Crew"}}}})
		require.NoError(c, err)
		_, ok := c.s.Group("Crew")
		require.True(c, ok)
		err = c.c.Delete(c.Context(), scim.Groups, id, "")
		if !c.p.Can(scim.GroupDelete) || c.p.GroupDelete == scim.DeleteForbidden {
			require.True(c, connector.IsCode(err, connector.CodeUnsupported), "%v", err)
			return
		}
		require.NoError(c, err)
		_, groups := c.s.Len()
		require.Zero(c, groups)
	})
}

// The client asks for nothing that the dialect refuses: its own checks come first.
func TestContractEveryFilterThatTheProfileAllowsIsUnderstood(t *testing.T) {
	everyProfile(t, func(c *contract) {
		id := seed(c, c.s, "User", `{"userName":"jane","externalId":"E","displayName":"J","emails":[{"value":"e@x.org","type":"work"}]}`)[0]
		for _, f := range []scim.Filter{
			scim.Eq("userName", "jane"), scim.Eq("externalId", "E"), scim.Eq("id", id), scim.Eq("displayName", "J"), scim.Eq("emails.value", "e@x.org"),
			scim.And{scim.Eq("userName", "jane"), scim.Eq("active", true)},
			scim.And{scim.Eq("userName", "jane"), scim.Or{scim.Eq("displayName", "J"), scim.Present("title")}},
			scim.Or{scim.And{scim.Eq("userName", "jane"), scim.Eq("externalId", "E")}, scim.Present("title")},
			scim.Where{Path: scim.MustPath("emails"), Filter: scim.And{scim.Eq("type", "work"), scim.Eq("value", "e@x.org")}},
			scim.Not{Filter: scim.Eq("userName", "joe")},
			scim.Eq("groups.value", "g"), scim.And{scim.Eq("id", id), scim.Eq("manager", "m")},
		} {
			if c.p.CheckFilter(scim.Users, f) != nil || fmt.Sprint(f) == `id eq "`+id+`" and manager eq "m"` {
				continue
			}
			n := 0
			_, err := c.c.List(c.Context(), scim.Query{Type: scim.Users, Filter: f}, func(scim.Resource) error { n++; return nil })
			require.NoError(c, err, "%s", f)
			if fmt.Sprint(f) != `groups.value eq "g"` && fmt.Sprint(f) != `userName eq "jane" and active eq true` {
				require.Equal(c, 1, n, "%s", f)
			}
		}
	})
}

// QUIRKS SCIM-29
func TestContractMembersAreAskedForOneByOne(t *testing.T) {
	everyProfile(t, func(c *contract) {
		if !c.p.Can(scim.GroupRead) {
			return
		}
		ids := seed(c, c.s, "User", `{"userName":"a"}`, `{"userName":"b"}`)
		g := seed(c, c.s, "Group", `{"displayName":"G","members":[{"value":"`+ids[0]+`"}]}`)[0]
		for i, want := range []bool{true, false} {
			is, err := c.c.HasMember(c.Context(), g, ids[i])
			require.NoError(c, err)
			require.Equal(c, want, is)
		}
	})
}
