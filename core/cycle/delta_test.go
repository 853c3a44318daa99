package cycle

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source"
)

// changelog is a source that tells what changed: a log of rows, a token of which is
// how many were told.
type changelog struct {
	*file
	log     []row
	deleted map[string]bool // rows of the log that are deletions, by anchor
	expired bool
	deltas  int
}

func (d *changelog) Fingerprint(context.Context) (string, time.Time, error) {
	return "", time.Time{}, nil // never the same
}

func (d *changelog) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	report, err := d.file.Read(ctx, yield)
	report.Token = []byte(strconv.Itoa(len(d.log)))
	return report, err
}

func (d *changelog) Changes(ctx context.Context, token []byte, yield func(*source.Record) error) (source.Report, error) {
	if d.expired {
		return source.Report{}, fmt.Errorf("ldap.example.org: %w", source.ErrTokenExpired)
	}
	d.deltas++
	from, err := strconv.Atoi(string(token))
	if err != nil {
		return source.Report{}, err
	}
	part := &file{rows: d.log[from:]}
	_, err = part.Read(ctx, func(r *source.Record) error {
		r.ID = "uuid-" + r.Anchor
		if r.Deleted = d.deleted[r.Anchor]; r.Deleted {
			r.Anchor = ""
		}
		return yield(r)
	})
	return source.Report{Snapshot: fmt.Sprint("log ", len(d.log)), Token: []byte(strconv.Itoa(len(d.log)))}, err
}

// changes appends to the log, and does the same to what a whole reading finds.
func (d *changelog) changes(rows ...string) {
	for _, text := range rows {
		r := person(text)
		d.log = append(d.log, r)
		at := -1
		for i := range d.rows {
			if d.rows[i].anchor == r.anchor {
				at = i
			}
		}
		if at < 0 {
			d.rows = append(d.rows, r)
		} else {
			d.rows[at] = r
		}
	}
}

func newChangelog(l *lab) *changelog {
	d := &changelog{file: l.file, deleted: map[string]bool{}}
	l.cycle.Reader = d
	return d
}

func TestOnlyWhatChangedIsRead(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	d := newChangelog(l)
	l.sync()
	d.changes("1001 name=New", "1001 name=Newer", "2001 name=Jane", "1002 name=p1002 mail=p1002@x.test")
	require.Equal(t, "crm/create/join 2001; crm/update/change 1001", sorted(brief(l.sync())), "the last word counts, and 1002 is as it was")
	require.Equal(t, "Newer", l.account("crm", "1001").Applied.Text("userName"))
	require.Equal(t, [2]int{1, 1}, [2]int{d.reads, d.deltas})
	require.Equal(t, [2]int{1, 1}, [2]int{l.report.New, l.report.Changed})
	require.Empty(t, brief(l.sync()), "nothing is told twice")
	require.Equal(t, 2, d.deltas)
}

// QUIRKS LDAP-31: a directory tells of who was deleted no more than its own id.
func TestDeletedRecordIsKnownByItsID(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	d := newChangelog(l)
	l.sync()
	d.changes("1003 name=Renamed") // from here on the id is known
	l.sync()
	d.changes("1003 name=Renamed", "9999 name=never-met")
	d.deleted["1003"], d.deleted["9999"] = true, true
	require.Equal(t, "crm/disable/gone 1003", brief(l.sync()))
	require.Equal(t, 1, l.report.Vanished)
	d.changes("1003 name=Back")
	d.deleted["1003"] = false
	require.Equal(t, "crm/enable/return 1003", brief(l.sync()))
}

// QUIRKS LDAP-35, HR-27: what a delta tells is checked against a whole reading now and then.
func TestSourceIsReadWholeNowAndThen(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	d := newChangelog(l)
	l.cycle.Source.WholeEvery = 150 * time.Minute // a cycle is an hour
	l.sync()
	d.rows = d.rows[1:] // and the log knows nothing of it
	require.Empty(t, brief(l.sync()))
	require.Empty(t, brief(l.sync()))
	require.Equal(t, "crm/disable/gone 1000", brief(l.sync()))
	require.Equal(t, 2, d.reads)
}

