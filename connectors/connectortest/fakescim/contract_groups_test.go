package fakescim

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// memberRequests is how many requests a profile's limits make of 250 adds and of
// 250 removes, where that is not one.
var memberRequests = map[string][2]int{
	"aws-identity-center": {3, 3},
	"entra-target":        {13, 250},
	"members by value":    {5, 5},
	"one operation":       {1, 250},
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
		want, limited := memberRequests[c.dialect]
		if !limited {
			want = [2]int{1, 1}
		}
		c.writes()
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, add)))
		require.Len(c, c.writes(), want[0])
		require.Len(c, c.members("Staff"), 250)
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, add[:20])), "members already")

		// A member that is not there harms no other, as far as the target tells.
		c.writes()
		mixed := []scim.MemberChange{remove[0], {ID: "nobody", Display: "nobody"}, remove[1]}
		errs := c.c.ChangeMembers(c.Context(), group, mixed)
		require.NoError(c, firstError([]error{errs[0], errs[2]}))
		require.Error(c, errs[1])
		require.Len(c, c.members("Staff"), 248)
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, remove[:2])), "removed already")
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, add[:2])))

		c.writes()
		require.NoError(c, firstError(c.c.ChangeMembers(c.Context(), group, remove)))
		require.Len(c, c.writes(), want[1])
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
