package cycle

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source"
)

// QUIRKS HR-5: an incomplete reading never removes anything.
func TestIncompleteReading(t *testing.T) {
	l := newLab(t, staff(10, "")...)
	l.sync()
	l.people(staff(8, "")...)
	l.file.rows[0].who["name"] = "renamed"
	l.file.incomplete = "hr.csv:9: the row is cut off"
	p := l.sync()
	require.Equal(t, "crm/update/change 1000", brief(p), "what was read is taken over")
	require.Equal(t, 2, l.report.Missing)
	require.Contains(t, l.report.Source.Warnings[0], "2 who are missing from it count as present")
	require.False(t, l.report.Source.Complete)

	l.file.incomplete = ""
	require.Equal(t, "crm/disable/gone 1008; crm/disable/gone 1009", brief(l.sync()), "the same content, complete, says more")
}

func TestAccountsAreNotDeletedByTimeAfterAnIncompleteReading(t *testing.T) {
	l := newLab(t, "1001 name=Jane status=A", "1002 name=Joe")
	l.connector("crm", plan.Policy{DeleteAfter: time.Hour}, mapping.Rules{})
	l.sync()
	l.people("1001 name=Jane status=T", "1002 name=Joe")
	l.sync()
	l.file.incomplete, l.now = "cut off", l.now.Add(2*time.Hour)
	l.people("1001 name=Jane status=T")
	require.Empty(t, brief(l.sync()))
	l.file.incomplete = ""
	l.people("1001 name=Jane status=T", "1002 name=Joe")
	require.Equal(t, "crm/delete/expired 1001", brief(l.sync()))
}

func TestVanishedComeBack(t *testing.T) {
	l := newLab(t, staff(10, "dept=sales")...)
	l.sync()
	l.people(staff(9, "dept=sales")...)
	require.Equal(t, "crm/disable/gone 1009 -sales", brief(l.sync()))
	require.Equal(t, 1, l.report.Vanished)
	l.people(staff(10, "dept=sales")...)
	require.Equal(t, "crm/enable/return 1009 +sales", brief(l.sync()))
}

// QUIRKS HR-4
func TestEmptySourceIsAnError(t *testing.T) {
	l := newLab(t, staff(3, "")...)
	l.sync()
	l.people()
	_, err := l.try()
	require.EqualError(t, err, "source hr: there is nobody in the source: an empty source is never taken to mean that everybody left")
	l.people(staff(3, "")...)
	require.Empty(t, brief(l.sync()))
}

// QUIRKS HR-4: a source that has shrunk holds the plan, until a person says that
// just this content is right.
func TestShrunkenSource(t *testing.T) {
	tests := []struct {
		name          string
		before, after int
		limit         plan.Limit
		held          string
	}{
		{name: "a tenth of a large source", before: 100, after: 90},
		{name: "more than that", before: 100, after: 89, held: "11 of 100 people and groups are missing from it, the limit is 10 % of 100"},
		{name: "five of a small source", before: 20, after: 15},
		{name: "six of a small source", before: 20, after: 14, held: "the limit is 10 % of 50"},
		{name: "more than half of a tiny source", before: 5, after: 2, held: "the limit is half of 5"},
		{name: "one of two", before: 2, after: 1},
		{name: "a limit of one's own", before: 20, after: 18, limit: plan.Limit{Max: 1}, held: "the limit is max 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, staff(tt.before, "")...)
			l.cycle.Source.Vanish = tt.limit
			l.sync()
			l.people(staff(tt.after, "")...)
			p := l.sync()
			if tt.held == "" {
				require.Empty(t, p.Verdicts)
				require.Len(t, p.Operations, tt.before-tt.after)
				return
			}
			require.Len(t, p.Verdicts, 1)
			require.Equal(t, plan.GuardVanish, p.Verdicts[0].Guarded)
			require.Contains(t, p.Verdicts[0].Text, tt.held)
			require.Contains(t, p.Verdicts[0].Text, "Nobody is taken to have left")
			require.Empty(t, p.Operations)
			require.Len(t, l.run().Verdicts, 1, "as long as it is so")

			l.cycle.Accept = "00000000"
			_, err := l.try()
			require.ErrorContains(t, err, "snapshot 00000000 was accepted, and the source is at "+p.Inputs.Snapshot[:12])
			l.cycle.Accept = p.Inputs.Snapshot[:12]
			accepted := l.run()
			require.Empty(t, accepted.Verdicts)
			require.Len(t, accepted.Operations, tt.before-tt.after)
		})
	}
}

