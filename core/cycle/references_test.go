package cycle

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source"
)

// byDN is a source that calls people by their logins and names managers so.
type byDN struct{ *file }

func (f byDN) Fields() []source.Field {
	fields := f.file.Fields()
	for i := range fields {
		if fields[i].Name == "manager" {
			fields[i].Type = source.Reference
		}
	}
	return fields
}

func (f byDN) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	return f.file.Read(ctx, func(rec *source.Record) error {
		rec.Name = "uid=" + rec.Attributes().Text("mail")
		return yield(rec)
	})
}

func newLabByDN(t *testing.T, rows ...string) *lab {
	l := newLab(t, rows...)
	l.cycle.Reader = byDN{l.file}
	rule := func(expr string) mapping.Rule { return mapping.Rule{Expr: expr, Place: "provhub.yaml:1"} }
	l.connector("crm", plan.Policy{}, mapping.Rules{Attributes: []mapping.AttributeRule{
		{To: "boss", From: rule("manager.name")}, {To: "title", From: rule("person.manager")}, {To: "userName", From: rule("person.name")}}})
	return l
}

// QUIRKS HR-26: managers who are named by DN are people with anchors to the rules,
// and a manager who comes later, changes or is renamed pulls theirs in.
func TestManagersNamedByDN(t *testing.T) {
	l := newLabByDN(t, "1 name=Boss mail=boss", "2 name=Jane mail=jane manager=uid=boss", "3 name=Joe mail=joe manager=uid=late", "4 name=Own mail=own manager=uid=own")
	got := func(anchor string) string {
		a := l.account("crm", anchor).Applied
		return a.Text("title") + " " + a.Text("boss")
	}
	l.sync()
	require.Equal(t, []string{"1 Boss", " ", "4 "}, []string{got("2"), got("3"), got("4")}, "nobody is their own manager, and none who is not there")
	require.Contains(t, l.report.Source.Warnings[0], "1 people are named as their own manager")
	require.Equal(t, map[string]int{"uid=late": 1}, l.report.Profile.Unknown)

	l.people("1 name=Boss mail=boss", "2 name=Jane mail=jane manager=uid=boss", "3 name=Joe mail=joe manager=uid=late", "4 name=Own mail=own", "5 name=Late mail=late")
	require.Equal(t, "crm/create/join 5; crm/update/change 3", sorted(brief(l.sync())))
	require.Equal(t, "5 Late", got("3"))
	require.Empty(t, l.report.Profile.Unknown)

	l.people("1 name=Chief mail=chief", "2 name=Jane mail=jane manager=uid=chief", "3 name=Joe mail=joe manager=uid=late", "4 name=Own mail=own", "5 name=Late mail=late")
	require.Equal(t, "crm/update/change 1; crm/update/change 2", sorted(brief(l.sync())))
	require.Equal(t, "1 Chief", got("2"), "renamed, and the same person")
	require.Empty(t, brief(l.sync()))

	l.people("1 name=Chief mail=chief manager=uid=jane", "2 name=Jane mail=jane manager=uid=chief", "3 name=Joe mail=joe manager=uid=late", "4 name=Own mail=own", "5 name=Late mail=late")
	l.sync()
	require.Equal(t, []string{"uid=chief", "uid=jane"}, l.report.Profile.Circle)
	require.Equal(t, "2 Jane", got("1"))

	l.people("1 name=Chief mail=chief", "2 name=Jane mail=jane manager=uid=chief", "3 name=Joe mail=joe manager=uid=late", "4 name=Own mail=own")
	l.sync()
	require.Equal(t, map[string]int{"uid=late": 1}, l.report.Profile.Unknown, "who left is named still")
}