// QUIRKS LDAP-31, LDAP-33: a token that the source does not know any more means
// that all is read.
func TestExpiredTokenMeansAWholeReading(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	d := newChangelog(l)
	l.sync()
	d.changes("2001 name=Jane")
	d.expired = true
	require.Equal(t, "crm/create/join 2001", brief(l.sync()))
	require.Equal(t, 2, d.reads)
	require.Contains(t, l.report.Warnings[0], "ldap.example.org")
}

// A token moves on only together with what was read (QUIRKS Q-15).
func TestBrokenDeltaIsReadAgain(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	d := newChangelog(l)
	l.sync()
	d.changes("2001 name=Jane", "2002 name=Joe")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := l.cycle.Run(ctx, l.now.Add(time.Hour))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "crm/create/join 2001; crm/create/join 2002", brief(l.sync()))
}

// QUIRKS HR-4: a log that says that everybody is gone is not believed either.
func TestTooManyDeletionsAreCheckedAgainstTheWhole(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	d := newChangelog(l)
	l.sync()
	for i := range 12 {
		d.changes(fmt.Sprintf("%d name=x", 1000+i))
		l.sync()
		d.deleted[fmt.Sprint(1000+i)] = true
	}
	d.log = append(d.log, d.log...)
	p := l.sync()
	require.Empty(t, brief(p))
	require.Equal(t, 12, l.report.Missing)
	require.Equal(t, 1, d.reads)
	require.Empty(t, brief(l.sync()), "read whole, everybody is there")
	require.Equal(t, 2, d.reads)
}

func TestBadRecordInADeltaCountsAsPresent(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	d := newChangelog(l)
	l.sync()
	d.changes("1001 name=x bad=no-name", "1002 name=Changed")
	require.Equal(t, "crm/update/change 1002", brief(l.sync()))
	require.Equal(t, identity.Created, l.account("crm", "1001").Ownership)
}

// pushed makes a pass for one record.
func (l *lab) pushed(at time.Time, rows ...string) *plan.Plan {
	l.Helper()
	part := &file{}
	for _, r := range rows {
		part.rows = append(part.rows, person(r))
	}
	l.cycle.Push = &Push{At: at, Read: func(ctx context.Context, yield func(*source.Record) error) error {
		_, err := part.Read(ctx, yield)
		return err
	}}
	defer func() { l.cycle.Push = nil }()
	p := l.run()
	l.apply(p)
	l.drain()
	return p
}

func TestPushedLeaverDoesNotWait(t *testing.T) {
	rows := staff(20, "")
	l := newLab(t, rows...)
	l.sync()
	// Everybody changes, and nobody has applied that yet.
	changed := staff(20, "dept=sales")
	l.people(changed...)
	l.file.dated = start.Add(90 * time.Minute)
	waiting := l.run()
	require.Len(t, waiting.Operations, 20)

	p := l.pushed(l.now, "1005 name=p1005 mail=p1005@x.test dept=sales status=T")
	require.Equal(t, "crm/disable/leave 1005", brief(p), "only the one who was pushed")
	require.True(t, p.Inputs.Partial)

	p = l.sync()
	require.Len(t, p.Operations, 19, "who else changed is still to be done")
	require.NotContains(t, brief(p), "1005")
}

// A file from before the push does not bring the leaver back; one from after it says what holds.
func TestOlderFileDoesNotTakeBackAPush(t *testing.T) {
	l := newLab(t, staff(20, "")...)
	l.sync()
	l.pushed(l.now, "1005 name=p1005 status=T", "3001 name=Starter")
	l.people(append(staff(20, ""), "1007 name=Changed")[1:]...)
	l.people(append(staff(20, "")[:19], "1050 name=New")...)
	l.file.dated = start.Add(time.Minute)
	p := l.sync()
	require.Equal(t, "crm/create/join 1050; crm/disable/gone 1019", sorted(brief(p)), "1005 stays away and 3001 stays")
	require.Contains(t, l.report.Source.Warnings[0], "2 records that were pushed are newer")

	l.people(append(staff(19, ""), "1050 name=New")...)
	l.file.dated = l.now.Add(time.Minute)
	require.Equal(t, "crm/disable/gone 3001; crm/enable/return 1005", sorted(brief(l.sync())))
	require.Empty(t, l.report.Pushed)
}
