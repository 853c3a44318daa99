package sql

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// The pipelined path (PostgreSQL) sends many accounts in one round trip:
//
//	read all rows the batch is about ─► plan each account ─► write them all, a
//	Sync after each: that is its commit, and an error rolls back only up to it
//
// The rows are not locked between the two steps. So every statement of an
// account proves that it touches the rows it was planned for, and whatever turns
// out otherwise is rolled back and done again by the locked path.

// canPipeline reports whether the natural key is one that two creates at once
// cannot both take.
func (t *Target) canPipeline(db *database, m *model) bool {
	return db.h.Pool != nil && m.users.key.unique
}

// pipelined carries out what it can of the units in work and returns the rest
// for the locked path.
func (t *Target) pipelined(ctx context.Context, db *database, m *model, units []*unit, work []int, out []answers) (rest []int) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.timeout())
	defer cancel()
	var fit []int
	for _, i := range work {
		if m.pipelines(units[i]) {
			fit = append(fit, i)
		} else {
			rest = append(rest, i)
		}
	}
	b, err := readBulk(ctx, db, m, units, fit)
	if err != nil && db.d.FaultOf(err).Kind == dialect.KindLost {
		db.h.Renew() // the connection died while it was idle; so far nothing is written
		b, err = readBulk(ctx, db, m, units, fit)
	}
	if err != nil {
		t.failEach(units, fit, out, db.d.FaultOf(err).Error())
		return rest
	}
	var jobs []*piped
	for _, i := range fit {
		p := &planner{m: m, snap: b.snapshot(units[i], m)}
		script, step, err := p.plan(units[i])
		switch {
		case err != nil:
			out[i] = units[i].failAt(step, err)
		case len(script.actions) == 0:
			out[i] = script.finish()
		default:
			jobs = append(jobs, &piped{at: i, u: units[i], script: script})
		}
	}
	t.sendAll(ctx, db, jobs)
	for _, j := range jobs {
		if j.again {
			rest = append(rest, j.at)
		} else {
			out[j.at] = j.answers
		}
	}
	return rest
}

// pipelines reports whether a unit can go without locks: its lookups can be told
// apart by their text, and it is not conditional on a version.
func (m *model) pipelines(u *unit) bool {
	for _, op := range u.ops {
		if op.Meta().IfVersion != "" || op.Verb() == connector.VerbSetCredential {
			return false
		}
		for _, n := range m.needs(op) {
			if !n.c.Plain && n.c.Type != connector.TypeInteger {
				return false
			}
		}
	}
	return true
}

// piped is one account on its way through a pipeline.
type piped struct {
	at      int
	u       *unit
	script  *script
	answers answers
	again   bool // for the locked path
}

// perConnection is how many accounts one connection takes at least: below it, a
// second connection costs more than it gives.
const perConnection = 32

// sendAll spreads the accounts over connections.
func (t *Target) sendAll(ctx context.Context, db *database, jobs []*piped) {
	if len(jobs) == 0 {
		return
	}
	n := min(t.cfg.pool(), (len(jobs)+perConnection-1)/perConnection)
	size := (len(jobs) + n - 1) / n
	var wg sync.WaitGroup
	for chunk := range slices.Chunk(jobs, size) {
		wg.Go(func() { t.send(ctx, db, chunk) })
	}
	wg.Wait()
}

// send writes one chunk over one connection and reads the answers.
func (t *Target) send(ctx context.Context, db *database, jobs []*piped) {
	ctx, r := begin(ctx, db.d, db.h, "BATCH")
	if len(jobs) > 1 {
		r.Number("db.operation.batch.size", len(jobs))
	}
	conn, err := db.h.Pool.Acquire(ctx)
	defer func() { r.end(err) }() // of the line; what came of each account, its operation tells
	if err != nil {
		for _, j := range jobs {
			j.answers = j.u.failAll(unreached(db.d.FaultOf(err)))
		}
		return
	}
	defer conn.Release()
	line := newPipeline(ctx, conn.Conn())
	if err := line.prepare(ctx, jobs); err != nil {
		for _, j := range jobs {
			j.again = true // nothing was sent; the locked path finds out which statement it is
		}
		return
	}
	line.begin(ctx)
	for _, j := range jobs {
		line.queue(j.script)
	}
	err = line.flush()
	for _, j := range jobs {
		if err == nil {
			err = line.receive(j)
		}
		if err != nil {
			e := db.d.FaultOf(err).Error()
			e.Message = "it is not known whether the account was written: " + e.Message
			j.answers = j.u.unknown(e)
			continue
		}
		t.judge(db, j, line.verdict)
	}
	line.close()
}

// judge turns what the server said to one account into its answers.
func (t *Target) judge(db *database, j *piped, v verdict) {
	if v.err == nil {
		j.answers = j.script.finish()
		return
	}
	var pg *pgconn.PgError
	f := db.d.FaultOf(v.err)
	if errors.Is(v.err, errCount) || errors.As(v.err, &pg) && slices.Contains(recheck, f.Kind) {
		j.again = true
		return
	}
	a := t.refused(db.d, j.u, v.step, v.err)
	j.answers = a.failed
}

// recheck are the faults that may only mean that a row changed since it was
// read; the locked path sees how it is.
var recheck = []dialect.Kind{dialect.KindUnique, dialect.KindForeignKey, dialect.KindDivision, dialect.KindContention}
