package csvfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/source"
)

// Action says how a file of changes tells what has happened to a person. Words are
// compared without regard to case and surrounding blanks.
type Action struct {
	Column  string   `yaml:"column"`
	Added   []string `yaml:"added"`
	Changed []string `yaml:"changed"`
	Removed []string `yaml:"removed"`
}

func (a *Action) check() error {
	if a == nil {
		return nil
	}
	if a.Column == "" || len(a.Removed) == 0 || len(a.Added)+len(a.Changed) == 0 {
		return errors.New("action needs the column, the words for removed, and those for added or changed")
	}
	seen := map[string]string{}
	for _, list := range []struct {
		name  string
		words []string
	}{{"added", a.Added}, {"changed", a.Changed}, {"removed", a.Removed}} {
		for _, w := range list.words {
			key, err := fold(w)
			if err != nil || key == "" {
				return fmt.Errorf("action: a word of %s is empty or no text", list.name)
			}
			if other, twice := seen[key]; twice {
				return fmt.Errorf("action: %q stands for both %s and %s", w, other, list.name)
			}
			seen[key] = list.name
		}
	}
	return nil
}

// removed reports whether word says that the person is gone. The error is for one
// that nobody has configured: nothing is guessed.
func (a *Action) removed(word string) (bool, error) {
	same := func(w string) bool { return strings.EqualFold(strings.TrimSpace(w), strings.TrimSpace(word)) }
	switch {
	case slices.ContainsFunc(a.Removed, same):
		return true, nil
	case slices.ContainsFunc(a.Added, same), slices.ContainsFunc(a.Changed, same):
		return false, nil
	}
	return false, fmt.Errorf("%q holds none of the words %s", a.Column, quoted(slices.Concat(a.Added, a.Changed, a.Removed)))
}

// findAction finds the column of the action in the header of a file of changes. A
// whole file may have it too; it says nothing there.
func (p *pass) findAction(header []string) error {
	a := p.r.c.Action
	if a == nil {
		return nil
	}
	at, names, err := readHeader(header, p.r.comma)
	if err != nil {
		return err
	}
	p.action = find([]string{a.Column}, at)
	if p.action < 0 && p.r.delta {
		return fmt.Errorf("the column %q, which says what has happened, is missing; the header found is %s", a.Column, quoted(names))
	}
	if p.action >= 0 {
		ignored := fmt.Sprintf(ignoredColumn, names[p.action])
		p.report.Warnings = slices.DeleteFunc(p.report.Warnings, func(w string) bool { return w == ignored })
	}
	return nil
}

// event notes what the row of a file of changes says has happened. removed: no more
// is to be read of it.
func (p *pass) event(row *row) (removed bool, fault *source.Fault) {
	p.record.Deleted = false
	if !p.r.delta || row.damage != "" || row.unclosed || len(row.fields) != p.header {
		return false, nil // a damaged row is a fault already
	}
	removed, err := p.r.c.Action.removed(row.fields[p.action])
	if err != nil {
		return false, &source.Fault{Field: p.r.c.Action.Column, Reason: err.Error()}
	}
	p.record.Deleted = removed
	return removed, nil
}
