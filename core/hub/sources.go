package hub

import (
	"context"
	"fmt"
	"slices"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/secret"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/csvfile"
	"github.com/provhub/provhub/core/source/grouped"
	"github.com/provhub/provhub/core/source/joined"
	"github.com/provhub/provhub/core/source/ldapdir"
	"github.com/provhub/provhub/core/source/pickup"
	"github.com/provhub/provhub/core/source/scimapi"
)

// openSource makes the reader of a source by itself. It does no I/O but for its
// secrets. Close it with closeReader.
func openSource(cfg *config.Config, s *config.Source) (r source.Reader, err error) {
	switch {
	case s.CSV != nil:
		r, err = openCSV(cfg, s)
	case s.LDAP != nil:
		r, err = openLDAP(cfg, s)
	case s.SCIM != nil:
		r, err = openSCIM(cfg, s)
	default:
		err = fmt.Errorf("type %q cannot be read", s.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	return r, nil
}

// openCSV makes the reader of one file, or of those that are dropped into a folder, with
// the groups of their people.
func openCSV(cfg *config.Config, s *config.Source) (source.Reader, error) {
	people, err := openPeople(cfg, s)
	if err != nil || s.Groups == nil {
		return people, err
	}
	return grouped.New(people, *s.Groups)
}

func openPeople(cfg *config.Config, s *config.Source) (source.Reader, error) {
	if s.Pickup == nil {
		return csvfile.New(*s.CSV)
	}
	secrets, err := secret.ForSource(cfg, s)
	if err != nil {
		return nil, err
	}
	return pickup.New(*s.Pickup, secrets)
}

func openLDAP(cfg *config.Config, s *config.Source) (source.Reader, error) {
	secrets, err := secret.ForSource(cfg, s)
	if err != nil {
		return nil, err
	}
	c := *s.LDAP
	c.Client.Password, c.Client.ClientKey = secrets["password"], secrets["client_key"]
	return ldapdir.New(c)
}

func openSCIM(cfg *config.Config, s *config.Source) (source.Reader, error) {
	secrets, err := secret.ForSource(cfg, s)
	if err != nil {
		return nil, err
	}
	return scimapi.New(*s.SCIM, secrets)
}

// closeReader ends the connections of a reader that has any.
func closeReader(r source.Reader) {
	if c, ok := r.(interface{ Close() }); ok {
		c.Close()
	}
}

// fields are the attributes that rules see.
type fields struct{ people, groups []source.Field }

// of returns those of a kind.
func (f fields) of(kind identity.Kind) []source.Field {
	if kind == identity.Group {
		return f.groups
	}
	return f.people
}

// fieldsOf returns the attributes that people and groups of a source have, those of
// joined sources and the groups of people included.
func fieldsOf(cfg *config.Config, s *config.Source) (f fields, err error) {
	if f.people, err = ownFields(s); err != nil {
		return f, err
	}
	if len(s.With) > 0 {
		parts, err := partsOf(cfg, s)
		if err != nil {
			return f, err
		}
		f.people = joined.Fields(f.people, parts)
	}
	if f.groups = groupFields(s); f.groups != nil {
		f.people = joined.Fields(f.people, []joined.Part{{Take: []source.Field{{Name: cycle.GroupsField, Type: source.List}}}})
	}
	return f, nil
}

// groupFields returns the attributes of a source's groups; nil when it has none.
func groupFields(s *config.Source) []source.Field {
	switch {
	case s.LDAP != nil:
		return s.LDAP.GroupFields()
	case s.SCIM != nil:
		return s.SCIM.GroupFields()
	case s.Groups != nil:
		return s.Groups.GroupFields()
	}
	return nil
}

func ownFields(s *config.Source) ([]source.Field, error) {
	switch {
	case s.LDAP != nil:
		return s.LDAP.Fields(), nil
	case s.SCIM != nil:
		return s.SCIM.Fields(), nil
	case s.CSV == nil:
		return nil, fmt.Errorf("source %s: type %q cannot be read", s.Name, s.Type)
	}
	r, err := csvfile.New(*s.CSV)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.Name, err)
	}
	return r.Fields(), nil
}

// partsOf returns what a source takes from others, without what is known of them.
func partsOf(cfg *config.Config, s *config.Source) ([]joined.Part, error) {
	parts := make([]joined.Part, len(s.With))
	for i, w := range s.With {
		fields, err := ownFields(cfg.Source(w.Source))
		if err != nil {
			return nil, err
		}
		parts[i] = joined.Part{Source: w.Source}
		for _, k := range w.Keys {
			parts[i].Keys = append(parts[i].Keys, joined.Key(k))
		}
		for _, f := range fields {
			if slices.Contains(w.Take, f.Name) {
				parts[i].Take = append(parts[i].Take, f)
			}
		}
	}
	return parts, nil
}

// rememberer is a reader that compares what it finds with the reading before.
type rememberer interface {
	Remember(last func(context.Context) (token []byte, err error))
}

// reader makes the reader of a source, joined with the sources that own some of
// its attributes. Close it with closeReader.
func (h *Hub) reader(s *config.Source) (source.Reader, error) {
	first, err := openSource(h.cfg, s)
	if err != nil {
		return nil, err
	}
	if r, ok := first.(rememberer); ok {
		r.Remember(func(ctx context.Context) ([]byte, error) { return h.token(ctx, s) })
	}
	if g, ok := first.(*grouped.Reader); ok {
		g.Known = func(ctx context.Context, people []string) (map[string][]string, error) {
			return h.org.GroupsOf(ctx, s.Name, people, false)
		}
	}
	if len(s.With) == 0 {
		return first, nil
	}
	parts, err := partsOf(h.cfg, s)
	if err != nil {
		return nil, err
	}
	for i := range parts {
		h.recall(&parts[i])
	}
	return joined.New(first, parts), nil
}

// recall has a joined part know what is stored of its source.
func (h *Hub) recall(p *joined.Part) {
	name := p.Source
	p.State = func(ctx context.Context) (string, error) {
		g, err := h.org.SourceGeneration(ctx, name)
		if g == 0 || err != nil {
			return "", err
		}
		return fmt.Sprint(g), nil
	}
	p.All = func(ctx context.Context, yield func(identity.Identity) error) error {
		return h.org.All(ctx, name, func(id identity.Identity) error {
			if id.Kind != identity.Person || !id.AbsentSince.IsZero() {
				return nil
			}
			return yield(id)
		})
	}
}
