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
	Zone      string      `yaml:"zone"`
	Jitter    text        `yaml:"jitter"`
	Not       []rawWindow `yaml:"not"`
	WhileHeld string      `yaml:"while_held"`
}

type rawWindow struct {
	Cron text   `yaml:"cron"`
	Zone string `yaml:"zone"`
	For  text   `yaml:"for"`
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
	line := 0
	if r != nil {
		spec = schedule.Spec{Cron: r.Cron.value, Zone: r.Zone, Jitter: b.duration(r.Jitter, path+".jitter"), Not: b.windows(r.Not, path+".not")}
		out.SkipHeld, line = r.WhileHeld == "skip", r.Cron.line
	}
	var err error
	if out.Schedule, err = schedule.New(spec); err != nil {
		b.add(line, path, "%s", err)
		return nil
	}
	return out
}

// windows reads times that come again, each checked by itself.
func (b *builder) windows(rs []rawWindow, path string) (out []schedule.Window) {
	for i, r := range rs {
		at := fmt.Sprintf("%s[%d]", path, i)
		w := schedule.Window{Cron: r.Cron.value, Zone: r.Zone, For: b.duration(r.For, at+".for")}
		if err := w.Check(); err != nil {
			b.add(r.Cron.line, at, "%s", err)
			continue
		}
		out = append(out, w)
	}
	return out
}

// maintenance reads a target's windows.
func (b *builder) maintenance(rs []rawWindow, path string) schedule.Windows {
	ws, err := schedule.NewWindows(b.windows(rs, path))
	if err != nil {
		b.add(0, path, "%s", err) // each was right by itself
	}
	return ws
}
