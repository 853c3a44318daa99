package connectortest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
)

// A live run leaves a target as it was, also when an earlier one broke off.
func TestALiveRunRemovesWhatItMade(t *testing.T) {
	target := memoryTarget(t)
	target.Definition, target.Faults = memory.Definition, nil
	there, err := memory.Definition.Open(t.Context(), target.Config, connector.Instance{Secrets: target.Secrets})
	require.NoError(t, err)
	m := there.(*memory.Target)
	for _, name := range []string{"jane", "kit-of-an-earlier-run", "KIT-too", "not-kit-"} {
		_, err := m.Create(t.Context(), connector.Create{Call: connector.Call{Key: name}, Type: "user", Attributes: connector.Attributes{{Name: "userName", Values: connector.Values{name}}}})
		require.NoError(t, err)
	}
	report, err := Suite(t.Context(), target, Options{Prefix: "kit-", Only: []string{"C1", "E1", "E3", "E12", "F1", "H1"}})
	require.NoError(t, err)
	assert.False(t, report.Failed())
	assert.Equal(t, 2, report.Swept, "the two of the earlier run: this one cleans up after itself")
	assert.Equal(t, []string{"jane", "not-kit-"}, userNames(t, m))
}

// What a check made is named with the prefix, whatever bounds its length.
func TestALiveRunNamesEverythingWithThePrefix(t *testing.T) {
	target := Target{prefix: "kit-", Values: map[string][]any{"mail": {"%d@example.com"}}}
	e := newEnv(&target, inProcess{}, nil, "E1", 1)
	typ := connector.ObjectType{Name: "user"}
	for _, a := range []connector.Attr{{Name: "userName"}, {Name: "code", MaxLength: 12}, {Name: "mail"}} {
		v := e.value(typ, a, 7).(string)
		assert.True(t, strings.HasPrefix(v, "kit-"), v)
		assert.True(t, strings.HasSuffix(strings.TrimSuffix(v, "@example.com"), "7"), v)
		assert.True(t, a.MaxLength == 0 || len(v) <= a.MaxLength, v)
	}
}

func TestALiveRunNeedsAPrefix(t *testing.T) {
	_, err := Suite(t.Context(), Target{Definition: memory.Definition}, Options{Prefix: "z"})
	require.ErrorIs(t, err, errPrefix)
}

// Nothing is made to fail in a live run.
func TestALiveRunMakesNoFaults(t *testing.T) {
	report, err := Suite(t.Context(), gatedTarget(t, &hooks{}, false), Options{Prefix: "kit-", Only: []string{"G2", "G5"}})
	require.NoError(t, err)
	for _, o := range report.Outcomes {
		assert.Equal(t, Skipped, o.Status, o.ID)
		assert.Equal(t, "no faults are made in a live run", o.Reason)
	}
}

func userNames(t *testing.T, m *memory.Target) []string {
	t.Helper()
	var names []string
	_, err := m.List(context.Background(), connector.ListQuery{Type: "user"}, func(o connector.Object) error {
		names = append(names, o.Attributes.Text("userName"))
		return nil
	})
	require.NoError(t, err)
	return names
}
