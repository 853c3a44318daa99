package ldapdir

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// QUIRKS LDAP-34: 389 Directory Server is followed by its synchronization, which tells
// of deletions, by ids that are written otherwise than nsUniqueId. The anchor is the
// same whichever way somebody is read: whole, as a change, or alone.
func TestAnchorsOf389(t *testing.T) {
	s, err := fakeldap.New(fakeldap.Options{Flavor: fakeldap.DS389})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ca, err := s.CAFile(t.TempDir())
	require.NoError(t, err)
	o := ldap.Options{URLs: []string{s.URL()}, CAFile: ca, BindDN: s.AdminDN(), Password: connector.NewSecret(s.AdminPassword())}
	c, err := ldap.New(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	base, err := ldap.ParseDN(s.In(fakeldap.People))
	require.NoError(t, err)
	add := func(uid string) {
		require.NoError(t, c.Add(t.Context(), base.Child(ldap.NewRDN("uid", uid)), []ldap.Attribute{{Name: "objectClass", Values: []string{"inetOrgPerson"}},
			{Name: "uid", Values: []string{uid}}, {Name: "cn", Values: []string{uid}}, {Name: "sn", Values: []string{uid}}}))
	}
	add("ann")
	add("bo")
	r, err := New(Config{Client: o, Directory: "389ds", People: Kind{Base: base.String(), Filter: "(uid=*)", Attributes: source.Attributes{{Name: "login", From: "uid"}}}})
	require.NoError(t, err)
	t.Cleanup(r.Close)

	anchors, ids := map[string]string{}, map[string]string{} // by login
	take := func(rec *source.Record) error {
		login := rec.Attributes().Text("login")
		anchors[login], ids[login] = rec.Anchor, rec.ID
		return nil
	}
	report, err := r.Read(t.Context(), take)
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$", anchors["ann"])

	whole := anchors["ann"]
	require.NoError(t, c.Modify(t.Context(), base.Child(ldap.NewRDN("uid", "ann")), []ldap.Mod{{Op: ldap.OpReplace, Name: "title", Values: []string{"x"}}}))
	require.NoError(t, c.Delete(t.Context(), base.Child(ldap.NewRDN("uid", "bo"))))
	var gone []source.Record
	_, err = r.Changes(t.Context(), report.Token, func(rec *source.Record) error {
		if rec.Deleted {
			gone = append(gone, *rec)
			return nil
		}
		return take(rec)
	})
	require.NoError(t, err)
	require.Equal(t, whole, anchors["ann"], "as a change")
	require.Len(t, gone, 1)
	require.Equal(t, ids["bo"], gone[0].ID, "what is stored beside the anchor finds who was deleted")
	require.Empty(t, gone[0].Anchor)

	require.NoError(t, r.ReadOne(t.Context(), identity.Person, whole, func(rec *source.Record) error {
		require.False(t, rec.Deleted, "somebody who is there is never told as gone")
		return take(rec)
	}))
	require.Equal(t, whole, anchors["ann"], "alone")
}
