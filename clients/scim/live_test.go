package scim

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

// contextOf is a context that outlives the test, for cleaning up.
func contextOf(t testing.TB) context.Context { return context.WithoutCancel(t.Context()) }

func TestLiveAUserFromCreateToDelete(t *testing.T) {
	c, prefix := live(t, nil)
	ctx := t.Context()
	name := prefix + "Jane"
	made, err := c.Create(ctx, Users, Resource{
		"userName": name, "externalId": prefix + "E1", "name": map[string]any{"givenName": "Jane", "familyName": "O'Neil \\ + &"},
		"emails":       []any{map[string]any{"type": "work", "value": name + "@example.org", "primary": true}, map[string]any{"type": "home", "value": "j@home.example"}},
		EnterpriseUser: map[string]any{"department": "R&D"}, "active": true,
	})
	if err != nil || made.ID() == "" {
		t.Fatalf("got %v, %v", made, err)
	}
	id := made.ID()

	got, err := c.Get(ctx, Users, id, Selection{})
	if err != nil || got.Text("name.familyName") != "O'Neil \\ + &" || got.Text(EnterpriseUser+":department") != "R&D" {
		t.Errorf("got %v, %v", got, err)
	}
	if active, known := got.Active(); !active || !known {
		t.Error("the account is not active")
	}
	if _, err := c.Create(ctx, Users, Resource{"userName": name}); answer(err) != "failed ALREADY_EXISTS" {
		t.Errorf("created twice: %v", err)
	}

	for path, value := range map[string]any{"userName": prefix + "JANE", "externalId": prefix + "E1", "id": id} {
		if found, err := c.Find(ctx, Users, path, value, Selection{}); err != nil || found.ID() != id {
			t.Errorf("by %s: %v, %v", path, found.ID(), err)
		}
	}
	if _, err := c.Find(ctx, Users, "userName", prefix+"nobody", Selection{}); answer(err) != "failed NOT_FOUND" {
		t.Errorf("nobody was found: %v", err)
	}
	// The service fails over accounts without e-mail when a filter names it.
	if _, err := c.Find(ctx, Users, "emails.value", name+"@example.org", Selection{}); answer(err) != "failed UNSUPPORTED" {
		t.Errorf("by a filter that the profile does not allow: %v", err)
	}
	// The service cannot read a quote in a value (RFC 7644 §3.4.2.2 can); it must not
	// take it for the end of the value.
	if r, err := c.Find(ctx, Users, "userName", name+`" or userName pr or userName eq "`, Selection{}); answer(err) != "failed CONFIGURATION" {
		t.Errorf("a value changed the filter: %v, %v", r, err)
	}

	update := Update{Type: Users, ID: id, Changes: []Change{
		{Path: MustPath("name.givenName"), Replace: []any{"Janet"}},
		{Path: MustPath("title"), Replace: []any{"Boss"}},
		{Path: MustPath(`emails[type eq "work"].value`), Replace: []any{"new@example.org"}},
		{Path: MustPath(`phoneNumbers[type eq "mobile"].value`), Replace: []any{"+41 79 000 00 00"}},
		{Path: MustPath(EnterpriseUser + ":department"), Replace: []any{"Sales"}},
		{Path: MustPath(EnterpriseUser + ":manager"), Replace: []any{"m-1"}},
	}}
	if _, err := c.Update(ctx, update); err != nil {
		t.Fatal(err)
	}
	got, err = c.Get(ctx, Users, id, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"name.givenName": "Janet", "name.familyName": "O'Neil \\ + &", "title": "Boss", `emails[type eq "work"].value`: "new@example.org",
		`emails[type eq "home"].value`: "j@home.example", `phoneNumbers[type eq "mobile"].value`: "+41 79 000 00 00",
		EnterpriseUser + ":department": "Sales", EnterpriseUser + ":manager.value": "m-1",
	} {
		if got.Text(path) != want {
			t.Errorf("%s is %q, want %q", path, got.Text(path), want)
		}
	}
	if _, err := c.Update(ctx, update); !errors.Is(err, connector.Unchanged) {
		t.Errorf("again: %v", err)
	}

	if _, err := c.SetActive(ctx, id, false, ""); err != nil {
		t.Fatal(err)
	}
	if got, err = c.Get(ctx, Users, id, Selection{}); err != nil {
		t.Fatal(err)
	}
	if active, known := got.Active(); active || !known {
		t.Error("the account is still active")
	}
	cleared := Update{Type: Users, ID: id, Changes: []Change{
		{Path: MustPath("title")}, {Path: MustPath(`emails[type eq "home"].value`)}, {Path: MustPath(EnterpriseUser + ":manager")},
	}}
	if _, err := c.Update(ctx, cleared); err != nil {
		t.Fatal(err)
	}
	if got, err = c.Get(ctx, Users, id, Selection{}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"title", `emails[type eq "home"].value`, EnterpriseUser + ":manager.value"} {
		if got.Text(path) != "" {
			t.Errorf("%s is still %q", path, got.Text(path))
		}
	}
	if len(got.Values(MustPath("emails"))) != 1 {
		t.Errorf("emails are %v", got.Values(MustPath("emails")))
	}

	if err := c.Delete(ctx, Users, id, ""); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, Users, id, ""); !errors.Is(err, connector.Unchanged) {
		t.Errorf("deleted again: %v", err)
	}
	if _, err := c.Get(ctx, Users, id, Selection{}); answer(err) != "failed NOT_FOUND" {
		t.Errorf("read after delete: %v", err)
	}
	if _, err := c.Update(ctx, update); answer(err) != "failed NOT_FOUND" {
		t.Errorf("update after delete: %v", err)
	}
}

