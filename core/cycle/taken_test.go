package cycle

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dropped is a source that puts away what was taken over.
type dropped struct {
	*file
	put   int
	fails error
}

func (d *dropped) Committed(context.Context) error { d.put++; return d.fails }
func (d *dropped) Notes() ([]string, []byte) {
	return []string{"nothing new has come"}, []byte("token")
}

// A source hears of what was taken over without reserve, and of nothing else.
func TestTheSourceIsToldWhatWasTaken(t *testing.T) {
	l := newLab(t, staff(10, "")...)
	d := &dropped{file: l.file}
	l.cycle.Reader = d
	l.run()
	require.Equal(t, 1, d.put)
	l.run()
	require.True(t, l.report.Unchanged)
	require.Equal(t, 2, d.put)
	require.Contains(t, l.report.Warnings, "nothing new has come")
	require.Equal(t, []byte("token"), l.report.Source.Token)

	l.people(staff(2, "")...)
	require.NotEmpty(t, l.run().Verdicts)
	require.Equal(t, 2, d.put, "a person is asked first")
	l.people(staff(10, "")...)
	l.file.incomplete = "hr.csv:9: the row is cut off"
	l.run()
	require.Equal(t, 2, d.put, "it is incomplete")
	l.file.incomplete, l.file.breakAt = "", 3
	_, err := l.try()
	require.Error(t, err)
	require.Equal(t, 2, d.put, "it broke off")

	l.file.breakAt, l.file.dated = 0, start.Add(time.Hour)
	l.people(staff(10, "dept=sales")...)
	l.beside("1003 name=p1003 mail=p1003@x.test status=T")
	l.run()
	require.Equal(t, 2, d.put, "somebody was pushed meanwhile, of whom it has another word")
	d.fails = errors.New("hr.csv stays where it is")
	l.run()
	require.Equal(t, 3, d.put)
	require.Contains(t, l.report.Warnings, "hr.csv stays where it is", "it is worth a warning, no more")
}
