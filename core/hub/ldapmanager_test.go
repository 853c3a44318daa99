package hub_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/quality"
)

// A directory names managers by DN: rules see the person, whoever is renamed.
func TestManagersOfADirectory(t *testing.T) {
	d := newDirectoryAt(t, func(config string) string {
		config = strings.Replace(config, "{name: title}]}", "{name: title}, {name: boss, from: manager, type: reference}]}", 1)
		config = strings.Replace(config, "    type: ldap\n", "    type: ldap\n    reference: boss\n", 1)
		return strings.Replace(config, "{to: title, from: person.title}", "{to: title, from: manager.login}\n      - {to: manager, from: ref(person.boss)}", 1)
	})
	managedBy := func(uid, boss string) {
		// Other case and spacing than the server has for the entry.
		text := strings.ReplaceAll(strings.ToUpper(d.dn(boss).String()), ",", " , ")
		require.NoError(t, d.client.Modify(t.Context(), d.dn(uid), []ldap.Mod{{Op: ldap.OpReplace, Name: "manager", Values: []string{text}}}))
	}
	says := func(anchor string) string {
		p, err := d.hub.Explain(t.Context(), anchor, "")
		require.NoError(t, err)
		applied := p.Connectors[0].Account.Applied
		out := p.Person.Reference + " " + applied.Text("title")
		if p.Manager != nil {
			out += " " + p.Manager.Attributes.Text("login")
		}
		return out
	}
	d.add("ann", "1")
	d.add("bo", "2")
	managedBy("bo", "ann")
	what, _ := d.sync()
	require.Equal(t, "create 1, create 2", what)
	require.Equal(t, "1 ann ann", says("2"))
	seen, err := d.hub.Preview(t.Context(), "", "2", 1)
	require.NoError(t, err)
	require.Equal(t, "1", seen[0].Reference)
	require.Equal(t, "1", seen[0].Attributes["boss"])

	t.Run("QUIRKS LDAP-4: a manager who is renamed is the same person", func(t *testing.T) {
		require.NoError(t, d.client.Move(t.Context(), d.dn("ann"), ldap.NewRDN("uid", "anna"), nil))
		what, r := d.sync()
		require.Equal(t, "update 1, update 2", what, "who calls themselves otherwise, and who holds that name")
		require.True(t, r.Plans[0].Report.Source.Delta)
		for _, o := range r.Plans[0].Plan.Operations {
			for _, c := range o.Changes {
				require.NotEqual(t, "manager", c.Name, "the reference is to the same account")
			}
		}
		require.Equal(t, "1 anna anna", says("2"))
	})
	t.Run("another manager, who comes in the same delta", func(t *testing.T) {
		d.add("cy", "3")
		managedBy("bo", "cy")
		what, r := d.sync()
		require.Equal(t, "create 3, update 2", what)
		require.True(t, r.Plans[0].Report.Source.Delta)
		require.Equal(t, "3 cy cy", says("2"))
	})
	t.Run("QUIRKS HR-26: a manager who comes later", func(t *testing.T) {
		managedBy("anna", "late")
		what, r := d.sync()
		require.Empty(t, what)
		require.True(t, slices.ContainsFunc(r.Plans[0].Report.Findings, func(f quality.Finding) bool { return f.Kind == "manager" }))
		d.add("late", "4")
		what, _ = d.sync()
		require.Equal(t, "create 4, update 1", what)
		require.Equal(t, "4 late late", says("1"))
	})
	t.Run("a manager who leaves", func(t *testing.T) {
		require.NoError(t, d.client.Delete(t.Context(), d.dn("cy")))
		what, _ := d.sync()
		require.Equal(t, "disable 3", what, "what has no value clears nothing")
		what, _ = d.sync()
		require.Empty(t, what)
	})
	t.Run("a whole reading finds what the server changed by itself", func(t *testing.T) {
		report, verdicts, err := d.hub.Look(t.Context(), "directory", cycle.Look{})
		require.NoError(t, err)
		require.Empty(t, verdicts)
		require.Equal(t, []int{0, 1, 0}, []int{report.New, report.Changed, report.Vanished}, "who had the manager that left has none")
	})
}
