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
	groups bool // some are staged
	named  bool // somebody staged has a name
	// indexed: what is staged is found by name.
	indexed bool
	stmts   map[string]*sqlx.Stmt
	buf     []byte
	names   []string
}

// stageTable is made anew for every reading.
const stageTable = `CREATE TEMPORARY TABLE stage (
	kind TEXT%[1]s NOT NULL, anchor TEXT%[1]s NOT NULL, hash BYTEA NOT NULL, state TEXT NOT NULL, due_at BIGINT NOT NULL,
	position TEXT NOT NULL, source_id TEXT%[1]s NOT NULL, reference TEXT%[1]s NOT NULL, name TEXT%[1]s NOT NULL, attributes TEXT NOT NULL, PRIMARY KEY (kind, anchor))`

// memberTable holds the members of the groups that are staged.
const memberTable = `CREATE TEMPORARY TABLE stage_member (grp TEXT%[1]s NOT NULL, member TEXT%[1]s NOT NULL, PRIMARY KEY (grp, member))`

// BeginReading starts a reading of source. End it with Commit or Discard.
func (o *Org) BeginReading(ctx context.Context, source string) (*Reading, error) {
	conn, err := o.s.staging.Connx(ctx)
	if err != nil {
		return nil, o.s.fail("begin reading", err)
	}
	r := &Reading{o: o, source: source, conn: conn, stmts: map[string]*sqlx.Stmt{}}
	temp := "temp"
	if o.s.gate == nil {
		temp = "pg_temp"
	}
	for _, q := range []string{`DROP TABLE IF EXISTS ` + temp + `.stage`, `DROP TABLE IF EXISTS ` + temp + `.stage_member`,
		fmt.Sprintf(stageTable, o.s.dialect.byBytes), fmt.Sprintf(memberTable, o.s.dialect.byBytes)} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return nil, errors.Join(o.s.fail("begin reading", err), conn.Close())
		}
	}
	return r, nil
}

// Stage adds new and changed identities: Attributes, Hash, State, DueAt,
// Reference, Position, SourceID, Name and Members are taken. The same key again replaces the former. It
// is kept until the end of the reading, outside of memory.
func (r *Reading) Stage(ctx context.Context, ids []identity.Identity) error {
	if len(ids) == 0 {
		return nil
	}
	r.staged = true
	ids = lastOfEach(ids)
	const width = 10
	var args []any
	err := r.o.s.dialect.eachChunk(len(ids), width, func(from, to int) error {
		args = args[:0]
		for k := range ids[from:to] {
			i := &ids[from+k]
			var err error
			if r.buf, r.names, err = appendAttributes(r.buf[:0], i.Attributes, r.names); err != nil {
				return fmt.Errorf("%s: %w", i.Position, err)
			}
			r.named = r.named || i.Name != ""
			args = append(args, string(i.Kind), i.Anchor, i.Hash[:], string(i.State), micros(i.DueAt), i.Position, i.SourceID, i.Reference, i.Name, string(r.buf))
		}
		st, err := r.statement(ctx, `INSERT INTO stage (kind, anchor, hash, state, due_at, position, source_id, reference, name, attributes)
			VALUES `+tuples(to-from, width)+` ON CONFLICT (kind, anchor) DO UPDATE SET hash = excluded.hash, state = excluded.state,
			due_at = excluded.due_at, position = excluded.position, source_id = excluded.source_id, reference = excluded.reference, name = excluded.name,
			attributes = excluded.attributes`)
		if err != nil {
			return err
		}
		_, err = st.ExecContext(ctx, args...)
		return err
	})
	if err == nil {
		err = r.stageMembers(ctx, ids)
	}
	return r.o.s.fail("stage", err)
}

// lastOfEach leaves out those that come again later: PostgreSQL does not write a
// row twice in one statement.
func lastOfEach(ids []identity.Identity) []identity.Identity {
	last := make(map[identity.Key]int, len(ids))
	for i := range ids {
		last[ids[i].Key] = i
	}
	if len(last) == len(ids) {
		return ids
	}
	out := make([]identity.Identity, 0, len(last))
	for i := range ids {
		if last[ids[i].Key] == i {
			out = append(out, ids[i])
		}
	}
	return out
}

// statement returns q prepared on the reading's connection.
func (r *Reading) statement(ctx context.Context, q string) (*sqlx.Stmt, error) {
	if st, ok := r.stmts[q]; ok {
		return st, nil
	}
	st, err := r.conn.PreparexContext(ctx, r.o.s.rebind(q))
	if err == nil {
		r.stmts[q] = st
	}
	return st, err
}

// Discard ends the reading without taking anything over.
func (r *Reading) Discard(ctx context.Context) error {
	if r.conn == nil {
		return nil
	}
	for _, st := range r.stmts {
		st.Close() // the connection goes back to the pool
	}
	_, err := r.conn.ExecContext(ctx, `DROP TABLE stage`)
	if _, merr := r.conn.ExecContext(ctx, `DROP TABLE stage_member`); err == nil {
		err = merr
	}
	if cerr := r.conn.Close(); err == nil {
		err = cerr
	}
	r.conn = nil
	return r.o.s.fail("end reading", err)
}
