package config

import (
	"fmt"

	"github.com/provhub/provhub/core/schedule"
)

// Schedule says when something runs by itself.
type Schedule struct {
	*schedule.Schedule
	// SkipHeld: not while a plan of the source is held and nobody has decided.
	SkipHeld bool
}

type rawSchedule struct {
	Cron      text        `yaml:"cron"`
	Zone      text        `yaml:"zone"`
	Jitter    text        `yaml:"jitter"`
	Not       []rawWindow `yaml:"not"`
	WhileHeld string      `yaml:"while_held"`
}

type rawWindow struct {
	Cron text `yaml:"cron"`
	Zone text `yaml:"zone"`
	For  text `yaml:"for"`
}

// defaultCron is when a source is read that does not say.
const defaultCron = "@every 15m"

// schedule reads when something runs; cron is the default, "" for none: then nil is
// returned where the file says nothing.
func (b *builder) schedule(r *rawSchedule, cron, path string) *Schedule {
	if r == nil && cron == "" {
		return nil
	}
	spec := schedule.Spec{Cron: cron}
	out := &Schedule{}
	if r == nil {
		r = &rawSchedule{}
	} else {
		spec = schedule.Spec{Cron: r.Cron.value, Zone: r.Zone.value, Jitter: b.duration(r.Jitter, path+".jitter"), Not: b.windows(r.Not, path+".not")}
		out.SkipHeld = r.WhileHeld == "skip"
	}
	var err error
	out.Schedule, err = schedule.New(spec)
	b.timing(err, path, r.Cron.line, map[string]text{"cron": r.Cron, "zone": r.Zone, "jitter": r.Jitter})
	if err != nil {
		return nil
	}
	return out
}

// timing adds the faults of a schedule or window, each at the key that it is about; line
// is for what is about none of keys. What is missing is told by the schema.
func (b *builder) timing(err error, path string, line int, keys map[string]text) {
	for _, f := range schedule.FieldErrors(err) {
		key, ok := keys[f.Field]
		switch {
		case !ok:
			b.add(line, path, "%s", f.Text)
		case key.value != "":
			b.add(key.line, path+"."+f.Field, "%s", f.Text)
		}
	}
}

// windows reads times that come again, each checked by itself.
func (b *builder) windows(rs []rawWindow, path string) (out []schedule.Window) {
	for i, r := range rs {
		at := fmt.Sprintf("%s[%d]", path, i)
		w := schedule.Window{Cron: r.Cron.value, Zone: r.Zone.value, For: b.duration(r.For, at+".for")}
		err := w.Check()
		b.timing(err, at, r.Cron.line, map[string]text{"cron": r.Cron, "zone": r.Zone, "for": r.For})
		if err == nil {
			out = append(out, w)
		}
	}
	return out
}

// maintenance reads a target's windows.
func (b *builder) maintenance(rs []rawWindow, path string) schedule.Windows {
	ws, err := schedule.NewWindows(b.windows(rs, path))
	if err != nil {
		b.add(rs[0].Cron.line, path, "%s", err) // each was right by itself
	}
	return ws
}
