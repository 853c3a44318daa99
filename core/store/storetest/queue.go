package storetest

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	// The drivers "pgx" and "sqlite" come with the store.
	_ "github.com/provhub/provhub/core/store"
)

// Queue is how many operations [FillQueue] makes, and of which kind.
type Queue struct {
	Org        string // "": [OrgID]
	Operations int
	Connectors int
	Causes     int
	// Every so many operations one is parked, is to be tried again, is ready or skipped;
	// the others are done. All of them stand anywhere in the queue.
	ParkedEvery, RetryEvery, ReadyEvery, SkippedEvery int
	// LeaverEvery so many of those that failed one is a leaver's.
	LeaverEvery int
}

// LargeQueue has a million operations: 50,000 are parked and 5,000 retried, for 30
// causes, 1,000 are ready and 100 were skipped.
var LargeQueue = Queue{Operations: 1_000_000, Connectors: 20, Causes: 30, ParkedEvery: 20, RetryEvery: 200, ReadyEvery: 1_000, SkippedEvery: 10_000, LeaverEvery: 100}

// planSize is how many operations a plan of the queue has.
const planSize = 1_000

// FillQueue writes a queue into the empty, migrated database at url, for
// q.Org. Operation number n, from 0, is about person n, in the connector app01, app02 …
// that n falls on. It is in plan number n / 1000, made n / 1000 * 1000 seconds after the
// year 2026.
func FillQueue(ctx context.Context, url string, q Queue) error {
	driver, dsn := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=busy_timeout(15000)"
	}
	db, err := sqlx.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{q.plans(), q.operations(), q.orgState(), q.connectors(), "VACUUM ANALYZE operation"} {
		if driver == "sqlite" && statement == "VACUUM ANALYZE operation" {
			continue // it plans by fixed numbers
		}
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("fill the queue: %w", err)
		}
	}
	return nil
}

// org is the name of the org as SQL.
func (q Queue) org() string { return "'" + strings.ReplaceAll(cmp.Or(q.Org, OrgID), "'", "''") + "'" }

// numbers is a table n(i) of 0 to to-1.
func numbers(to int) string {
	return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, to-1)
}

// plannedAt is when operation number i was planned, in microseconds: with its plan.
var plannedAt = fmt.Sprintf(`(1798761600000000 + CAST(i / %d AS BIGINT) * %d * 1000000)`, planSize, planSize)

func (q Queue) plans() string {
	return numbers((q.Operations+planSize-1)/planSize) + `
		INSERT INTO plan (org_id, hash, source, generation, status, created_at, applied_at, approved_by, reason, approved_at, until_at, operations,
			inputs, counts, verdicts, notes, faults, withdraw, names, rules)
		SELECT ` + q.org() + `, 'plan' || i, 'hr', i, 'applied', ` + strings.ReplaceAll(plannedAt, "(i ", fmt.Sprintf("(i * %d ", planSize)) + `, 0, '', '', 0, 0, ` + fmt.Sprint(planSize) + `,
			'{"source":"hr"}', '{}', 'null', 'null', 'null', 'null', 'null', '{}' FROM n`
}

