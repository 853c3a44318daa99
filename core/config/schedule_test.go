package config_test

import (
	"fmt"
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
		{`{cron: "0 25 * * *"}`, "provhub.yaml:8: sources[0].schedule.cron: cron"},
		{`{cron: "@daily", zone: Mars/Olympus}`, "Europe/Berlin"},
		{`{cron: "@hourly", jitter: 2h}`, "jitter is 2h; expected less than the 1h"},
		{`{cron: "@hourly", not: [{cron: "@daily", for: 30d}]}`, "sources[0].schedule.not[0].for: for is 30d"},
		{`{cron: "@hourly", while_held: maybe}`, "while_held"},
	} {
		path := filepath.Join(t.TempDir(), "provhub.yaml")
		text := []byte(strings.Replace(scheduled, "%", c.schedule, 1))
		require.NoError(t, os.WriteFile(path, text, 0o600))
		_, err := config.Load(path, config.Settings{})
		require.ErrorContains(t, err, c.says)
		if c.says != "while_held" { // the schema is checked first
			require.ErrorContains(t, err, "connectors[0].maintenance[1].for: the window lasts 2d and begins again after 1d")
		}
	}
}

// All that is wrong with one schedule is told at once, each fault in its own line.
func TestAllFaultsOfASchedule(t *testing.T) {
	_, faults := parse(t, `
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id}]
    schedule:
      cron: "0 12 * * Foo"
      zone: Europe/Berlinn
      jitter: 2x
      not:
        - {cron: "0 22 * *", zone: here, for: 30d}
        - {for: 8h}
        - {cron: "@daily"}
      while_held: skipp
connectors:
  - {name: crm, plugin: memory, config: {}, attributes: [{to: userName, from: person.id}], maintenance: [{cron: "0 0 * * *", for: 13h}, {cron: "0 12 * * *", for: 13h}]}
`)
	var got []string
	for _, f := range faults {
		got = append(got, fmt.Sprintf("%d %s: %s", f.Line, f.Path, f.Text))
	}
	require.Equal(t, []string{
		`9 sources[0].schedule.cron: cron "0 12 * * Foo": "Foo" is neither a number nor a name such as Mon or Jan; expected five fields such as "*/15 6-20 * * Mon-Fri", @daily, or "@every 15m"`,
		`10 sources[0].schedule.zone: zone "Europe/Berlinn" is not known; expected a name such as Europe/Berlin`,
		`11 sources[0].schedule.jitter: "2x" is not of the expected form: a duration such as 30s, 5m, 12h or 90d`,
		`13 sources[0].schedule.not[0].zone: zone "here" is not known; expected a name such as Europe/Berlin`,
		`13 sources[0].schedule.not[0].for: for is 30d; expected how long the window lasts, up to 7d`,
		`13 sources[0].schedule.not[0].cron: cron "0 22 * *": it has 4 fields; expected five fields such as "*/15 6-20 * * Mon-Fri", @daily, or "@every 15m"`,
		`14 sources[0].schedule.not[1].cron: is missing`,
		`15 sources[0].schedule.not[2].for: is missing`,
		`16 sources[0].schedule.while_held: "skipp" is none of run, skip (did you mean "skip"?)`,
		`18 connectors[0].maintenance: together the windows leave no time between them: nothing would ever run`,
	}, got)
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
