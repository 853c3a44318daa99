package config

import (
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // zones must not depend on what the machine has installed

	"github.com/provhub/provhub/core/lifecycle"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source/csvfile"
)

// defaultVanish bounds how many people one reading may miss when the file does not say.
var defaultVanish = plan.Limit{Percent: 5}

func (b *builder) sources(cfg *Config, raw *rawConfig) {
	names := b.unique("sources")
	var secrets []string
	for _, s := range cfg.Secrets {
		secrets = append(secrets, s.Name)
	}
	for i := range raw.Sources {
		r, path := &raw.Sources[i], fmt.Sprintf("sources[%d]", i)
		names(r.Name, path)
		cols := b.columns(r, path)
		for _, w := range r.With {
			for _, t := range w.Take {
				cols = append(cols, t.value)
			}
		}
		zone := b.zone(r.Zone, path+".zone")
		b.known(r.Anchor, path+".anchor", "column", columnNames(r))
		b.known(r.Reference, path+".reference", "column", cols)
		src := Source{
			Name: r.Name.value, Type: r.Type, Line: r.Name.line, Reference: r.Reference.value,
			Lifecycle: b.lifecycle(&r.Lifecycle, zone, cols, path+".lifecycle"),
			Vanish:    r.Vanish.limit(), Quality: b.quality(&r.Quality, cols, path+".quality"), Secrets: map[string]string{}, WholeEvery: b.duration(r.WholeEvery, path+".whole_every"),
			Poll:     b.duration(r.Poll, path+".poll"),
			Schedule: b.schedule(r.Schedule, defaultCron, path+".schedule"),
		}
		for name, secret := range r.Secrets {
			b.known(secret, path+".secrets."+name, "secret", secrets)
			src.Secrets[name] = secret.value
		}
		switch r.Type {
		case "csv":
			src.CSV = b.csv(r, zone, path)
			b.pickup(&src, r, path)
			b.grouped(&src, r, path)
		case "ldap":
			src.LDAP = b.ldap(r, zone, path)
			src.NestedGroups = r.LDAP != nil && r.LDAP.Groups != nil && r.LDAP.Groups.Nested
		case "scim":
			src.SCIM = b.scim(r, zone, path)
			src.NestedGroups = r.SCIM != nil && r.SCIM.Groups != nil && r.SCIM.Groups.Nested
		}
		if src.Vanish == (plan.Limit{}) {
			src.Vanish = defaultVanish
		}
		cfg.Sources = append(cfg.Sources, src)
	}
	for i := range raw.Sources {
		b.with(cfg, raw, i)
	}
	partsFirst(cfg.Sources)
}

// with reads what source i takes from others.
func (b *builder) with(cfg *Config, raw *rawConfig, i int) {
	r, src := &raw.Sources[i], &cfg.Sources[i]
	own := columnNames(r)
	var others []string
	for _, s := range raw.Sources {
		if len(s.With) == 0 && s.Name.value != r.Name.value {
			others = append(others, s.Name.value)
		}
	}
	for j, w := range r.With {
		path := fmt.Sprintf("sources[%d].with[%d]", i, j)
		b.known(w.Source, path+".source", "source without parts of its own", others)
		out := With{Source: w.Source.value}
		other := raw.source(w.Source.value)
		if other == nil {
			continue // said above
		}
		theirs := columnNames(other)
		for k, m := range w.Match {
			b.known(m.Ours, fmt.Sprintf("%s.match[%d].ours", path, k), "column of "+src.Name, own)
			b.known(m.Theirs, fmt.Sprintf("%s.match[%d].theirs", path, k), "column of "+w.Source.value, theirs)
			out.Keys = append(out.Keys, struct{ Ours, Theirs string }{m.Ours.value, m.Theirs.value})
		}
		for k, t := range w.Take {
			b.known(t, fmt.Sprintf("%s.take[%d]", path, k), "column of "+w.Source.value, theirs)
			if t.value == r.Anchor.value {
				b.add(t.line, fmt.Sprintf("%s.take[%d]", path, k), "%q is the anchor: source %s says who somebody is", t.value, src.Name)
			}
			if slices.Contains(other.references(), t.value) {
				b.add(t.line, fmt.Sprintf("%s.take[%d]", path, k), "%q names people as source %s does, and source %s calls them otherwise: take an attribute of another type", t.value, w.Source.value, src.Name)
			}
			out.Take = append(out.Take, t.value)
		}
		src.With = append(src.With, out)
	}
}

