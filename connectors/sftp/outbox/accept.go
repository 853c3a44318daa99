package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Record is one account.
type Record struct {
	ID      string
	Want    []byte // nil: it is to be gone
	Line    []byte // nil: it has no row in a full file
	Members []byte
	Groups  int64 // rows in Members
}

// Held is an account as the outbox has it.
type Held struct {
	Want []byte // nil: there is none
	// Pending: the receiver has not confirmed it so; it has Shown, nil for nothing.
	Pending bool
	Shown   []byte
	// Frozen: a publication that is not confirmed carries it. Sealed: that is final,
	// so that what comes after it may be published without a wait for the response.
	Frozen, Sealed bool
}

// The statements that every change needs, prepared once.
const (
	queryEpochs = `SELECT 1 + COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch'), 0), COALESCE((SELECT MAX(last) FROM batch), 0),
		COALESCE((SELECT MAX(last) FROM batch WHERE state <> 'taken'), 0)`
	queryLoad   = `SELECT r.want, p.shown, p.epoch FROM record r LEFT JOIN pending p ON p.id = r.id WHERE r.id = ?`
	queryChange = `SELECT c.key, c.id, c.at, c.state, c.code, c.message, b.state, COALESCE(b.seq, 0), COALESCE(b.published_at, 0)
		FROM change c LEFT JOIN batch b ON b.number = (SELECT number FROM batch WHERE last >= c.epoch ORDER BY last LIMIT 1) AND b.first <= c.epoch
		WHERE c.key = ?`
	// A change that overtakes a response is one of what was sent.
	queryPending = `INSERT INTO pending (id, shown, epoch) VALUES (?1, (SELECT want FROM record WHERE id = ?1), ?2)
		ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, shown = CASE WHEN epoch <= ?3 THEN excluded.shown ELSE shown END`
	querySave = `INSERT INTO record (id, want, line, members, groups) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET want = excluded.want, line = excluded.line, members = excluded.members, groups = excluded.groups`
	queryNote = `INSERT INTO change (key, id, epoch, state, at) VALUES (?, ?, ?, 'accepted', ?)
		ON CONFLICT (key) DO UPDATE SET id = excluded.id, epoch = excluded.epoch, state = excluded.state, code = 0, message = '', at = excluded.at`
	queryShown = `SELECT CASE WHEN p.id IS NULL THEN r.want ELSE p.shown END FROM record r LEFT JOIN pending p ON p.id = r.id WHERE r.id = ?`
)

// prepare prepares them. There is one connection for writing, and they live as
// long as it does.
func (b *Box) prepare(ctx context.Context) (err error) {
	b.stmts = map[string]*sql.Stmt{}
	for _, q := range []string{queryEpochs, queryLoad, queryChange, queryPending, querySave, queryNote, queryShown} {
		if b.stmts[q], err = b.write.PrepareContext(ctx, q); err != nil {
			return fmt.Errorf("outbox: %w", err)
		}
	}
	return nil
}

// Tx is one transaction of changes.
type Tx struct {
	b     *Box
	ctx   context.Context
	tx    *sql.Tx
	epoch int64 // that changes go into
	taken int64 // the last epoch that a publication has
	seal  int64 // the last epoch that a sealed one has
	now   time.Time
	noted int64
}

// Accept runs f in a transaction: what it saves and notes is on disk when Accept
// returns nil, and none of it otherwise.
func (b *Box) Accept(ctx context.Context, now time.Time, f func(*Tx) error) error {
	b.accept.Lock()
	defer b.accept.Unlock()
	tx, err := b.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	t := &Tx{b: b, ctx: ctx, tx: tx, now: now}
	if t.epoch, t.taken, t.seal, err = b.epochs(ctx, tx); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if err := f(t); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if t.noted > 0 {
		b.waiting.add(t.noted, now)
	}
	return nil
}

// epochs returns the epoch that is open, the last one that a publication has, and
// the last one that a sealed publication has.
func (b *Box) epochs(ctx context.Context, tx *sql.Tx) (open, taken, sealed int64, err error) {
	err = tx.StmtContext(ctx, b.stmts[queryEpochs]).QueryRowContext(ctx).Scan(&open, &taken, &sealed)
	return open, taken, sealed, err
}