func TestLiveMembersOfAGroup(t *testing.T) {
	c, prefix := live(t, nil)
	ctx := t.Context()
	var ids []string
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		ids = append(ids, made(t, c, Users, Resource{"userName": prefix + n}).ID())
	}
	group := made(t, c, Groups, Resource{"displayName": prefix + "g"}).ID()
	for i, err := range c.ChangeMembers(ctx, group, []MemberChange{{ID: ids[0]}, {ID: ids[1]}, {ID: "nobody"}, {ID: ids[2]}, {ID: ids[3]}, {ID: ids[4]}}) {
		if i == 2 {
			if answer(err) != "failed INVALID_VALUE" {
				t.Errorf("the one that does not exist: %v", err)
			}
		} else if err != nil {
			t.Errorf("member %d: %v", i, err)
		}
	}
	for i, err := range c.ChangeMembers(ctx, group, []MemberChange{{ID: ids[0], Remove: true}, {ID: ids[1], Remove: true}, {ID: ids[2]}}) {
		if err != nil {
			t.Errorf("member %d: %v", i, err)
		}
	}
	for i, want := range []bool{false, false, true, true, true} {
		if has, err := c.HasMember(ctx, group, ids[i]); err != nil || has != want {
			t.Errorf("member %d: %t, %v", i, has, err)
		}
	}
	// SCIM-11: removing what is not there is done already.
	for i, err := range c.ChangeMembers(ctx, group, []MemberChange{{ID: ids[0], Remove: true}, {ID: "nobody", Remove: true}}) {
		if err != nil && !errors.Is(err, connector.Unchanged) {
			t.Errorf("removed again, %d: %v", i, err)
		}
	}
	gone := c.ChangeMembers(ctx, "00000000-0000-0000-0000-000000000000", []MemberChange{{ID: ids[0]}, {ID: ids[1], Remove: true}})
	if answer(gone[0]) != "failed DEPENDENCY_MISSING" || !errors.Is(gone[1], connector.Unchanged) {
		t.Errorf("no such group: %v", gone)
	}
}

func TestLiveAListingSeesEverybodyOnce(t *testing.T) {
	c, prefix := live(t, map[string]any{"page_default": 3})
	var want []string
	for i := range 8 {
		want = append(want, made(t, c, Users, Resource{"userName": prefix + string(rune('a'+i))}).ID())
	}
	var got []string
	end, err := c.List(t.Context(), Query{Type: Users, Filter: Compare{MustPath("userName"), OpStartsWith, prefix}}, func(r Resource) error {
		got = append(got, r.ID())
		return nil
	})
	slices.Sort(want)
	slices.Sort(got)
	if err != nil || !end.Complete || end.Total != 8 || !slices.Equal(got, want) {
		t.Errorf("got %d of %d, %+v, %v", len(got), len(want), end, err)
	}
}

