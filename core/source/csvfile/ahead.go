package csvfile

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// aheadRows are handed over at once, aheadBatches are under way.
	aheadRows    = 128
	aheadBatches = 4
)

// ahead splits rows on a goroutine of its own, somewhat ahead of who looks at
// them: splitting a file takes as long as checking it.
type ahead struct {
	rows *rows
	text *decoded
	full chan []row // closed after the last row
	free chan []row // to be filled again
	stop chan struct{}
	err  error // why there are no more rows; valid once full is closed

	batch []row
	at    int
}

// splitAhead begins with the row that rows is at. Nobody else may use rows, or
// what it reads from, until next has returned an error or close has returned.
func splitAhead(rows *rows, text *decoded) *ahead {
	a := &ahead{rows: rows, text: text, full: make(chan []row, aheadBatches), free: make(chan []row, aheadBatches), stop: make(chan struct{})}
	for range aheadBatches {
		a.free <- make([]row, 0, aheadRows)
	}
	go a.split()
	return a
}

// next returns the next row as [rows.next] does; it is valid until the call
// after it.
func (a *ahead) next() (*row, error) {
	for a.at == len(a.batch) {
		if a.batch != nil {
			a.free <- a.batch
		}
		batch, more := <-a.full
		if !more {
			a.batch, a.at = nil, 0
			return nil, a.err
		}
		a.batch, a.at = batch, 0
	}
	a.at++
	return &a.batch[a.at-1], nil
}

// close ends the splitting, wherever it is.
func (a *ahead) close() {
	close(a.stop)
	for range a.full { // until it is closed
	}
}

func (a *ahead) split() {
	defer close(a.full)
	for {
		var batch []row
		select {
		case batch = <-a.free:
		case <-a.stop:
			a.err = io.EOF
			return
		}
		batch, a.err = a.fill(batch)
		a.full <- batch // never blocks: there are no more batches than room
		if a.err != nil {
			return
		}
	}
}

// fill puts rows into a batch in place of those that were in it.
func (a *ahead) fill(batch []row) ([]row, error) {
	old := batch[:cap(batch)]
	batch = batch[:0]
	for len(batch) < cap(batch) {
		r, err := a.rows.next()
		if err != nil {
			return batch, err
		}
		kept := *r
		// Only the slice is used again by encoding/csv, never the text.
		kept.fields = append(old[len(batch)].fields[:0], r.fields...)
		kept.lost = a.lost(r)
		batch = append(batch, kept)
	}
	return batch, nil
}

// lost explains the characters of a row that could not be read, by field; nil
// when there are none. It needs the text around the row, which is gone by the
// time the row is looked at.
func (a *ahead) lost(r *row) map[int]error {
	if r.damage != "" {
		return nil
	}
	if raw := a.rows.raw(); utf8.Valid(raw) && !bytes.Contains(raw, lostMark) {
		return nil
	}
	var lost map[int]error
	for i, f := range r.fields {
		if !strings.ContainsRune(f, utf8.RuneError) {
			continue
		}
		if lost == nil {
			lost = map[int]error{}
		}
		lost[i] = a.text.explain(a.rows.lost(i))
	}
	return lost
}

var lostMark = []byte("\uFFFD")
