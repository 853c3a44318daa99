package config

import "time"

// Quarantine says from when on a connector that fails too often is only probed. Zero
// fields have the dispatcher's defaults.
type Quarantine struct {
	Off bool
	// Percent of at least Operations operations failed within Window.
	Percent    float64
	Operations int
	Window     time.Duration
	// ProbeFirst and ProbeMax bound how far single tries are apart.
	ProbeFirst, ProbeMax time.Duration
}

type rawQuarantine struct {
	Off        bool    `yaml:"off"`
	Percent    float64 `yaml:"percent"`
	Operations int     `yaml:"operations"`
	Window     text    `yaml:"window"`
	ProbeFirst text    `yaml:"probe_first"`
	ProbeMax   text    `yaml:"probe_max"`
}

func (b *builder) quarantine(r *rawQuarantine, path string) Quarantine {
	q := Quarantine{
		Off: r.Off, Percent: r.Percent, Operations: r.Operations, Window: b.duration(r.Window, path+".window"),
		ProbeFirst: b.duration(r.ProbeFirst, path+".probe_first"), ProbeMax: b.duration(r.ProbeMax, path+".probe_max"),
	}
	if q.ProbeMax > 0 && q.ProbeFirst > q.ProbeMax {
		b.add(r.ProbeFirst.line, path+".probe_first", "%s is longer than probe_max, %s", r.ProbeFirst.value, r.ProbeMax.value)
	}
	return q
}
