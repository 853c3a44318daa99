package config

import (
	"cmp"
	"time"

	"github.com/provhub/provhub/core/store"
)

type rawRetention struct {
	Operations text `yaml:"operations"`
	Runs       text `yaml:"runs"`
	Findings   text `yaml:"findings"`
}

const (
	day = 24 * time.Hour
	// leastRetention is for the guards, which count the last day, and for people who
	// look at what happened last week.
	leastRetention = 30 * day
)

func (b *builder) retention(r *rawRetention) store.Retention {
	keep := func(t text, key string, otherwise time.Duration) time.Duration {
		d := cmp.Or(b.duration(t, "retention."+key), otherwise)
		if d < leastRetention {
			b.add(t.line, "retention."+key, "%q is too short; expected 30d or more", t.value)
		}
		return d
	}
	return store.Retention{Operations: keep(r.Operations, "operations", 400*day), Runs: keep(r.Runs, "runs", 90*day), Findings: keep(r.Findings, "findings", 400*day)}
}
