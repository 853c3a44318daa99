package cycle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/plan"
)

const day = 24 * time.Hour

// QUIRKS HR-20, HR-21, HR-22: dates count without any change in the source.
func TestDatesCome(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane start=2026-03-04", "1002 name=Contractor end=2026-03-03")
	require.Equal(t, "crm/create/join 1; crm/create/join 1002", brief(l.sync()))
	l.now = time.Date(2026, 3, 3, 23, 0, 0, 0, time.UTC).Add(-2 * time.Hour)
	require.Empty(t, brief(l.sync()), "22:00 on the last day")
	l.now = l.now.Add(time.Hour)
	require.Equal(t, "crm/disable/leave 1002; crm/create/join 1001", brief(l.sync()))
	require.Equal(t, 2, l.report.Timers)
	require.True(t, l.report.Unchanged)
	require.Empty(t, brief(l.sync()))
}

// QUIRKS HR-24
func TestClockJumpAsksBeforeAnyoneLeaves(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane end=2026-12-31")
	l.sync()
	l.now = start.AddDate(1, 0, 0)
	p := l.sync()
	require.Empty(t, p.Operations)
	require.Len(t, p.Verdicts, 1)
	require.Equal(t, plan.GuardClock, p.Verdicts[0].Guarded)
	require.Contains(t, p.Verdicts[0].Text, "the clock is 365 days after the last run, and 1 people would leave by their dates")
	l.people("1 name=Boss2", "1001 name=Jane end=2026-12-30")
	require.Equal(t, "crm/update/change 1", brief(l.run()), "dates are compared with the time last believed, the new ones too")

	l.now = start.Add(5 * time.Hour)
	require.Equal(t, "crm/update/change 1", brief(l.sync()), "the clock was put right: as if nothing had been")
	l.now = start.AddDate(1, 0, 0)
	l.file.dated = l.now
	p = l.sync()
	require.Len(t, p.Verdicts, 1)
	l.cycle.Accept = p.Inputs.Snapshot[:12]
	require.Equal(t, "crm/disable/leave 1001", brief(l.sync()))
	l.cycle.Accept = ""
	require.Empty(t, l.sync().Verdicts, "asked once")
}

func TestClockJumpThatHurtsNobodyIsBelieved(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane start=2026-05-01")
	l.sync()
	l.now = start.AddDate(0, 3, 0)
	p := l.sync()
	require.Equal(t, "crm/create/join 1001", brief(p))
	require.Empty(t, p.Verdicts)
	require.Contains(t, l.report.Warnings[0], "the clock is 92 days after the last run; nobody leaves by that")
	l.sync()
	require.Contains(t, l.report.Warnings[0], "the clock is 92 days after the date of the source", "the source is still old")
	l.file.dated = l.now
	l.sync()
	require.Empty(t, l.report.Warnings)
}

// A source that is no longer exported must not let people leave by their dates.
func TestStaleSourceAsksBeforeAnyoneLeaves(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane end=2026-04-10")
	for l.now.Before(start.AddDate(0, 0, 39)) {
		require.Empty(t, l.sync().Verdicts)
		l.now = l.now.Add(5 * day)
	}
	p := l.run()
	require.Len(t, p.Verdicts, 1)
	require.Contains(t, p.Verdicts[0].Text, "the clock is 40 days after the date of the source, and 1 people would leave")
}

func TestClockNeverRunsBackwards(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane end=2026-03-03")
	l.sync()
	l.now = l.now.Add(2 * day)
	require.Equal(t, "crm/disable/leave 1001", brief(l.sync()))
	l.now = start
	l.people("1 name=Chief", "1001 name=Janet end=2026-03-03")
	require.Equal(t, "crm/update/change 1", brief(l.sync()), "nobody is back because the clock is")
	require.Contains(t, l.report.Warnings[0], "behind the last run")
}

// Once a wrong clock was believed, a person can take that back.
func TestClockSetBack(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane end=2026-12-31")
	l.sync()
	l.now = start.AddDate(1, 0, 0)
	l.cycle.Accept = l.file.snapshot()[:12]
	require.Equal(t, "crm/disable/leave 1001", brief(l.sync()))
	l.now = start.Add(day)
	require.Equal(t, "crm/enable/return 1001", brief(l.sync()))
	l.cycle.Accept = ""
	l.sync()
	require.Empty(t, l.report.Warnings)
}

func TestTimersWaitForWhoeverIsMissingFromAnIncompleteReading(t *testing.T) {
	l := newLab(t, "1 name=Boss", "1001 name=Jane end=2026-03-03", "1002 name=Joe end=2026-03-03")
	l.sync()
	l.now = l.now.Add(2 * day)
	l.people("1 name=Boss", "1001 name=Jane end=2026-03-03")
	l.file.incomplete = "cut off"
	require.Equal(t, "crm/disable/leave 1001", brief(l.sync()))
}
