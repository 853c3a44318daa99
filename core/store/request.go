package store

import (
	"context"
	"encoding/json"
	"time"
)

// Request is what a command asks a node to do that serves.
type Request struct {
	ID string
	// Kind is what is to be done, such as "cycle"; Subject what it is about.
	Kind, Subject string
	Options       json.RawMessage
	Actor         string // in whose name
	AskedAt       time.Time
	// EndedAt is when it was answered; zero: it was not yet.
	EndedAt time.Time
	Failure string // why it did not work; "": it did
	// FailureCode is the kind of the failure, for whoever asked; "": none that matters.
	FailureCode string
	Answer      json.RawMessage // what came of it
}

// requestKept is how long an answer is kept, and how long somebody may wait for one.
const requestKept = 24 * time.Hour

// Ask writes a request down.
func (o *Org) Ask(ctx context.Context, r Request) error {
	return o.write(ctx, "request.ask", func(t *tx) error {
		if _, err := t.exec(`DELETE FROM request WHERE org_id = ? AND asked_at < ?`, o.id, micros(r.AskedAt.Add(-requestKept))); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO request (org_id, id, kind, subject, options, actor, asked_at, ended_at, failure, failure_code, answer) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', '', '')`,
			o.id, r.ID, r.Kind, r.Subject, string(r.Options), r.Actor, micros(r.AskedAt))
		return err
	})
}

// Requests returns those that are not answered yet, the oldest first.
func (o *Org) Requests(ctx context.Context) ([]Request, error) {
	return o.requests(ctx, `ended_at = 0 ORDER BY asked_at, id`)
}

// Request returns one of them: [ErrNotFound].
func (o *Org) Request(ctx context.Context, id string) (Request, error) {
	rs, err := o.requests(ctx, `id = ?`, id)
	switch {
	case err != nil:
		return Request{}, err
	case len(rs) == 0:
		return Request{}, refuse(ErrNotFound, "nothing is known of the request %s", id)
	}
	return rs[0], nil
}

// Answer writes down what came of r: EndedAt, Failure with its code, and Answer. [ErrNotFound] when it
// was taken back, or answered before. Its options, which may be about a person, are
// forgotten.
func (o *Org) Answer(ctx context.Context, r Request) error {
	return o.write(ctx, "request.answer", func(t *tx) error {
		n, err := t.exec(`UPDATE request SET ended_at = ?, failure = ?, failure_code = ?, answer = ?, options = '' WHERE org_id = ? AND id = ? AND ended_at = 0`,
			micros(r.EndedAt), r.Failure, r.FailureCode, string(r.Answer), o.id, r.ID)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

// Unask takes out a request that nobody waits for any more. What was begun goes on.
func (o *Org) Unask(ctx context.Context, id string) error {
	return o.write(ctx, "request.back", func(t *tx) error {
		_, err := t.exec(`DELETE FROM request WHERE org_id = ? AND id = ?`, o.id, id)
		return err
	})
}

func (o *Org) requests(ctx context.Context, where string, args ...any) ([]Request, error) {
	var rows []struct {
		ID, Kind, Subject, Options, Actor, Failure, Answer string
		FailureCode                                        string `db:"failure_code"`
		AskedAt                                            int64  `db:"asked_at"`
		EndedAt                                            int64  `db:"ended_at"`
	}
	err := o.all(ctx, &rows, `SELECT id, kind, subject, options, actor, asked_at, ended_at, failure, failure_code, answer FROM request WHERE org_id = ? AND `+where,
		append([]any{o.id}, args...)...)
	out := make([]Request, len(rows))
	for i, r := range rows {
		out[i] = Request{ID: r.ID, Kind: r.Kind, Subject: r.Subject, Options: json.RawMessage(r.Options), Actor: r.Actor,
			AskedAt: fromMicros(r.AskedAt), EndedAt: fromMicros(r.EndedAt), Failure: r.Failure, FailureCode: r.FailureCode, Answer: json.RawMessage(r.Answer)}
	}
	return out, o.s.fail("read requests", err)
}
