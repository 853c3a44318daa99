// Package grouped gives a source of people in files the groups that they are in:
//
//	hr.csv        1001  name, status ─┐
//	groups.csv    g7    name          ├─► person 1001, group g7 with the member 1001
//	members.csv   g7    1001         ─┘
//
// or, where a column of the people lists them, groups of which nothing but the name is
// known. A membership that cannot be read well takes nobody out of a group: groups
// whose members are not known whole stay as they are.
package grouped

import (
	"errors"
	"fmt"

	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/csvfile"
)

// Config says where groups and memberships are. Exactly one of Members and Column is set.
type Config struct {
	// Groups has a row for each group; nil: a group is whatever somebody is in, and its
	// name is its anchor.
	Groups *csvfile.Config
	// Members has a row for each membership. Its anchor is the group's, and its other
	// column that of the person.
	Members *csvfile.Config
	// Column is the attribute of people that lists the anchors of their groups.
	Column string
}

// nameField is what groups have of which nothing else is known.
const nameField = "name"

// GroupFields returns the attributes that groups have, sorted by name.
func (c Config) GroupFields() []source.Field {
	if c.Groups != nil {
		if r, err := csvfile.New(*c.Groups); err == nil {
			return r.Fields()
		}
	}
	return []source.Field{{Name: nameField, Type: source.Text}}
}

// Check finds what is wrong with c. The error lists every fault, a line each.
func (c Config) Check() error {
	var errs []error
	if (c.Members == nil) == (c.Column == "") {
		errs = append(errs, errors.New("give exactly one of members, a file with a row for each membership, and column, a list that people have"))
	}
	for _, f := range []struct {
		what string
		c    *csvfile.Config
	}{{"groups", c.Groups}, {"members", c.Members}} {
		if f.c == nil {
			continue
		}
		if _, err := csvfile.New(*f.c); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.what, err))
		}
	}
	return errors.Join(errs...)
}