func TestOlderExportIsRefused(t *testing.T) {
	l := newLab(t, "1001 name=Jane")
	l.sync()
	l.people("1001 name=June")
	l.file.dated = start.Add(-24 * time.Hour)
	_, err := l.try()
	require.ErrorContains(t, err, "source hr: it is dated 2026-03-01T08:00:00Z, and the one read before 2026-03-02T08:00:00Z: an older export seems to have been put back")
	l.cycle.Accept = l.file.snapshot()[:12]
	require.Equal(t, "crm/update/change 1001", brief(l.sync()))
	require.Contains(t, err.Error(), "provhub sync --accept "+l.cycle.Accept)
}

// QUIRKS HR-1: none of the records of a double anchor is used, and its person
// counts as present.
func TestDoubleAnchors(t *testing.T) {
	l := newLab(t, staff(4, "")...)
	l.sync()
	l.people(append(staff(4, ""), "1001 name=Second", "1002 name=Third", "1002 name=Fourth", "2000 name=New", "2000 name=Newer")...)
	slices.Reverse(l.file.rows) // the changed record comes first, too
	p := l.sync()
	require.Empty(t, brief(p))
	require.Equal(t, 3, l.report.Doubles)
	require.Equal(t, 4, l.report.FaultCount)
	require.Zero(t, l.report.New+l.report.Changed+l.report.Vanished)
	require.Equal(t, "1001", l.report.Faults[3].Anchor)
	require.Contains(t, l.report.Faults[3].Reason, "more than once")
	require.Equal(t, "p1001", l.account("crm", "1001").Applied.Text("userName"))

	l.sync()
	require.Equal(t, 3, l.report.Doubles, "it is said again as long as it is so")
	l.people(append(staff(4, ""), "2000 name=New")...)
	require.Equal(t, "crm/create/join 2000", brief(l.sync()))
}

// A person in a bad row counts as present, with what was known before.
func TestBadRows(t *testing.T) {
	l := newLab(t, "1001 name=Jane", "1002 name=Joe", "1003 name=Jim")
	l.sync()
	l.people("1001 name=Janet bad=cut", "1002 name=Joseph status=??", "1003 name=Jim", "1004 name=New bad=cut")
	p := l.sync()
	require.Empty(t, brief(p))
	require.Equal(t, `attribute "status": the status is in none of the lists active, suspended and leaver`, l.report.Faults[0].Reason)
	require.Equal(t, "hr.csv:3", l.report.Faults[0].Position)
	require.Zero(t, l.report.Vanished+l.report.Missing)
	l.people("1001 name=Janet", "1002 name=Joe", "1003 name=Jim")
	require.Equal(t, "crm/update/change 1001", brief(l.sync()), "once it is right it is taken over")
}

// A bad row whose anchor cannot be read may be anybody's.
func TestBadRowOfNobody(t *testing.T) {
	l := newLab(t, staff(6, "")...)
	l.sync()
	l.people(staff(5, "")...)
	l.file.rows = append(l.file.rows, row{who: identity.Attributes{}, bad: "no anchor"})
	require.Empty(t, brief(l.sync()))
	require.Equal(t, 1, l.report.Missing)
	require.Contains(t, l.report.Source.Incomplete[0], "nobody can tell whose 1 bad records are")
}

// service can be asked for one person.
type service struct {
	*file
	there map[string]bool // who is there though the listing passed over them
	asked int
}

func (s *service) ReadOne(_ context.Context, kind identity.Kind, anchor string, yield func(*source.Record) error) error {
	s.asked++
	return yield(&source.Record{Kind: kind, Anchor: anchor, Deleted: !s.there[anchor]})
}

// QUIRKS SCIM-16, HR-5: who is missing from a listing that counts right is asked
// for before they are taken to have left.
func TestWhoWasPassedOverIsAskedFor(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	s := &service{file: l.file, there: map[string]bool{"1003": true}}
	l.cycle.Reader = s
	l.sync()
	rows := staff(20, "")
	l.people(append(rows[:3], rows[5:]...)...) // 1003 and 1004 are not listed
	require.Equal(t, "crm/disable/gone 1004", brief(l.sync()))
	require.Equal(t, 2, s.asked)
	require.Equal(t, 1, l.report.Missing)
	require.Contains(t, l.report.Source.Warnings[0], "1 who were not listed are there")
	l.people(append(staff(20, "")[:4], staff(20, "")[5:]...)...)
	require.Empty(t, brief(l.sync()))
	require.Zero(t, l.report.Missing)
}
