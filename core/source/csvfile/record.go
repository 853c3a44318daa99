package csvfile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/provhub/provhub/core/source"
)

// maxAnchor is the longest anchor in characters; more is a sign of a row that
// was split at the wrong place.
const maxAnchor = 256

// take hands one row on: as a record, or as a fault of the identity it is
// about, or, where that identity cannot be told, as a reason not to take anybody
// as gone.
func (p *pass) take(row *row) error {
	p.record.Hash = [16]byte{}
	anchor, cannot := p.anchorOf(row)
	removed, fault := p.event(row)
	if fault == nil && !removed {
		fault = p.faultOf(row)
	}
	if cannot != nil {
		if fault == nil {
			fault = &source.Fault{Field: p.columns[p.r.anchor].header, Reason: cannot.Error()}
		}
		p.notComplete(fmt.Sprintf("%s: %v, so it is not known whose row this is", p.position(row.line), cannot))
		p.fault(fault, "", row)
		return nil
	}
	p.record.Anchor = anchor
	if fault != nil {
		p.fault(fault, anchor, row)
		p.record.Fault = fault
		p.record.Attributes = nil
		return p.yield(&p.record)
	}
	if removed {
		p.record.Attributes = nil
		return p.yield(&p.record)
	}
	sum := sha256.Sum256(p.cells)
	copy(p.record.Hash[:], sum[:])
	return p.yield(&p.record)
}

func (p *pass) fault(f *source.Fault, anchor string, row *row) {
	f.Position, f.Anchor = p.position(row.line), anchor
	p.report.FaultCount++
	if len(p.report.Faults) < faultsKept {
		p.report.Faults = append(p.report.Faults, *f)
	}
}

func (p *pass) notComplete(reason string) {
	if p.incomplete++; p.incomplete <= reasonsKept {
		p.report.Incomplete = append(p.report.Incomplete, reason)
	}
}

// shortened is what Excel makes of a long number: 1.23457E+11.
var shortened = regexp.MustCompile(`^[0-9][.,][0-9]+[eE]\+[0-9]+$`)

// anchorOf returns the anchor, or why it cannot be trusted. The anchor of a row
// with a wrong number of fields can be only when nothing stands before it.
func (p *pass) anchorOf(row *row) (string, error) {
	c := &p.columns[p.r.anchor]
	if len(row.fields) <= c.index || row.damage == "" && len(row.fields) != p.header && c.index > 0 {
		return "", fmt.Errorf("%q cannot be read", c.header)
	}
	anchor, err := tidy(row.fields[c.index])
	switch {
	case err != nil:
		return "", fmt.Errorf("%q %w", c.header, err)
	case anchor == "":
		return "", fmt.Errorf("%q is empty", c.header)
	case utf8.RuneCountInString(anchor) > maxAnchor:
		return "", fmt.Errorf("%q is longer than %d characters", c.header, maxAnchor)
	case strings.IndexByte(anchor, '+') > 0 && shortened.MatchString(anchor):
		return "", fmt.Errorf("%q holds a number that a spreadsheet has shortened; export it as text", c.header)
	}
	return anchor, nil
}

// faultOf checks row and leaves its canonical form in p.cells; nil is a good row.
func (p *pass) faultOf(row *row) *source.Fault {
	if row.unclosed {
		p.notComplete(fmt.Sprintf("%s: the file ends inside quoted text: it was probably cut", p.position(row.line)))
	}
	if row.damage != "" {
		p.damaged++
		return &source.Fault{Reason: "the row " + row.damage}
	}
	if len(row.fields) != p.header {
		if row.openEnd {
			p.notComplete(fmt.Sprintf("%s: the file ends in the middle of a row: it was probably cut", p.position(row.line)))
		}
		return &source.Fault{Reason: fmt.Sprintf("the row has %d fields, and the header %d; a value that holds the delimiter must be quoted", len(row.fields), p.header)}
	}
	p.cells = p.cells[:sha256.Size]
	for i := range p.columns {
		c := &p.columns[i]
		if c.index < 0 {
			p.cells = append(p.cells, cellNone)
			continue
		}
		var err error
		if p.cells, err = c.appendCell(p.cells, row.fields[c.index], p.r.sentinels, p.r.zone); err != nil {
			if errors.Is(err, errLost) {
				err = row.lost[c.index]
			}
			return &source.Fault{Field: c.header, Reason: fmt.Sprintf("%q %v", c.header, err)}
		}
	}
	return nil
}
