package store

import (
	"context"
	"time"
)

// Alert is something that is wrong, and that somebody is to look at.
type Alert struct {
	// Scope is the node that alone sees it; "": all do.
	Scope string `json:"node,omitempty"`
	// Condition says what sort of thing is wrong, Subject with what: a source, a connector, a
	// plan. There is one alert of each at a time in a scope.
	Condition string `json:"condition"`
	Subject   string `json:"subject"`
	Severity  string `json:"severity"`
	// Summary is one plain sentence, Do what is to be done; Page is the path of the page
	// that shows more.
	Summary string `json:"summary"`
	Do      string `json:"what_to_do"`
	Page    string `json:"-"`
	// Since is when it began, as far as is known, SeenAt when it was noticed.
	Since  time.Time `json:"since"`
	SeenAt time.Time `json:"-"`
	// ToldAt is when people were told last; zero: it has to last first. ClearedAt is since
	// when it is not so any more; zero: it is.
	ToldAt    time.Time `json:"told_at,omitzero"`
	ClearedAt time.Time `json:"cleared_at,omitzero"`
}

// Notice is something to be told on a route.
type Notice struct {
	// ID is the same however often the same thing is told.
	ID string `json:"id"`
	// Route is the name of the way it goes.
	Route string `json:"route"`
	// Body is what is told, as JSON.
	Body      string    `json:"-"`
	CreatedAt time.Time `json:"created_at"`
	// Tries counts those that failed; the next one is due at NextAt.
	Tries     int       `json:"tries"`
	NextAt    time.Time `json:"next_at"`
	LastError string    `json:"last_error,omitempty"`
}

// Alerts returns all alerts, the oldest first, also those that nobody was told of yet.
func (o *Org) Alerts(ctx context.Context) ([]Alert, error) {
	var rows []struct {
		Alert
		Do        string `db:"todo"`
		Since     int64
		SeenAt    int64 `db:"seen_at"`
		ToldAt    int64 `db:"told_at"`
		ClearedAt int64 `db:"cleared_at"`
	}
	err := o.all(ctx, &rows, `SELECT scope, condition, subject, severity, summary, todo, page, since, seen_at, told_at, cleared_at
		FROM alert WHERE org_id = ? ORDER BY since, scope, condition, subject`, o.id)
	if err != nil {
		return nil, o.s.fail("read the alerts", err)
	}
	out := make([]Alert, len(rows))
	for i, r := range rows {
		out[i] = r.Alert
		out[i].Do, out[i].Since, out[i].SeenAt = r.Do, fromMicros(r.Since), fromMicros(r.SeenAt)
		out[i].ToldAt, out[i].ClearedAt = fromMicros(r.ToldAt), fromMicros(r.ClearedAt)
	}
	return out, nil
}

// SaveAlerts writes alerts, takes out those that are over, and puts notices among those
// to be told, in one transaction: what is told is told once, whoever finds it again.
func (o *Org) SaveAlerts(ctx context.Context, save, over []Alert, notices []Notice) error {
	if len(save)+len(over)+len(notices) == 0 {
		return nil
	}
	return o.write(ctx, "alerts", func(t *tx) error {
		for _, a := range over {
			if _, err := t.exec(`DELETE FROM alert WHERE org_id = ? AND scope = ? AND condition = ? AND subject = ?`,
				o.id, a.Scope, a.Condition, a.Subject); err != nil {
				return err
			}
		}
		for _, a := range save {
			if _, err := t.exec(`INSERT INTO alert (org_id, scope, condition, subject, severity, summary, todo, page, since, seen_at, told_at, cleared_at)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (org_id, scope, condition, subject) DO UPDATE SET severity = excluded.severity, summary = excluded.summary, todo = excluded.todo,
					page = excluded.page, since = excluded.since, seen_at = excluded.seen_at, told_at = excluded.told_at, cleared_at = excluded.cleared_at`,
				o.id, a.Scope, a.Condition, a.Subject, a.Severity, a.Summary, a.Do, a.Page,
				micros(a.Since), micros(a.SeenAt), micros(a.ToldAt), micros(a.ClearedAt)); err != nil {
				return err
			}
		}
		for _, n := range notices {
			if _, err := t.exec(`INSERT INTO alert_notice (org_id, id, route, body, created_at, tries, next_at, last_error) VALUES (?, ?, ?, ?, ?, 0, ?, '')
				ON CONFLICT (org_id, id, route) DO NOTHING`, o.id, n.ID, n.Route, n.Body, micros(n.CreatedAt), micros(n.CreatedAt)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Notices returns what is to be told and is due at or before by, the next one first;
// at most n.
func (o *Org) Notices(ctx context.Context, by time.Time, n int) ([]Notice, error) {
	var rows []struct {
		ID, Route, Body string
		CreatedAt       int64 `db:"created_at"`
		Tries           int
		NextAt          int64  `db:"next_at"`
		LastError       string `db:"last_error"`
	}
	err := o.all(ctx, &rows, `SELECT id, route, body, created_at, tries, next_at, last_error FROM alert_notice
		WHERE org_id = ? AND next_at <= ? ORDER BY next_at, created_at, id, route LIMIT ?`, o.id, micros(by), n)
	if err != nil {
		return nil, o.s.fail("read what is to be told", err)
	}
	out := make([]Notice, len(rows))
	for i, r := range rows {
		out[i] = Notice{r.ID, r.Route, r.Body, fromMicros(r.CreatedAt), r.Tries, fromMicros(r.NextAt), r.LastError}
	}
	return out, nil
}

// PutOffNotice records that n could not be told, for the reason n.LastError, and is
// tried again at n.NextAt.
func (o *Org) PutOffNotice(ctx context.Context, n Notice) error {
	return o.write(ctx, "notice.later", func(t *tx) error {
		_, err := t.exec(`UPDATE alert_notice SET tries = tries + 1, next_at = ?, last_error = ? WHERE org_id = ? AND id = ? AND route = ?`,
			micros(n.NextAt), cut(n.LastError, answerMax), o.id, n.ID, n.Route)
		return err
	})
}

// EndNotice takes n out: it was told, or never will be.
func (o *Org) EndNotice(ctx context.Context, n Notice) error {
	return o.write(ctx, "notice.end", func(t *tx) error {
		_, err := t.exec(`DELETE FROM alert_notice WHERE org_id = ? AND id = ? AND route = ?`, o.id, n.ID, n.Route)
		return err
	})
}
