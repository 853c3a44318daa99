package fakescim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

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
