package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/config"
)

const scheduled = `
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id}]
    schedule: %
connectors:
  - {name: crm, plugin: memory, config: {}, attributes: [{to: userName, from: person.id}], maintenance: [{cron: "0 22 * * Sat", for: 8h}, {cron: "0 1 * * *", for: 2d}]}
`

// Every fault of a schedule is named with its line, besides those of windows.
func TestScheduleFaults(t *testing.T) {
	for _, c := range []struct{ schedule, says string }{
		{`{cron: "0 25 * * *"}`, "provhub.yaml:8: sources[0].schedule: cron"},
		{`{cron: "@daily", zone: Mars/Olympus}`, "Europe/Berlin"},
		{`{cron: "@hourly", jitter: 2h}`, "jitter is 2h; expected less than the 1h"},
		{`{cron: "@hourly", not: [{cron: "@daily", for: 30d}]}`, "sources[0].schedule.not[0]: for is 30d"},
		{`{cron: "@hourly", while_held: maybe}`, "while_held"},
	} {
		path := filepath.Join(t.TempDir(), "provhub.yaml")
		text := []byte(strings.Replace(scheduled, "%", c.schedule, 1))
		require.NoError(t, os.WriteFile(path, text, 0o600))
		_, err := config.Load(path, config.Settings{})
		require.ErrorContains(t, err, c.says)
		if c.says != "while_held" { // the schema is checked first
			require.ErrorContains(t, err, "connectors[0].maintenance[1]: the window lasts 2d and begins again after 1d")
		}
	}
}

func TestScheduleOfTheExample(t *testing.T) {
	cfg, err := config.Load("../../config.example.yaml", config.Settings{})
	require.NoError(t, err)
	hr, phones := cfg.Source("hr").Schedule, cfg.Source("phones").Schedule
	require.True(t, hr.SkipHeld)
	noon := time.Date(2026, 3, 2, 12, 1, 0, 0, time.UTC)
	require.Equal(t, noon.Add(14*time.Minute), hr.Next(noon).UTC())
	require.Equal(t, noon.Add(14*time.Minute), phones.Next(noon).UTC(), "the default")
}
