package hub_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
)

// Who asks to be told of changes learns when nothing ever will be, and does not ask
// again and again.
func TestNothingToWatch(t *testing.T) {
	l := newLab(t, labConnector{name: "app"})
	err := l.open().Watch(t.Context(), func(string) {})
	require.ErrorIs(t, err, hub.ErrNoWatch)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, l.open().Watch(ended, func(string) {}))
}
