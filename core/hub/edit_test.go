package hub

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

func TestValuesAreReadAsTheTypeTheyReplace(t *testing.T) {
	changes := []plan.Change{{Name: "active", Before: connector.Values{true}}, {Name: "level", After: connector.Values{int64(3)}},
		{Name: "share", After: connector.Values{0.5}}, {Name: "end", After: connector.Values{connector.Date("2026-01-02")}},
		{Name: "tags", After: connector.Values{"a"}}, {Name: "note"}, {Name: "photo", After: connector.Values{[]byte{1}}}}
	got, err := edited(changes, []Edit{{"active", []string{"false"}}, {"level", []string{"7"}}, {"share", []string{"0.25"}}, {"end", []string{"2026-02-03"}},
		{"tags", []string{"b", "c"}}, {"note", []string{"x"}}})
	require.NoError(t, err)
	for i, want := range []connector.Values{{false}, {int64(7)}, {0.25}, {connector.Date("2026-02-03")}, {"b", "c"}, {"x"}} {
		require.Equal(t, want, got[i].After, got[i].Name)
	}
	require.Equal(t, connector.Values{"a"}, changes[4].After, "what was given stays as it is")
	for name, text := range map[string]string{"active": "maybe", "level": "high", "share": "half", "photo": "x"} {
		_, err := edited(changes, []Edit{{name, []string{text}}})
		require.ErrorContains(t, err, name+": ")
	}
}
