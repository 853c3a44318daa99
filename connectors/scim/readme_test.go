package scim

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// The config of the README is run as it stands there, on the real service.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	text := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(string(readme))
	require.NotNil(t, text)
	s := newReal(t)
	target := openTarget(t, strings.Replace(text[1], `"base_url": "https://app.example.org/scim/v2"`,
		`"base_url": "`+s.url+`", "allow_insecure": ["127.0.0.1"]`, 1), tokenSecret(s.token))
	ctx := context.Background()
	require.NoError(t, target.Check(ctx))

	name := s.prefix + "jane"
	ref, err := target.Create(ctx, newUser(name, "givenName", "Jane", "email", name+"@example.org", "homeMail", name+"@home.example.org"))
	require.NoError(t, err)
	staff, err := target.Create(ctx, newGroup(s.prefix+"staff"))
	require.NoError(t, err)
	require.NoError(t, applied(target.Update(ctx, update(ref, replace("title", "Chief"), replace("homeMail"),
		connector.Change{Name: "roles", Delta: true, Add: connector.Values{"reader", "writer"}}))))
	require.NoError(t, target.Grant(ctx, connector.Grant{Call: call("g"), Principal: ref, Entitlement: group(s.prefix + "staff")}))
	require.NoError(t, applied(target.SetEnabled(ctx, connector.SetEnabled{Call: call("d"), Target: ref})))
	o, err := target.Get(ctx, by("externalId", "x-"+name), nil)
	require.NoError(t, err)
	require.Equal(t, connector.IsDisabled, o.Enabled)
	require.Equal(t, "Chief", o.Attributes.Text("title"))
	require.Empty(t, o.Attributes.Text("homeMail"))
	require.Equal(t, name+"@example.org", o.Attributes.Text("email"))
	require.ElementsMatch(t, connector.Values{"reader", "writer"}, o.Attributes.Get("roles"))
	require.Equal(t, staff.ID, o.Grants[0].ID)
	require.NoError(t, target.Revoke(ctx, connector.Revoke{Call: call("r"), Principal: ref, Entitlement: staff}))
	require.NoError(t, target.Delete(ctx, connector.Delete{Call: call("x"), Target: ref}))
	_, err = target.Get(ctx, ref, nil)
	require.Equal(t, connector.CodeNotFound, code(err))

	_, err = target.Create(ctx, adopting(newUser("svc-"+s.prefix)))
	require.NoError(t, err)
	svc, err := target.Get(ctx, by("userName", "svc-"+s.prefix), nil)
	require.NoError(t, err)
	require.Equal(t, connector.CodePolicy, code(target.Delete(ctx, connector.Delete{Call: call("x"), Target: svc.Ref})))
	s.do("DELETE", "/Users/"+svc.Ref.ID, "")
}

// The README lists every dialect, and says of each what deleting does.
func TestReadmeListsTheDialects(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	words := map[client.DeleteEffect]string{client.DeleteHard: "removes it", client.DeleteSoft: "deactivates it",
		client.DeleteIrreversible: "**for ever**", client.DeleteForbidden: "not possible"}
	for _, name := range client.Profiles() {
		p, err := client.LoadProfile(name)
		require.NoError(t, err)
		row := regexp.MustCompile("(?m)^\\| .*`" + regexp.QuoteMeta(name) + "`.*$").FindString(string(readme))
		require.NotEmpty(t, row, name)
		require.Contains(t, row, words[p.Delete], name)
	}
	for _, u := range append(append([]usualAttr{}, usualUser...), usualGroup...) {
		require.Contains(t, string(readme), "`"+u.Name+"`")
	}
	for _, s := range secretSpecs {
		require.Contains(t, string(readme), "`"+s.Name+"`")
	}
}
