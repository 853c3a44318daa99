package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/plugins/sdk"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// defect is one thing that is wrong with an otherwise sound connector. Exactly
// the checks that begin its name, "E3+F4: …", must fail on it.
type defect struct {
	name string
	// One of these.
	target func(*memory.Target) connector.Target
	define func(*connector.Definition)
	serve  func(pluginv1.ConnectorServiceServer, io.Writer) pluginv1.ConnectorServiceServer
}

var definitionDefects = []defect{
	{name: "A1: a version that cannot be compared", define: func(d *connector.Definition) { d.Version = "latest" }},
	{name: "B2: an option without a description", define: func(d *connector.Definition) {
		d.ConfigSchema = bytes.Replace(d.ConfigSchema, []byte(`"description": "Take the steps`), []byte(`"$comment": "Take the steps`), 1)
	}},
	{name: "C1: all instances share one store", define: func(d *connector.Definition) {
		open := d.Open
		d.Open = func(ctx context.Context, config json.RawMessage, in connector.Instance) (connector.Target, error) {
			return open(ctx, bytes.ReplaceAll(config, []byte("/others"), []byte("/objects")), in)
		}
	}},
	{name: "I1: a secret is written to a file", define: func(d *connector.Definition) {
		open := d.Open
		d.Open = func(ctx context.Context, config json.RawMessage, in connector.Instance) (connector.Target, error) {
			if in.DataDir != "" {
				if err := os.WriteFile(filepath.Join(in.DataDir, "session.json"), []byte(in.Secret("token").Reveal()), 0o600); err != nil {
					return nil, err
				}
			}
			return open(ctx, config, in)
		}
	}},
}

// TestEachCheckFindsItsDefect runs the whole suite against connectors with one
// defect each: the checks named must fail on it, and no others.
func TestEachCheckFindsItsDefect(t *testing.T) {
	for _, d := range slices.Concat(targetDefects, definitionDefects, serverDefects) {
		t.Run(d.name, func(t *testing.T) {
			ids, _, _ := strings.Cut(d.name, ":")
			want := strings.Split(ids, "+")
			target := memoryTarget(t)
			if !slices.Contains(want, "I3") {
				t.Parallel()
				target.Skip = map[string]string{"I3": "other suites run in this process at the same time"}
			}
			assert.Equal(t, want, failures(t, target, d.host(), want))
		})
	}
}

func (d defect) host() host {
	def := *memory.Definition
	if d.define != nil {
		d.define(&def)
	}
	if d.target != nil {
		def.Open = func(ctx context.Context, config json.RawMessage, in connector.Instance) (connector.Target, error) {
			t, err := memory.Definition.Open(ctx, config, in)
			if err != nil {
				return nil, err
			}
			return d.target(t.(*memory.Target)), nil
		}
	}
	return inProcess{func(log io.Writer) pluginv1.ConnectorServiceServer {
		s := sdk.NewServerLogging(&def, log)
		if d.serve != nil {
			s = d.serve(s, log)
		}
		return s
	}}
}

// failures returns the ids of the checks that fail. With -short only those that
// should are run.
func failures(t *testing.T, target Target, h host, only []string) []string {
	t.Helper()
	target.Definition = memory.Definition
	require.NoError(t, target.check())
	o := Options{Quick: true}
	if testing.Short() {
		o.Only = only
	}
	s := &session{target: &target, host: h, options: o}
	require.NoError(t, s.start(t.Context()))
	defer s.close()
	var failed []string
	for _, c := range s.checks() {
		out := s.run(t.Context(), c)
		if out.Status == Failed {
			failed = append(failed, out.ID)
			t.Log(out.explain())
		}
	}
	return failed
}

// failedIn returns the ids of the checks that failed in a report.
func failedIn(t *testing.T, report Report) (ids []string) {
	t.Helper()
	for _, out := range report.Outcomes {
		if out.Status == Failed {
			ids = append(ids, out.ID)
			t.Log(out.explain())
		}
	}
	return ids
}

// TestTheSoundConnectorPasses is the other half of the proof.
func TestTheSoundConnectorPasses(t *testing.T) {
	assert.Empty(t, failures(t, memoryTarget(t), defect{}.host(), nil))
}

// TestEveryCheckHasADefect: a check that was never seen to fail proves nothing.
func TestEveryCheckHasADefect(t *testing.T) {
	proved := map[string]bool{}
	for _, d := range slices.Concat(targetDefects, definitionDefects, serverDefects, processDefects) {
		ids, _, _ := strings.Cut(d.name, ":")
		for _, id := range strings.Split(ids, "+") {
			proved[id] = true
		}
	}
	for _, c := range Checks() {
		assert.True(t, proved[c.ID], "no defect is known that %s (%s) finds", c.ID, c.Title)
	}
}