// partsFirst sorts sources so that one that takes from others is read after them.
func partsFirst(all []Source) {
	slices.SortStableFunc(all, func(a, b Source) int { return min(len(a.With), 1) - min(len(b.With), 1) })
}

// columnNames are the names of the attributes that a source has by itself.
func columnNames(r *rawSource) []string {
	var names []string
	for _, c := range r.Columns {
		names = append(names, c.Name.value)
	}
	if r.LDAP != nil {
		names = append(names, r.LDAP.People.names()...)
	}
	if r.SCIM != nil {
		names = append(names, r.SCIM.Users.names()...)
	}
	return names
}

func (b *builder) columns(r *rawSource, path string) []string {
	seen := map[string]int{}
	for i, c := range r.Columns {
		if first, ok := seen[c.Name.value]; ok {
			b.add(c.Name.line, fmt.Sprintf("%s.columns[%d].name", path, i), "%q is a column already, in line %d", c.Name.value, first)
		}
		seen[c.Name.value] = c.Name.line
	}
	return columnNames(r)
}

func (b *builder) csv(r *rawSource, zone *time.Location, path string) *csvfile.Config {
	c := &csvfile.Config{
		Path: b.path(r.Path), Encoding: r.Encoding, Delimiter: r.Delimiter, Comment: r.Comment, Anchor: r.Anchor.value,
		Zone: zone, Sentinels: r.Sentinels, Manifest: b.path(r.Manifest), MaxBad: r.MaxBad,
		MaxAge: b.duration(r.MaxAge, path+".max_age"),
	}
	if r.Trailer != nil {
		c.Trailer = &csvfile.Trailer{Prefix: r.Trailer.Prefix, Field: r.Trailer.Field}
	}
	c.Columns = csvColumns(r.Columns, r.Anchor.value)
	return c
}

// csvColumns are columns of a file in which each row has an anchor.
func csvColumns(raw []rawColumn, anchor string) (out []csvfile.Column) {
	for _, col := range raw {
		out = append(out, csvfile.Column{
			Name: col.Name.value, From: col.From, Type: col.Type, Format: col.Format, Separator: col.Separator,
			Required: col.Required || col.Name.value == anchor, Optional: col.Optional,
		})
	}
	return out
}

func (b *builder) lifecycle(r *rawLifecycle, zone *time.Location, cols []string, path string) lifecycle.Rules {
	for _, ref := range []struct {
		text
		key string
	}{{r.Status, "status"}, {r.Start, "start"}, {r.End, "end"}, {r.Zone, "zone"}, {r.Contractor, "contractor"}} {
		b.known(ref.text, path+"."+ref.key, "column", cols)
	}
	if r.Status.value != "" && len(r.Active) == 0 {
		b.add(r.Status.line, path+".active", "is missing: list the values of %s that mean \"at work\"", r.Status.value)
	}
	if r.EndRequired && (r.End.value == "" || r.Contractor.value == "") {
		b.add(r.End.line, path+".end_required", "needs end and contractor")
	}
	return lifecycle.Rules{
		Status: r.Status.value, Active: r.Active, Suspended: r.Suspended, Leaver: r.Leaver,
		Start: r.Start.value, End: r.End.value, Zone: r.Zone.value, DefaultZone: zone,
		Contractor: r.Contractor.value, Contractors: r.Contractors, EndRequired: r.EndRequired,
	}
}

func (b *builder) zone(t text, path string) *time.Location {
	if t.value == "" {
		return time.UTC
	}
	zone, err := time.LoadLocation(t.value)
	if err != nil {
		b.add(t.line, path, "%q is no IANA time zone such as Europe/Berlin", t.value)
		return time.UTC
	}
	return zone
}
