package scim

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func probe(t *testing.T, target *Target, arguments string) probeResult {
	t.Helper()
	raw, err := target.Invoke(context.Background(), connector.Invocation{ID: "p", Name: "probe", Arguments: json.RawMessage(arguments)}, func(connector.Progress) {})
	require.NoError(t, err)
	var r probeResult
	require.NoError(t, json.Unmarshal(raw, &r))
	if os.Getenv("SHOW") != "" {
		t.Log(r.Profile)
		for _, s := range r.Summary {
			t.Log(s)
		}
		t.Log(r.Differences, r.LeftBehind, r.Stopped, r.Requests)
	}
	return r
}

func TestProbeReal(t *testing.T) {
	s := newReal(t)
	probe(t, s.target(""), `{"write": true}`)
}
