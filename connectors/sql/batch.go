package sql

import (
	"context"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// ApplyBatch implements [connector.Batcher]. Accounts run side by side over the
// pool, each in a transaction of its own.
func (t *Target) ApplyBatch(ctx context.Context, ops []connector.Operation) []connector.Result {
	db, release := t.use()
	defer release()
	m, err := db.model(ctx, &t.cfg)
	if err != nil {
		return (&unit{ops: ops}).failAll(err)
	}
	var out []connector.Result
	wait := lanes(ops)
	for len(wait) > 0 {
		// One unit of every lane makes a round; the next unit of a lane sees what
		// the round before did.
		var round []*unit
		var rest [][]*unit
		for _, lane := range wait {
			round = append(round, lane[0])
			if len(lane) > 1 {
				rest = append(rest, lane[1:])
			}
		}
		for _, a := range t.round(ctx, db, m, round) {
			out = append(out, a...)
		}
		wait = rest
	}
	return out
}

// round carries out units that do not depend on each other.
func (t *Target) round(ctx context.Context, db *database, m *model, units []*unit) []answers {
	out := make([]answers, len(units))
	var work []int
	for i, u := range units {
		if u.ops[0].Meta().DryRun {
			out[i] = t.previewUnit(db, m, u)
			continue
		}
		work = append(work, i)
	}
	switch {
	case t.cfg.custom():
		t.spread(ctx, work, out, func(ctx context.Context, i int) answers { return t.custom(ctx, db, m, units[i]) }, units)
		return out
	case db.d.OneWriter:
		t.grouped(ctx, db, m, units, work, out)
	default:
		if t.canPipeline(db, m) {
			work = t.pipelined(ctx, db, m, units, work, out)
		}
		t.spread(ctx, work, out, func(ctx context.Context, i int) answers { return t.locked(ctx, db, m, units[i]) }, units)
	}
	t.readBack(ctx, db, m, units, out)
	return out
}

// spread runs units over as many goroutines as there are connections.
func (t *Target) spread(ctx context.Context, work []int, out []answers, do func(context.Context, int) answers, units []*unit) {
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range min(t.cfg.pool(), len(work)) {
		wg.Go(func() {
			for i := range jobs {
				ctx, cancel := t.bounded(ctx, units[i])
				out[i] = do(ctx, i)
				cancel()
			}
		})
	}
	for _, i := range work {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
}

// bounded limits the time of a unit: what the hub gives it, at most what the
// config allows.
func (t *Target) bounded(ctx context.Context, u *unit) (context.Context, context.CancelFunc) {
	limit := t.cfg.timeout()
	if given := u.ops[0].Meta().Timeout; given > 0 && given < limit {
		limit = given
	}
	return context.WithTimeout(ctx, limit+time.Second)
}

// Verbs implements [connector.Batcher].
func (t *Target) Verbs() []connector.Verb { return t.cfg.verbs() }

// verbs are those that the config provides for.
func (c *Config) verbs() []connector.Verb {
	if c.custom() {
		return c.Statements.verbs()
	}
	vs := []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbDelete, connector.VerbRename}
	if c.Users.Enabled != nil {
		vs = append(vs, connector.VerbEnable, connector.VerbDisable)
	}
	if len(c.Groups) > 0 {
		vs = append(vs, connector.VerbGrant, connector.VerbRevoke)
	}
	if c.Statements != nil && len(c.Statements.SetCredential) > 0 {
		vs = append(vs, connector.VerbSetCredential)
	}
	return vs
}
