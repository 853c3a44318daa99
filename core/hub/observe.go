package hub

import (
	"time"

	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/store"
)

// Observer is told what a hub does, as it happens. Its methods are called by many
// goroutines, on the way of the work itself: they must not block.
type Observer interface {
	// Cycled tells of a pass over a source that has ended.
	Cycled(*Cycled)
	// Finished tells of the outcome of an attempt at an operation, once it is recorded.
	Finished(*store.Finish)
}

// Cycled is a pass over a source that has ended.
type Cycled struct {
	Source string
	// Push: it was about one person's record.
	Push bool
	// Err is why nothing was concluded from the source; nil: the pass succeeded.
	Err error
	// Status is that of the plan, Report how the reading went; of no meaning with Err.
	Status store.PlanStatus
	Report *cycle.Report
	// Took is how long all of it took, Phases how long its phases did, by name.
	Took   time.Duration
	Phases map[string]time.Duration
}

// unobserved is an Observer for when nobody asks.
type unobserved struct{}

func (unobserved) Cycled(*Cycled)         {}
func (unobserved) Finished(*store.Finish) {}

// observation follows one pass.
type observation struct {
	Cycled
	to    Observer
	began time.Time
}

func (h *Hub) observeCycle(source string, push bool) *observation {
	return &observation{Cycled: Cycled{Source: source, Push: push, Phases: map[string]time.Duration{}}, to: h.opt.Observer, began: time.Now()}
}

func (o *observation) timed(phase string, took time.Duration) { o.Phases[phase] += took }

func (o *observation) ended(p *Planned, err error) {
	o.Err, o.Status, o.Report, o.Took = err, p.Status, &p.Report, time.Since(o.began)
	o.to.Cycled(&o.Cycled)
}
