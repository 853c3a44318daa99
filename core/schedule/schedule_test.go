package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/core/schedule"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return v
}

func made(t *testing.T, spec schedule.Spec) *schedule.Schedule {
	t.Helper()
	s, err := schedule.New(spec)
	require.NoError(t, err)
	return s
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ name, cron, zone, after, want string }{
		{"every quarter", "*/15 * * * *", "", "2026-03-02T10:07:00Z", "2026-03-02T10:15:00Z"},
		{"weekdays at six, in summer", "0 6 * * Mon-Fri", "Europe/Berlin", "2026-07-03T12:00:00Z", "2026-07-06T04:00:00Z"},
		{"weekdays at six, in winter", "0 6 * * Mon-Fri", "Europe/Berlin", "2026-01-02T12:00:00Z", "2026-01-05T05:00:00Z"},
		{"an hour that the clock skips", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
		{"every so often, whenever it was asked", "@every 15m", "", "2026-03-02T10:07:11Z", "2026-03-02T10:15:00Z"},
		{"daily", "@daily", "", "2026-03-02T10:07:00Z", "2026-03-03T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := made(t, schedule.Spec{Cron: c.cron, Zone: c.zone})
			require.Equal(t, at(t, c.want), s.Next(at(t, c.after)).UTC())
		})
	}
}

func TestDue(t *testing.T) {
	s := made(t, schedule.Spec{Cron: "0 * * * *"})
	for _, c := range []struct {
		name, last, now, slot string
		missed                int
	}{
		{"not yet", "2026-03-02T10:00:00Z", "2026-03-02T10:59:59Z", "", 0},
		{"now", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T11:00:00Z", 0},
		{"after a night in which nobody was there", "2026-03-02T18:00:00Z", "2026-03-03T06:30:00Z", "2026-03-03T06:00:00Z", 11},
		{"after years", "2010-01-01T00:00:00Z", "2026-03-02T11:30:00Z", "2026-03-02T11:00:00Z", 10_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			slot, missed := s.Due(at(t, c.last), at(t, c.now))
			if c.slot == "" {
				require.Zero(t, slot)
			} else {
				require.Equal(t, at(t, c.slot), slot.UTC())
			}
			require.Equal(t, c.missed, missed)
		})
	}
}

// A slot begins at the same time after a restart, within its jitter, and never in
// a window.
func TestBegin(t *testing.T) {
	window := schedule.Window{Cron: "0 22 * * Sat", Zone: "Europe/Berlin", For: 8 * time.Hour}
	rapid.Check(t, func(rt *rapid.T) {
		spec := schedule.Spec{Cron: "*/10 * * * *", Jitter: 9 * time.Minute, Not: []schedule.Window{window, {Cron: "0 6 * * Sun", Zone: "Europe/Berlin", For: time.Hour}}}
		s, again := made(t, spec), made(t, spec)
		slot := s.Next(time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(rt, "t"), 0))
		begin := s.Begin("cycle/hr", slot)
		coming := s.Coming("cycle/hr", begin.Add(-time.Second))
		require.True(rt, coming.After(begin.Add(-time.Second)) && !coming.After(begin), "%s comes before %s", coming, begin)
		require.Equal(rt, begin, again.Begin("cycle/hr", slot))
		require.False(rt, begin.Before(slot))
		ws, err := schedule.NewWindows(spec.Not)
		require.NoError(rt, err)
		require.Zero(rt, ws.Until(begin))
		if ws.Until(slot).IsZero() && ws.Until(slot.Add(spec.Jitter)).IsZero() {
			require.Less(rt, begin.Sub(slot), spec.Jitter)
		}
	})
	s := made(t, schedule.Spec{Cron: "0 * * * *", Not: []schedule.Window{window}})
	require.Equal(t, at(t, "2026-03-08T05:00:00Z"), s.Begin("", at(t, "2026-03-08T01:00:00Z")).UTC())
}

// What falls into a window is one slot, at its end: one run, and nothing was missed.
func TestAWindowHasOneSlotAtItsEnd(t *testing.T) {
	s := made(t, schedule.Spec{Cron: "*/5 * * * *", Not: []schedule.Window{{Cron: "0 12 * * *", For: 32 * time.Minute}}})
	before, end := at(t, "2026-03-02T11:55:00Z"), at(t, "2026-03-02T12:32:00Z")
	slot, missed := s.Due(before, end.Add(-time.Second))
	require.Zero(t, slot, "not while the window lasts")
	require.Zero(t, missed)
	slot, missed = s.Due(before, end.Add(time.Second))
	require.Equal(t, []any{end, 0}, []any{slot.UTC(), missed})
	slot, _ = s.Due(end, end.Add(2*time.Minute))
	require.Zero(t, slot, "it was run")
	slot, missed = s.Due(end, end.Add(3*time.Minute))
	require.Equal(t, []any{end.Add(3 * time.Minute), 0}, []any{slot.UTC(), missed})
}

// A 29 February is followed by none within the years that are looked at, now and then.
func TestADayThatSeldomComes(t *testing.T) {
	made(t, schedule.Spec{Cron: "0 0 29 2 *", Jitter: 24 * time.Hour})
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		spec schedule.Spec
		says string
	}{
		{schedule.Spec{Cron: ""}, "five fields"},
		{schedule.Spec{Cron: "0 25 * * *"}, "five fields"},
		{schedule.Spec{Cron: "0 0 30 2 *"}, "never comes"},
		{schedule.Spec{Cron: "CRON_TZ=Asia/Tokyo 0 6 * * *"}, "zone:"},
		{schedule.Spec{Cron: "@daily", Zone: "Mars/Olympus"}, "Europe/Berlin"},
		{schedule.Spec{Cron: "@daily", Zone: "local"}, "Europe/Berlin"},
		{schedule.Spec{Cron: "@hourly", Jitter: time.Hour}, "jitter is 1h; expected less than the 1h"},
		{schedule.Spec{Cron: "@hourly", Jitter: -1}, "jitter"},
		{schedule.Spec{Cron: "0 1,12,13 * * *", Jitter: 2 * time.Hour}, "less than the 1h"},
		{schedule.Spec{Cron: "@hourly", Not: []schedule.Window{{Cron: "0 0 * * *", For: 24 * time.Hour}}}, "window 1: the window lasts 1d and begins again after 1d"},
		{schedule.Spec{Cron: "@hourly", Not: []schedule.Window{{Cron: "@every 1h", For: time.Minute}}}, "no begin"},
		{schedule.Spec{Cron: "@hourly", Not: []schedule.Window{{Cron: "@daily"}}}, "for is 0s"},
		{schedule.Spec{Cron: "@hourly", Not: []schedule.Window{{Cron: "0 8,20,21 * * *", For: 2 * time.Hour}}}, "begins again after 1h"},
		{schedule.Spec{Cron: "@hourly", Not: []schedule.Window{{Cron: "0 0 * * *", For: 13 * time.Hour}, {Cron: "0 12 * * *", For: 13 * time.Hour}}}, "no time between them"},
	} {
		_, err := schedule.New(c.spec)
		require.ErrorContains(t, err, c.says, "%+v", c.spec)
	}
}
