package config

import (
	"slices"

	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/csvfile"
	"github.com/provhub/provhub/core/source/grouped"
)

// rawGrouped says where the groups of people in files are.
type rawGrouped struct {
	Path    string      `yaml:"path"`
	Anchor  text        `yaml:"anchor"`
	Columns []rawColumn `yaml:"columns"`
	Members *struct {
		Path   string `yaml:"path"`
		Group  string `yaml:"group"`
		Person string `yaml:"person"`
	} `yaml:"members"`
	Column text `yaml:"column"`
}

// grouped reads where the groups of a csv source are. How its files are written goes for
// those of groups, too.
func (b *builder) grouped(src *Source, r *rawSource, path string) {
	g := r.Groups
	if g == nil {
		return
	}
	path += ".groups"
	like := func(file string) csvfile.Config {
		c := *src.CSV
		c.Path, c.Manifest, c.Trailer, c.Action, c.MaxAge = b.path(file), "", nil, nil, 0
		return c
	}
	out := &grouped.Config{Column: g.Column.value}
	if g.Path != "" {
		c := like(g.Path)
		c.Anchor = g.Anchor.value
		c.Columns = csvColumns(g.Columns, g.Anchor.value)
		out.Groups = &c
	} else if len(g.Columns) > 0 || g.Anchor.value != "" {
		b.add(g.Anchor.line, path+".path", "is missing: anchor and columns are those of a file with a row for each group")
	}
	if m := g.Members; m != nil {
		c := like(m.Path)
		c.Anchor = "group"
		c.Columns = []csvfile.Column{{Name: "group", From: []string{m.Group}, Required: true}, {Name: "person", From: []string{m.Person}, Required: true}}
		out.Members = &c
	}
	if b.known(g.Column, path+".column", "column", columnNames(r)); g.Column.value != "" {
		lists := func(c rawColumn) bool { return c.Name.value == g.Column.value && c.Type == string(source.List) }
		if !slices.ContainsFunc(r.Columns, lists) {
			b.add(g.Column.line, path+".column", "%q is to be of type list: the groups that somebody is in", g.Column.value)
		}
	}
	if r.Pickup != nil && r.Pickup.Delta != nil {
		b.add(r.Name.line, path, "groups do not go with files of changes: those say nothing of memberships")
	}
	b.each(r.Name.line, path, out.Check())
	src.Groups = out
}
