package cycle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// onEach runs a test on a lab of each database.
func onEach(t *testing.T, rows []string, test func(t *testing.T, l *lab)) {
	storetest.Each(t, func(t *testing.T, o *store.Org) { test(t, newLabOn(t, o, rows...)) })
}

// beside has a push come when a whole reading is at its end, each time the source is
// read until there are no more.
func (l *lab) beside(rows ...string) {
	l.file.last = func() {
		if len(rows) == 0 {
			return
		}
		row := rows[0]
		rows = rows[1:]
		cycle, report, now := *l.cycle, l.report, l.now
		l.cycle = &cycle
		l.pushed(l.now, row)
		l.report, l.now = report, now
	}
}

// Whoever is pushed while the whole source is read is as they were pushed, whatever the
// reading says of them.
func TestAPushComesInBetween(t *testing.T) {
	for name, c := range map[string]struct{ before, file, push, want, after string }{
		"a leaver who is unchanged in the file": {"1005 name=p mail=p", "1005 name=p mail=p", "1005 name=p mail=p status=T", "", "crm/enable/return 1005"},
		"a leaver who changed in the file":      {"1005 name=p mail=p", "1005 name=q mail=p", "1005 name=p mail=p status=T", "", "crm/enable/return 1005"},
		"a starter who is not in the file":      {"", "", "3001 name=s", "", "crm/disable/gone 3001"},
		"a starter who is new in the file":      {"", "3001 name=t", "3001 name=s", "", "crm/update/change 3001"},
		"one who is missing from the file":      {"1005 name=p", "", "1005 name=q", "", "crm/disable/gone 1005"},
	} {
		t.Run(name, func(t *testing.T) {
			with := func(row string) []string {
				rows := staff(5, "")
				if row != "" {
					rows = append(rows, row)
				}
				return rows
			}
			onEach(t, with(c.before), func(t *testing.T, l *lab) {
				l.sync()
				l.people(append(with(c.file), "2000 name=New")...)
				l.beside(c.push)
				p := l.sync()
				require.Equal(t, "crm/create/join 2000", brief(p), "what the reading says of others is taken over")
				l.file.dated = l.now.Add(1) // the file is newer than the push now
				require.Equal(t, c.after, brief(l.sync()), "the source has the last word: it is read whole again")
			})
		})
	}
}

// A push that was under way for long ends while a file is read that is newer than it:
// the file has the last word, though it is not touched again.
func TestAnOldPushEndsWhileANewerFileIsRead(t *testing.T) {
	onEach(t, staff(5, ""), func(t *testing.T, l *lab) {
		l.sync()
		l.people(append(staff(5, ""), "2000 name=New")...)
		l.file.dated = l.now.Add(2 * time.Hour)
		l.beside("1002 name=p1002 mail=p1002@x.test status=T")
		require.Equal(t, "crm/create/join 2000", brief(l.sync()))
		require.Equal(t, "crm/enable/return 1002", brief(l.sync()))
		require.Empty(t, brief(l.sync()))
		require.True(t, l.report.Unchanged)
	})
}

// A push that ends beside another one begins again.
func TestPushesBesideEachOther(t *testing.T) {
	onEach(t, staff(5, ""), func(t *testing.T, l *lab) {
		l.sync()
		other := "1002 name=p1002 mail=p1002@x.test status=T"
		l.cycle.Push = &Push{At: l.now, Read: func(ctx context.Context, yield func(*source.Record) error) error {
			if other != "" {
				row := other
				other = ""
				cycle := *l.cycle
				(&lab{TB: l.TB, file: l.file, store: l.store, cycle: &cycle, now: l.now, ledger: l.ledger}).pushed(l.now, row)
			}
			part := &file{rows: []row{person("1003 name=p1003 mail=p1003@x.test status=T")}}
			_, err := part.Read(ctx, yield)
			return err
		}}
		p := l.run()
		l.cycle.Push = nil
		require.Equal(t, "crm/disable/leave 1003", brief(p))
		require.Len(t, l.report.Pushed, 2, "both are known to be newer than the source")
	})
}

// A reading that another one always comes before is given up in the end.
func TestAReadingThatIsAlwaysOvertaken(t *testing.T) {
	l := newLab(t, staff(5, "")...)
	l.sync()
	l.cycle.Push = &Push{At: l.now, Read: func(ctx context.Context, yield func(*source.Record) error) error {
		r, err := l.store.BeginReading(ctx, "hr")
		if err != nil {
			return err
		}
		_, err = r.Commit(ctx, store.ReadingEnd{Now: l.now})
		return err
	}}
	_, err := l.try()
	require.True(t, errors.Is(err, store.ErrMoved), "%v", err)
}
