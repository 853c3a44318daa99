package sftp

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
)

// Schema implements [connector.Target]. It follows from the config alone.
func (t *Target) Schema(context.Context) (connector.Schema, error) { return t.cfg.schema(), nil }

// Verbs implements [connector.Batcher].
func (t *Target) Verbs() []connector.Verb { return t.cfg.verbs() }

func (c *Config) verbs() []connector.Verb {
	vs := []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbEnable, connector.VerbDisable, connector.VerbDelete, connector.VerbPoll}
	if c.Groups != nil {
		vs = append(vs, connector.VerbGrant, connector.VerbRevoke)
	}
	return vs
}

func (c *Config) schema() connector.Schema {
	out := connector.Schema{c.accountType()}
	if g := c.Groups; g != nil {
		out = append(out, connector.ObjectType{
			Name: g.name(), Kind: connector.KindEntitlement, NativeName: "name in the file",
			// Nothing is done to a group: it is a word in the file.
			Verbs: []connector.Verb{connector.VerbPoll},
		})
	}
	return out
}

func (g *Groups) name() string {
	if g.Type == "" {
		return "group"
	}
	return g.Type
}

func (c *Config) typeName() string {
	if c.Type == "" {
		return "user"
	}
	return c.Type
}

func (c *Config) accountType() connector.ObjectType {
	t := connector.ObjectType{Name: c.typeName(), Kind: connector.KindAccount, NativeName: c.File.Name,
		Verbs: c.verbs(), Correlation: []string{c.Key}, DisableMeans: c.disableMeans()}
	if c.Groups != nil {
		t.Grants = []string{c.Groups.name()}
	}
	for i := range c.Columns {
		if col := &c.Columns[i]; col.IsAttribute() {
			t.Attributes = append(t.Attributes, c.attr(col))
		}
	}
	return t
}

func (c *Config) attr(col *feed.Column) connector.Attr {
	isKey := col.Name == c.Key
	a := connector.Attr{
		Name: col.Name, Type: connector.ValueType(col.Type), Multi: col.Multi, Ordered: col.Multi, MaxLength: col.MaxLength, Canonical: col.Only,
		Required: col.Required || isKey, Unique: isKey, CreateOnly: isKey,
		CaseExact:   true, // a file carries bytes: another case is another value
		Description: "column " + col.Title(),
	}
	if a.Type == connector.TypeReference {
		a.RefersTo = c.typeName()
	}
	return a
}

func (c *Config) disableMeans() string {
	state := c.layout().Of(feed.KindState)
	switch {
	case c.OnDisable == "remove":
		return "takes the row out of the file"
	case state != nil:
		return "writes " + state.Disabled + " into the column " + state.Title()
	}
	return "tells the receiver by the action of the row"
}