func (t *Tx) row(query string, args ...any) *sql.Row {
	return t.tx.StmtContext(t.ctx, t.b.stmts[query]).QueryRowContext(t.ctx, args...)
}

func (t *Tx) exec(query string, args ...any) error {
	_, err := t.tx.StmtContext(t.ctx, t.b.stmts[query]).ExecContext(t.ctx, args...)
	return err
}

// Savepoint runs f so that nothing of it stays when it fails.
func (t *Tx) Savepoint(f func() error) error {
	if _, err := t.tx.ExecContext(t.ctx, `SAVEPOINT unit`); err != nil {
		return err
	}
	if err := f(); err != nil {
		if _, undo := t.tx.ExecContext(t.ctx, `ROLLBACK TO unit`); undo != nil {
			return errors.Join(err, undo)
		}
		_, _ = t.tx.ExecContext(t.ctx, `RELEASE unit`)
		return err
	}
	_, err := t.tx.ExecContext(t.ctx, `RELEASE unit`)
	return err
}

// Load returns an account.
func (t *Tx) Load(id string) (h Held, err error) {
	var epoch sql.NullInt64
	err = t.row(queryLoad, id).Scan(&h.Want, &h.Shown, &epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	h.Pending = epoch.Valid
	h.Frozen = epoch.Valid && epoch.Int64 <= t.taken
	h.Sealed = epoch.Valid && epoch.Int64 <= t.seal
	return h, err
}

// Save keeps an account as it is wanted now, and what the receiver has of it until
// that is confirmed. Where a sealed publication carries the account, the receiver is
// taken to have that; its response does not concern the account any more.
func (t *Tx) Save(r Record) error {
	if err := t.exec(queryPending, r.ID, t.epoch, t.seal); err != nil {
		return err
	}
	return t.exec(querySave, r.ID, r.Want, r.Line, r.Members, r.Groups)
}

// Note keeps a change under its key, in place of a rejected one.
func (t *Tx) Note(key, id string) (Change, error) {
	t.noted++
	return Change{Key: key, ID: id, At: t.now, State: Accepted}, t.exec(queryNote, key, id, t.epoch, t.now.UnixMilli())
}

// Change returns a change by its key; ok is false when there is none.
func (t *Tx) Change(key string) (Change, bool, error) { return scanChange(t.row(queryChange, key)) }

// Change returns a change by its key; ok is false when there is none.
func (b *Box) Change(ctx context.Context, key string) (c Change, ok bool, err error) {
	return scanChange(b.stmts[queryChange].QueryRowContext(ctx, key))
}

func scanChange(row *sql.Row) (c Change, ok bool, err error) {
	var at, published int64
	var batch sql.NullString
	err = row.Scan(&c.Key, &c.ID, &at, &c.State, &c.Code, &c.Message, &batch, &c.Seq, &published)
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	c.At = time.UnixMilli(at)
	if published > 0 {
		c.PublishedAt = time.UnixMilli(published)
	}
	c.Sealed = batch.String == "sealed"
	if c.State == Accepted {
		switch batch.String {
		case "published":
			c.State = Published
		case "confirmed":
			c.State = Confirmed
		}
	}
	return c, err == nil, err
}

// Waiting says what has been accepted and not been taken: how many changes, since
// when, and when the last came. Zero times when there is nothing.
type Waiting struct {
	Changes     int64
	First, Last time.Time
}

func (w *Waiting) add(n int64, now time.Time) {
	w.Changes += n
	if w.First.IsZero() {
		w.First = now
	}
	w.Last = now
}

// Waiting returns what waits to be published.
func (b *Box) Waiting() Waiting {
	b.accept.Lock()
	defer b.accept.Unlock()
	return b.waiting
}

// recount works out what waits from what is on disk.
func (b *Box) recount(ctx context.Context) error {
	b.accept.Lock()
	defer b.accept.Unlock()
	var w Waiting
	var first, last sql.NullInt64
	err := b.write.QueryRowContext(ctx, `SELECT COUNT(*), MIN(at), MAX(at) FROM change WHERE state = 'accepted'
		AND epoch > (SELECT COALESCE(MAX(last), 0) FROM batch)`).Scan(&w.Changes, &first, &last)
	if first.Valid {
		w.First, w.Last = time.UnixMilli(first.Int64), time.UnixMilli(last.Int64)
	}
	b.waiting = w
	return err
}
