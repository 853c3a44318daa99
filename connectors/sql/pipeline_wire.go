package sql

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errCount: the one statement of an account touched another number of rows than
// it was planned for.
var errCount = errors.New("unexpected number of rows")

// lockWait is how long a pipelined account waits for a row that somebody holds,
// so that those behind it on the connection do not wait for long. The locked
// path waits its full time, beside the others.
const lockWait = "250ms"

// pipeline is one connection that sends without waiting for answers.
type pipeline struct {
	conn *pgx.Conn
	pg   *pgconn.Pipeline
	// names are the statements prepared on this connection, by text.
	names   map[string]string
	verdict verdict
}

// verdict is what the server said to one account; err nil: it is committed.
type verdict struct {
	err  error
	step int // of the statement that failed
}

// preparedKey is where a connection keeps the names of its prepared statements.
const preparedKey = "provhub.prepared"

func newPipeline(_ context.Context, conn *pgx.Conn) *pipeline {
	data := conn.PgConn().CustomData()
	names, ok := data[preparedKey].(map[string]string)
	if !ok {
		names = map[string]string{}
		data[preparedKey] = names
	}
	return &pipeline{conn: conn, names: names}
}

// prepare readies every statement of jobs that the connection does not know yet.
func (l *pipeline) prepare(ctx context.Context, jobs []*piped) error {
	for _, j := range jobs {
		for i := range j.script.actions {
			sql := wire(j.script, i)
			if _, ok := l.names[sql]; ok || len(l.names) >= preparedMax {
				continue
			}
			name := "provhub_" + strconv.Itoa(len(l.names))
			if _, err := l.conn.Prepare(ctx, name, sql); err != nil {
				return err
			}
			l.names[sql] = name
		}
	}
	return nil
}

// begin switches the connection to pipelining.
func (l *pipeline) begin(ctx context.Context) {
	l.pg = l.conn.PgConn().StartPipeline(ctx)
	l.pg.SendQueryParams("SET lock_timeout = '"+lockWait+"'", nil, nil, nil, nil)
	l.pg.SendPipelineSync()
}

// queue adds the statements of one account and its commit.
func (l *pipeline) queue(s *script) {
	for i := range s.actions {
		params := make([][]byte, len(s.actions[i].Args))
		for k, v := range s.actions[i].Args {
			params[k] = wireValue(v)
		}
		sql := wire(s, i)
		if name, ok := l.names[sql]; ok {
			l.pg.SendQueryPrepared(name, params, nil, nil)
		} else {
			l.pg.SendQueryParams(sql, params, nil, nil, nil)
		}
	}
	l.pg.SendPipelineSync()
}

// flush sends everything and reads the answer to begin.
func (l *pipeline) flush() error {
	l.pg.SendQueryParams("SET lock_timeout = DEFAULT", nil, nil, nil, nil)
	l.pg.SendPipelineSync()
	if err := l.pg.Flush(); err != nil {
		return err
	}
	return l.receive(&piped{script: &script{}})
}

// receive reads the answers to one account, up to its commit, into l.verdict. An
// error means that the connection broke and the commit is in doubt.
func (l *pipeline) receive(j *piped) error {
	l.verdict = verdict{}
	for at := 0; ; {
		res, err := l.pg.GetResults()
		var pg *pgconn.PgError
		switch {
		case errors.As(err, &pg):
			l.fail(j, at, err)
			continue
		case err != nil:
			return err
		}
		switch r := res.(type) {
		case *pgconn.PipelineSync:
			return nil
		case *pgconn.ResultReader:
			answer := r.Read()
			if answer.Err != nil {
				if !errors.As(answer.Err, &pg) {
					return answer.Err
				}
				l.fail(j, at, answer.Err)
				continue
			}
			l.take(j, at, answer)
			at++
		default:
			return fmt.Errorf("the pipeline ended early: %T", res)
		}
	}
}

// fail notes the first error of an account; the server skips the rest.
func (l *pipeline) fail(j *piped, at int, err error) {
	if l.verdict.err == nil {
		l.verdict = verdict{err: err}
		if at < len(j.script.actions) {
			l.verdict.step = j.script.actions[at].step
		}
	}
}

// take reads the id of a new row, and counts the rows of a lone statement.
func (l *pipeline) take(j *piped, at int, answer *pgconn.Result) {
	if at >= len(j.script.actions) {
		return
	}
	a := &j.script.actions[at]
	lone := len(j.script.actions) == 1
	if lone && a.expect == expectOne && answer.CommandTag.RowsAffected() != 1 || lone && a.expect == expectSome && answer.CommandTag.RowsAffected() == 0 {
		l.fail(j, at, errCount)
		return
	}
	if a.made != nil && len(answer.Rows) == 1 {
		a.made.set(a.made.e.id, a.made.e.id.decode(string(answer.Rows[0][0])))
	}
}

// close leaves pipelining; a connection that broke is not used again.
func (l *pipeline) close() {
	if l.pg.Close() != nil {
		_ = l.conn.PgConn().Close(context.Background())
	}
}

// wire renders statement i of an account. One among several fails, with a
// division by zero, unless it touches the rows it was planned for: the server
// then rolls the account back by itself, without asking us. A lone INSERT of one
// row needs no such guard.
func wire(s *script, i int) string {
	a := &s.actions[i]
	if a.expect == expectAny || len(s.actions) == 1 && a.insert {
		return a.SQL
	}
	test := "= 1"
	if a.expect == expectSome {
		test = ">= 1"
	}
	if a.made != nil {
		return "WITH w AS (" + a.SQL + ") SELECT min(w." + a.made.e.id.quoted + "::text), 1/(count(*) " + test + ")::int FROM w"
	}
	return "WITH w AS (" + a.SQL + " RETURNING 1) SELECT 1/(count(*) " + test + ")::int FROM w"
}

// wireValue renders a bound value in PostgreSQL's text form.
func wireValue(v any) []byte {
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		return []byte(x)
	case int64:
		return strconv.AppendInt(nil, x, 10)
	case float64:
		return strconv.AppendFloat(nil, x, 'g', -1, 64)
	case bool:
		return strconv.AppendBool(nil, x)
	case time.Time:
		return x.UTC().AppendFormat(nil, time.RFC3339Nano)
	case []byte:
		return append([]byte(`\x`), hex.AppendEncode(nil, x)...)
	}
	return fmt.Append(nil, v)
}
