package config

import (
	"fmt"
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
	for i := range raw.Sources {
		r, path := &raw.Sources[i], fmt.Sprintf("sources[%d]", i)
		names(r.Name, path)
		cols := b.columns(r, path)
		zone := b.zone(r.Zone, path+".zone")
		b.known(r.Anchor, path+".anchor", "column", cols)
		b.known(r.Reference, path+".reference", "column", cols)
		src := Source{
			Name: r.Name.value, Type: r.Type, Line: r.Name.line, Reference: r.Reference.value,
			CSV: b.csv(r, zone, path), Lifecycle: b.lifecycle(&r.Lifecycle, zone, cols, path+".lifecycle"),
			Vanish: r.Vanish.limit(),
		}
		if src.Vanish == (plan.Limit{}) {
			src.Vanish = defaultVanish
		}
		cfg.Sources = append(cfg.Sources, src)
	}
}

func (b *builder) columns(r *rawSource, path string) []string {
	seen := map[string]int{}
	var names []string
	for i, c := range r.Columns {
		if first, ok := seen[c.Name.value]; ok {
			b.add(c.Name.line, fmt.Sprintf("%s.columns[%d].name", path, i), "%q is a column already, in line %d", c.Name.value, first)
		}
		seen[c.Name.value] = c.Name.line
		names = append(names, c.Name.value)
	}
	return names
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
	for _, col := range r.Columns {
		c.Columns = append(c.Columns, csvfile.Column{
			Name: col.Name.value, From: col.From, Type: col.Type, Format: col.Format, Separator: col.Separator,
			Required: col.Required || col.Name.value == r.Anchor.value, Optional: col.Optional,
		})
	}
	return c
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
