package config

import (
	"github.com/provhub/provhub/core/reconcile"
)

// Reconcile says when a target is compared with what we know of it.
type Reconcile struct {
	Schedule *Schedule // nil: only when somebody asks for it
	// React says what is done; a situation that is not in it is reported.
	React map[reconcile.Situation]reconcile.Reaction
}

type rawReconcile struct {
	Schedule *rawSchedule                               `yaml:"schedule"`
	On       map[reconcile.Situation]reconcile.Reaction `yaml:"on"`
}

// reconcile reads a connector's section; the schema has checked what may react how.
func (b *builder) reconcile(r *rawReconcile, path string) Reconcile {
	return Reconcile{Schedule: b.schedule(r.Schedule, "", path+".schedule"), React: r.On}
}
