package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// jobsConnectionsMax bounds the connections of the job queue: one listens.
const jobsConnectionsMax = 4

// JobsPool returns connections for the job queue of this org, and the schema of its
// own in which the queue keeps its tables; the schema is made when there is none.
// Orgs that share a database have queues that know nothing of each other. The
// caller closes the pool. [errors.ErrUnsupported] on SQLite.
func (o *Org) JobsPool(ctx context.Context) (pool *pgxpool.Pool, schema string, err error) {
	if o.s.gate != nil {
		return nil, "", errors.ErrUnsupported
	}
	c, err := pgxpool.ParseConfig(o.s.dsn)
	if err != nil {
		return nil, "", o.s.fail("connect for jobs", err)
	}
	c.MaxConns, c.AfterConnect = jobsConnectionsMax, setUp
	c.ConnConfig.DialFunc = o.s.lines.through(c.ConnConfig.DialFunc)
	if pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, "", o.s.fail("connect for jobs", err)
	}
	var home string
	if err = pool.QueryRow(ctx, `SELECT current_schema()`).Scan(&home); err == nil {
		h := fnv.New32a()
		fmt.Fprintf(h, "%s/%s", home, o.id)
		schema = fmt.Sprintf("%s_jobs_%08x", cut(plainName(home), 40), h.Sum32()) // 63 bytes fit
		err = makeSchema(ctx, pool, schema)
	}
	if err != nil {
		pool.Close()
		return nil, "", o.s.fail("make the schema of the jobs", err)
	}
	return pool, schema, nil
}

// plainName is a name as it may stand in SQL without quotes, which is how River writes
// it. Names that become the same by that are told apart by their hash.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}

func makeSchema(ctx context.Context, pool *pgxpool.Pool, name string) error {
	var there bool
	if err := pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)`, name).Scan(&there); err != nil || there {
		return err
	}
	if _, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("%w; the database user needs CREATE on the database, or somebody makes the schema %s for it", err, name)
	}
	return nil
}
