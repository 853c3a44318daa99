package csvfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/provhub/provhub/core/source"
)

// File is a file that somebody else has fetched and checked: Config.Path,
// Config.Manifest and Config.MaxAge are not looked at.
type File struct {
	Name    string // for positions: "hr.csv" in "hr.csv:17"
	Content io.Reader
	Dated   time.Time
	// Rows is the row count that a manifest gives; nil: none does.
	Rows *int
}

// ReadFile reads a whole file that holds everybody.
func (r *Reader) ReadFile(ctx context.Context, f File, yield func(*source.Record) error) (source.Report, error) {
	return r.readFile(ctx, f, false, yield)
}

// ReadDelta reads a file that holds changes, in the order in which they happened.
// Config.Action says what each row means; a removed person's row needs no more than
// the anchor. The file is refused when it cannot be told of every row whose it is:
// a change that is passed over is lost, as no other file tells it again. Its Report
// is a delta.
func (r *Reader) ReadDelta(ctx context.Context, f File, yield func(*source.Record) error) (source.Report, error) {
	if r.c.Action == nil {
		return source.Report{}, errors.New("no action is configured: which column of the file says what has happened is not known")
	}
	report, err := r.readFile(ctx, f, true, yield)
	report.Delta = true
	if err == nil && !report.Complete {
		err = fmt.Errorf("%s is refused, as changes in it would be lost: %s", f.Name, strings.Join(report.Incomplete, "; "))
	}
	return report, err
}

func (r *Reader) readFile(ctx context.Context, f File, delta bool, yield func(*source.Record) error) (source.Report, error) {
	one := *r
	one.name, one.delta = f.Name, delta
	report, err := one.read(ctx, f.Content, yield)
	report.Dated = f.Dated
	if err != nil || f.Rows == nil || *f.Rows == report.Rows {
		return report, err
	}
	return report, fmt.Errorf("%s holds %d rows, and its manifest says %d: it was cut or changed on the way", f.Name, report.Rows, *f.Rows)
}
