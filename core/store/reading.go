package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/provhub/provhub/core/identity"
)

// Reading is one reading of a source under way. What is staged goes into a
// temporary table of a connection of its own: it costs no sync, and nothing of
// it is left when the process dies.
type Reading struct {
	o      *Org
	source string
	conn   *sqlx.Conn
	staged bool
	buf    []byte
	names  []string
}

// stageTable is made anew for every reading.
const stageTable = `CREATE TEMPORARY TABLE stage (
	kind TEXT%[1]s NOT NULL, anchor TEXT%[1]s NOT NULL, hash BYTEA NOT NULL, state TEXT NOT NULL, due_at BIGINT NOT NULL,
	position TEXT NOT NULL, reference TEXT%[1]s NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (kind, anchor))`

// BeginReading starts a reading of source. End it with Commit or Discard.
func (o *Org) BeginReading(ctx context.Context, source string) (*Reading, error) {
	conn, err := o.s.staging.Connx(ctx)
	if err != nil {
		return nil, o.s.fail("begin reading", err)
	}
	r := &Reading{o: o, source: source, conn: conn}
	for _, q := range []string{`DROP TABLE IF EXISTS temp.stage`, fmt.Sprintf(stageTable, o.s.dialect.byBytes)} {
		if q[0] == 'D' && o.s.gate == nil {
			q = `DROP TABLE IF EXISTS pg_temp.stage`
		}
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return nil, errors.Join(o.s.fail("begin reading", err), conn.Close())
		}
	}
	return r, nil
}

// stageChunk is how many rows one statement stages.
const stageChunk = 64

// Stage adds new and changed identities: Attributes, Hash, State, DueAt,
// Reference and Position are taken. The same key again replaces the former. It
// is kept until the end of the reading, outside of memory.
func (r *Reading) Stage(ctx context.Context, ids []identity.Identity) error {
	if len(ids) == 0 {
		return nil
	}
	t, err := r.conn.BeginTxx(ctx, nil)
	if err != nil {
		return r.o.s.fail("stage", err)
	}
	defer t.Rollback()
	if err := r.stage(&tx{Tx: t, s: r.o.s, ctx: ctx}, ids); err != nil {
		return r.o.s.fail("stage", err)
	}
	r.staged = true
	return r.o.s.fail("stage", t.Commit())
}

func (r *Reading) stage(t *tx, ids []identity.Identity) error {
	const width = 8
	args := make([]any, 0, stageChunk*width)
	return eachChunk(len(ids), func(from, to int) error {
		args = args[:0]
		for k := range ids[from:to] {
			i := &ids[from+k]
			var err error
			if r.buf, r.names, err = appendAttributes(r.buf[:0], i.Attributes, r.names); err != nil {
				return fmt.Errorf("%s: %w", i.Position, err)
			}
			args = append(args, string(i.Kind), i.Anchor, i.Hash[:], string(i.State), micros(i.DueAt), i.Position, i.Reference, string(r.buf))
		}
		_, err := t.exec(`INSERT INTO stage (kind, anchor, hash, state, due_at, position, reference, attributes)
			VALUES `+tuples(to-from, width)+` ON CONFLICT (kind, anchor) DO UPDATE SET hash = excluded.hash, state = excluded.state,
			due_at = excluded.due_at, position = excluded.position, reference = excluded.reference, attributes = excluded.attributes`, args...)
		return err
	})
}

// Discard ends the reading without taking anything over.
func (r *Reading) Discard(ctx context.Context) error {
	if r.conn == nil {
		return nil
	}
	_, err := r.conn.ExecContext(ctx, `DROP TABLE stage`)
	if cerr := r.conn.Close(); err == nil {
		err = cerr
	}
	r.conn = nil
	return r.o.s.fail("end reading", err)
}
