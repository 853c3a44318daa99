package hub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
)

func TestWhatAPersonDoesIsAuditedInTheirName(t *testing.T) {
	l := newLab(t, labConnector{name: "crm"})
	h := l.open()
	defer h.Close()
	ctx := t.Context()

	alice := h.As("alice")
	require.NoError(t, alice.Pause(ctx, "crm", "the vendor moves house"))
	require.NoError(t, h.Resume(ctx, "crm"))

	trail, err := h.State().Audit(ctx, store.AuditFilter{Object: "crm"})
	require.NoError(t, err)
	who := map[string]string{}
	for _, e := range trail {
		who[e.Action] = e.Actor
	}
	assert.Equal(t, map[string]string{"connector.pause": "alice", "connector.resume": "tester"}, who)
	assert.Equal(t, "alice", alice.Actor())
	assert.Equal(t, "tester", h.As("").Actor(), "nothing is done in nobody's name")
	assert.Same(t, h.State(), alice.State(), "one state")
}