func TestLiveDiscovery(t *testing.T) {
	c, _ := live(t, nil)
	d, err := c.Discover(t.Context())
	if err != nil || len(d.Problems) > 0 || d.Config == nil {
		t.Fatalf("got %+v, %v", d, err)
	}
	if a, ok := NewAttributeIndex(d.Schemas).Attribute(MustPath("emails.value")); !ok || a.Type != "string" {
		t.Errorf("emails.value is %+v, %t", a, ok)
	}
	if len(d.ResourceTypes) < 2 {
		t.Errorf("resource types are %+v", d.ResourceTypes)
	}
	if p := c.Profile(); p.ETag != ETagNone || p.BulkMaxOps != 1000 || p.Origin("bulk_max_ops").Kind != OriginDiscovered {
		t.Errorf("etag %s, bulk_max_ops %d", p.ETag, p.BulkMaxOps)
	}
}

// Every shape of a change leads to the same account on a real service: the one that
// the merge has worked out.
func TestLiveEveryShapeOfAChangeDoesTheSame(t *testing.T) {
	row := func(typ, value string) any { return map[string]any{"type": typ, "value": value} }
	changes := []Change{
		set("title", "CEO"), set("name.givenName", "Janet"), wipe("title"), set(dept, "Sales"), wipe(dept), set(EnterpriseUser+":manager", "m2"), wipe(EnterpriseUser + ":manager"),
		set(`emails[type eq "work"].value`, "n@x.org"), set(`emails[type eq "other"].value`, "o@x.org"), wipe(`emails[type eq "home"].value`),
		set(`emails[type eq "other"].primary`, true),
		{Path: MustPath("emails"), Delta: true, Add: []any{row("home", "again@x.org")}, Remove: []any{row("other", "o@x.org")}},
		set("emails", row("work", "one@x.org"), row("home", "two@x.org")), wipe("emails"), set("phoneNumbers", row("mobile", "+41 1")), set("active", false), set("active", true),
	}
	for name, overrides := range map[string]map[string]any{
		"per_path": nil, "pathless_object": {"patch_style": "pathless_object"}, "pathless_single": {"patch_style": "pathless_single"}, "no filters": {"path_filters": "none"},
		"type_only": {"path_filters": "type_only"}, "one operation at a time": {"patch_max_ops": 1}, "put_merge": {"user_update": "put_merge"}, "manager at its value": {"manager_style": "sub_path"},
	} {
		t.Run(name, func(t *testing.T) {
			c, prefix := live(t, overrides)
			if _, err := c.Discover(t.Context()); err != nil {
				t.Fatal(err)
			}
			given := object0(t, jane)
			given["userName"] = prefix + "j"
			delete(given, "custom")
			id := made(t, c, Users, given).ID()
			for _, ch := range changes {
				before, err := c.Get(t.Context(), Users, id, Selection{})
				if err != nil {
					t.Fatal(err)
				}
				wanted := before.Clone()
				normal, err := c.Attributes().normal(c.Profile(), ch)
				if err != nil {
					t.Fatal(err)
				}
				c.Attributes().apply(c.Profile(), wanted, normal)
				if _, err := c.Update(t.Context(), Update{Type: Users, ID: id, Changes: []Change{ch}}); err != nil && !errors.Is(err, connector.Unchanged) {
					t.Errorf("%s: %v\n%s", ch.Path, err, connector.AsError(err).Detail)
					continue
				}
				after, err := c.Get(t.Context(), Users, id, Selection{})
				if err != nil {
					t.Fatal(err)
				}
				at := normal.Path.Bare()
				if normal.Path.Names(managerValue) {
					at = managerValue // the name beside it is the service's
				}
				want, got := wanted.Values(at), after.Values(at)
				if !c.Attributes().Equal(at, want, got) {
					t.Errorf("%s: the service has %v, worked out was %v", ch.Path, got, want)
				}
			}
		})
	}
}