// operations tells in SQL what each operation is like: a million rows are made by the
// database itself.
func (q Queue) operations() string {
	state := fmt.Sprintf(`CASE WHEN i %% %d = 3 THEN 'parked' WHEN i %% %d = 7 THEN 'retry' WHEN i %% %d = 11 THEN 'ready' WHEN i %% %d = 12 THEN 'skipped' ELSE 'done' END`,
		q.ParkedEvery, q.RetryEvery, q.ReadyEvery, q.SkippedEvery)
	// Each cause is of one connector: its number modulo that of the connectors.
	rows := fmt.Sprintf(`SELECT i, CASE WHEN state IN ('parked', 'retry') THEN cause %% %d ELSE i %% %d END AS app, state, cause,
			CASE WHEN state IN ('parked', 'retry') AND (i / %d) %% %d = 0 THEN 1 WHEN i %% 7 = 0 THEN 3 ELSE 4 END AS lane,
			CASE WHEN i %% 5 = 0 THEN 'create' WHEN i %% 31 = 0 THEN 'disable' ELSE 'update' END AS op
		FROM (SELECT i, %s AS state, (i / %d) %% %d AS cause FROM n) a`,
		q.Connectors, q.Connectors, q.ParkedEvery, q.LeaverEvery, state, q.ParkedEvery, q.Causes)
	const app = `'app' || SUBSTR(CAST(101 + app AS TEXT), 2, 2)`
	const failed = `state IN ('parked', 'retry')`
	const code = `CASE cause % 4 WHEN 0 THEN 'INVALID_VALUE' WHEN 1 THEN 'ALREADY_EXISTS' WHEN 2 THEN 'TIMEOUT' ELSE 'PERMISSION' END`
	return numbers(q.Operations) + `
		INSERT INTO operation (org_id, id, plan, seq, source, connector, kind, anchor, op, lane, account_rev, identity_rev, revokes, clears, renames, out_of_scope,
			changed, state, attempts, tries, next_attempt_at, created_at, updated_at, sent_at, code, last_error, cause, failing_since, body)
		SELECT ` + q.org() + `, SUBSTR(CAST(` + fmt.Sprint(10_000_000) + ` + i AS TEXT), 2) || '-0000-5000-8000-000000000000', 'plan' || (i / ` + fmt.Sprint(planSize) + `), i + 1, 'hr',
			` + app + `, 'person', 'p' || i, op, lane, 1, 1, 0, 0, 0, 0, '["email"]', state, 1, 1,
			CASE state WHEN 'retry' THEN ` + plannedAt + ` + 1800000000 ELSE 0 END, ` + plannedAt + `, ` + plannedAt + `,
			CASE state WHEN 'ready' THEN 0 ELSE ` + plannedAt + ` END,
			CASE WHEN ` + failed + ` THEN ` + code + ` ELSE '' END,
			CASE WHEN ` + failed + ` THEN '{"code":' || CASE cause % 4 WHEN 0 THEN 60 WHEN 1 THEN 20 WHEN 2 THEN 2 ELSE 41 END || ',"message":"the target says no, reason ' || cause || '","native_code":"HTTP 400","attributes":["email"]}' ELSE '' END,
			CASE WHEN ` + failed + ` THEN SUBSTR(CAST(1000000000000 + cause AS TEXT), 2) ELSE '' END,
			CASE WHEN ` + failed + ` THEN ` + plannedAt + ` ELSE 0 END,
			'{"id":"' || SUBSTR(CAST(` + fmt.Sprint(10_000_000) + ` + i AS TEXT), 2) || '-0000-5000-8000-000000000000","source":"hr","connector":"' || ` + app + ` || '","kind":"person","anchor":"p' || i || '","op":"' || op || '","cause":"change","lane":' || lane || ',"target":{"type":"user","id":"u-' || i || '","name":"user' || i || '"},"account_rev":1,"identity_rev":1,"changes":[{"name":"email","before":["old' || i || '@example.org"],"after":["new' || i || '@example.org"],"rule":"provhub.yaml:31"},{"name":"title","before":["Engineer"],"after":["Senior Engineer"],"rule":"provhub.yaml:33"},{"name":"department","before":["Research"],"after":["Research & Development"],"rule":"provhub.yaml:34"}],"grants":[{"entitlement":"staff","reason":"everybody"}],"reason":"email, title and department changed in the source"}'
		FROM (` + rows + `) r`
}

func (q Queue) orgState() string {
	return fmt.Sprintf(`INSERT INTO org_state (org_id, generation, next_seq) VALUES (%s, 1, %d)`, q.org(), q.Operations+1)
}

func (q Queue) connectors() string {
	return numbers(q.Connectors) + `
		INSERT INTO connector_state (org_id, connector, stopped, stopped_at, paused_by, resume_at, failures)
		SELECT ` + q.org() + `, 'app' || SUBSTR(CAST(101 + i AS TEXT), 2, 2), '', 0, '', 0, 0 FROM n`
}
