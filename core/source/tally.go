package source

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/provhub/provhub/core/identity"
)

const (
	// faultsKept is how many bad records a report lists; all are counted.
	faultsKept = 100
	// reasonsKept bounds the reasons why a reading is incomplete.
	reasonsKept = 10
)

// Tally makes the report of a source whose records come in any order. The zero
// Tally is ready; its report is complete until something says otherwise.
type Tally struct {
	report     Report
	incomplete bool
	// sum names the content whatever the order of the records.
	sum [sha256.Size]byte
}

// Take counts a record, and tells whether it is to be handed on: one of which
// nobody can tell whose it is makes the reading incomplete.
func (t *Tally) Take(rec *Record) (handOn bool) {
	t.report.Rows++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q %x", rec.Kind, rec.Anchor, rec.Hash))
	for i := range t.sum {
		t.sum[i] ^= sum[i]
	}
	if rec.Fault == nil {
		return true
	}
	if t.report.FaultCount++; len(t.report.Faults) < faultsKept {
		t.report.Faults = append(t.report.Faults, *rec.Fault)
	}
	if rec.Anchor == "" {
		t.Incomplete(rec.Fault.String())
	}
	return rec.Anchor != ""
}

// Incomplete says why whoever was not read may be there all the same.
func (t *Tally) Incomplete(reason string) {
	t.incomplete = true
	if len(t.report.Incomplete) < reasonsKept {
		t.report.Incomplete = append(t.report.Incomplete, reason)
	}
}

// Warn adds a warning.
func (t *Tally) Warn(format string, args ...any) {
	t.report.Warnings = append(t.report.Warnings, fmt.Sprintf(format, args...))
}

// Report returns what was counted.
func (t *Tally) Report() Report {
	r := t.report
	r.Complete = !t.incomplete
	r.Snapshot = hex.EncodeToString(t.sum[:])
	return r
}

// HashOf returns the hash of a record: of its attributes, by the given names and in
// their order, and of further texts. "", the empty list and no value are three
// different things.
func HashOf(a identity.Attributes, names []string, more ...string) (out identity.Hash) {
	b := make([]byte, 0, 256)
	put := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	for _, name := range names {
		put(name)
		switch v := a[name].(type) {
		case nil:
			b = append(b, 0)
		case []string:
			b = binary.AppendUvarint(append(b, 2), uint64(len(v)))
			for _, s := range v {
				put(s)
			}
		default:
			b = append(b, 1)
			put(fmt.Sprint(v))
		}
	}
	for _, m := range more {
		put(m)
	}
	sum := sha256.Sum256(b)
	copy(out[:], sum[:])
	return out
}
