package sql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/wording"
)

// validate finds, offline, what the JSON Schema cannot say.
func validate(c Config) []connector.Finding {
	v := &findings{}
	v.users(&c)
	types := []string{c.Users.typeName()}
	for i := range c.Groups {
		g := &c.Groups[i]
		path := fmt.Sprintf("/groups/%d", i)
		if slices.Contains(types, g.typeName()) {
			v.add(path+"/type", fmt.Sprintf("two object types are called %q", g.typeName()), "give each a name of its own with type")
		}
		types = append(types, g.typeName())
		v.need(path+"/key", g.Key)
		if !c.custom() {
			v.need(path+"/table", g.Table.Table)
			v.need(path+"/join/table", g.Join.Table)
			v.need(path+"/join/user_column", g.Join.UserColumn)
			v.need(path+"/join/group_column", g.Join.GroupColumn)
		}
	}
	v.statements(&c)
	if c.PoolSize < 0 || c.PoolSize > 64 {
		v.add("/pool_size", "must be from 1 to 64", "a database has few connections to give; 4 is enough for most")
	}
	if c.StatementTimeout < 0 {
		v.add("/statement_timeout", "must not be negative", "write it as 30s")
	}
	return v.list
}

type findings struct{ list []connector.Finding }

func (v *findings) add(path, summary, detail string) {
	v.list = append(v.list, connector.Finding{Path: path, Summary: summary, Detail: detail})
}

func (v *findings) need(path, value string) {
	if value == "" {
		v.add(path, "is missing", "name it as the database does")
	}
}

func (v *findings) users(c *Config) {
	u := &c.Users
	v.need("/users/key", u.Key)
	if !c.custom() {
		v.need("/users/table", u.Table.Table)
	}
	for i, col := range u.Columns {
		if col.RefersTo != "" && col.Type != string(connector.TypeReference) {
			v.add(fmt.Sprintf("/users/columns/%d/refers_to", i), "needs type reference", "set type to reference, or take refers_to out")
		}
		if c.custom() && col.Type == string(connector.TypeReference) {
			v.add(fmt.Sprintf("/users/columns/%d/type", i), "mode statements has no references", "let the statement look the other account up")
		}
	}
	if c.custom() && u.SoftDelete != nil {
		v.add("/users/soft_delete", "has no meaning in mode statements", "let statements.delete mark the row, and get, find and list leave marked rows out")
	}
	if c.custom() && c.History != nil {
		v.add("/history", "has no meaning in mode statements", "add the INSERT to the statements of each verb")
	}
	if c.custom() && c.Verify {
		v.add("/verify", "has no meaning in mode statements", "let a procedure report what it refuses, with result")
	}
}

// statements checks that each statement binds only names that have a value.
func (v *findings) statements(c *Config) {
	s := c.Statements
	switch {
	case c.custom() && s == nil:
		v.add("/statements", "is missing", "mode statements needs the SQL of each verb, get and find")
		return
	case s == nil:
		return
	case !c.custom():
		for _, verb := range allVerbs {
			if verb != connector.VerbSetCredential && verb != connector.VerbRename && len(s.of(verb)) > 0 {
				v.add("/statements/"+string(verb), "has no meaning in mode table", `set mode to "statements", or take it out`)
			}
		}
	}
	known := []string{"id", "key", "enabled", "operation", "verb", c.Users.Key}
	for _, col := range c.Users.Columns {
		known = append(known, col.Name)
	}
	for _, verb := range allVerbs {
		names := known
		switch verb {
		case connector.VerbGrant, connector.VerbRevoke:
			names = append(slices.Clone(known), "group")
		case connector.VerbSetCredential:
			names = append(slices.Clone(known), "credential")
		case connector.VerbRename:
			continue // the statements of update
		}
		for i, st := range s.of(verb) {
			v.names(fmt.Sprintf("/statements/%s/%d/sql", verb, i), st.SQL, names)
		}
	}
	if c.custom() {
		v.reads(c)
	}
}

func (v *findings) reads(c *Config) {
	s := c.Statements
	v.need("/statements/get", s.Get)
	v.need("/statements/find", s.Find)
	v.names("/statements/get", s.Get, []string{"id"})
	v.names("/statements/find", s.Find, []string{"key"})
	v.names("/statements/list", s.List, []string{"after", "limit"})
	v.names("/statements/grants", s.Grants, []string{"id", "key"})
	if s.Grants != "" && len(c.Groups) > 1 {
		v.add("/statements/grants", "cannot tell which type of group a row is, because there are several", "keep one type in groups, or take grants out")
	}
	for i, f := range s.FindBy {
		v.names(fmt.Sprintf("/statements/find_by/%d/sql", i), f.SQL, []string{"value"})
	}
	if u := &c.Users; u.Anchor != "" && u.Anchor != u.Key && !slices.ContainsFunc(s.FindBy, func(f FindBy) bool { return f.Attribute == u.Anchor }) {
		v.add("/statements/find_by", "has no statement for the anchor "+u.Anchor, "add one, so that an account is found again by its anchor")
	}
}

func (v *findings) names(path, sql string, known []string) {
	for _, name := range parseNamed(sql).names {
		if !slices.Contains(known, name) {
			v.add(path, fmt.Sprintf("there is no value for :%s%s", name, wording.DidYouMean(name, known)), "known here: :"+strings.Join(known, ", :"))
		}
	}
}
