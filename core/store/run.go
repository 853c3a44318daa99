package store

import (
	"context"
	"errors"
	"time"
)

// RunOutcome is what became of a run.
type RunOutcome string

// The outcomes of a run; "" while it runs.
const (
	RunDone        RunOutcome = "done"
	RunFailed      RunOutcome = "failed"
	RunHeld        RunOutcome = "held"        // a guard holds what it planned
	RunSkipped     RunOutcome = "skipped"     // there was a reason not to
	RunInterrupted RunOutcome = "interrupted" // its node went away
)

// Run is one run of something that is scheduled or asked for.
type Run struct {
	// Kind is what was done, such as "cycle"; Subject what it is about, such as the
	// name of a source.
	Kind    string `json:"kind"`
	Subject string `json:"subject"`
	// StartedAt names the run among those of its kind and subject.
	StartedAt time.Time `json:"started_at"`
	// Slot is the time of the schedule it stands for, zero for none; Missed counts the
	// slots before it that nobody ran.
	Slot   time.Time `json:"slot,omitzero"`
	Missed int       `json:"missed,omitempty"`
	// Why it was run: "schedule", or who asked for it.
	Why     string     `json:"why"`
	Node    string     `json:"node"`
	EndedAt time.Time  `json:"ended_at,omitzero"`
	Outcome RunOutcome `json:"outcome,omitempty"`
	// Summary is one sentence for people.
	Summary string `json:"summary,omitempty"`
}

// ID names the run in logs.
func (r Run) ID() string {
	return r.Kind + "/" + r.Subject + "/" + r.StartedAt.UTC().Format("20060102T150405.000000Z")
}

// RunFilter selects runs; zero fields do not restrict.
type RunFilter struct {
	Kind, Subject string
	Outcome       RunOutcome
	// Before is the StartedAt of the last run shown: paging.
	Before time.Time
	Limit  int // 0: 100
}

// Counted returns the slot that was run last for kind and subject. When there is
// none yet, counting begins now.
func (o *Org) Counted(ctx context.Context, kind, subject string, now time.Time) (time.Time, error) {
	var slot int64
	err := o.get(ctx, &slot, `SELECT slot FROM schedule WHERE org_id = ? AND kind = ? AND subject = ?`, o.id, kind, subject)
	if !errors.Is(err, ErrNotFound) {
		return fromMicros(slot), o.s.fail("read the schedule", err)
	}
	err = o.write(ctx, "schedule", func(t *tx) error {
		if _, err := t.exec(`INSERT INTO schedule (org_id, kind, subject, slot) VALUES (?, ?, ?, ?) ON CONFLICT (org_id, kind, subject) DO NOTHING`,
			o.id, kind, subject, micros(now)); err != nil {
			return err
		}
		return t.get(&slot, `SELECT slot FROM schedule WHERE org_id = ? AND kind = ? AND subject = ?`, o.id, kind, subject)
	})
	return fromMicros(slot), err
}

// BeginRun records that r runs. false: its slot was run before. Whoever calls it
// sees to it that one run of a kind and subject is under way at a time, so one
// that is open still was interrupted.
func (o *Org) BeginRun(ctx context.Context, r Run) (began bool, err error) {
	err = o.write(ctx, "run.begin", func(t *tx) error {
		began = false
		if !r.Slot.IsZero() {
			n, err := t.exec(`INSERT INTO schedule (org_id, kind, subject, slot) VALUES (?, ?, ?, ?)
				ON CONFLICT (org_id, kind, subject) DO UPDATE SET slot = excluded.slot WHERE schedule.slot < excluded.slot`,
				o.id, r.Kind, r.Subject, micros(r.Slot))
			if err != nil || n == 0 {
				return err
			}
		}
		if _, err := t.exec(`UPDATE run SET ended_at = ?, outcome = ?, summary = 'its node went away'
			WHERE org_id = ? AND kind = ? AND subject = ? AND ended_at = 0`, micros(r.StartedAt), string(RunInterrupted), o.id, r.Kind, r.Subject); err != nil {
			return err
		}
		began = true
		_, err := t.exec(`INSERT INTO run (org_id, kind, subject, started_at, slot, missed, why, node, ended_at, outcome, summary)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')`, o.id, r.Kind, r.Subject, micros(r.StartedAt), micros(r.Slot), r.Missed, r.Why, r.Node)
		return err
	})
	return began, err
}

// EndRun records what became of r: EndedAt, Outcome, Summary. [ErrNotFound] when
// it was taken for interrupted meanwhile.
func (o *Org) EndRun(ctx context.Context, r Run) error {
	return o.write(ctx, "run.end", func(t *tx) error {
		n, err := t.exec(`UPDATE run SET ended_at = ?, outcome = ?, summary = ? WHERE org_id = ? AND kind = ? AND subject = ? AND started_at = ? AND ended_at = 0`,
			micros(r.EndedAt), string(r.Outcome), cut(r.Summary, answerMax), o.id, r.Kind, r.Subject, micros(r.StartedAt))
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

const runColumns = `kind, subject, started_at, slot, missed, why, node, ended_at, outcome, summary`

// Runs returns runs, the newest first.
func (o *Org) Runs(ctx context.Context, f RunFilter) ([]Run, error) {
	where, args := `WHERE org_id = ?`, []any{o.id}
	for _, c := range []struct{ column, value string }{{"kind", f.Kind}, {"subject", f.Subject}, {"outcome", string(f.Outcome)}} {
		if c.value != "" {
			where, args = where+` AND `+c.column+` = ?`, append(args, c.value)
		}
	}
	if !f.Before.IsZero() {
		where, args = where+` AND started_at < ?`, append(args, micros(f.Before))
	}
	return o.runs(ctx, where+` ORDER BY started_at DESC LIMIT ?`, append(args, limit(f.Limit))...)
}

// OpenRuns returns the runs that have begun and not ended: those that run, and
// those whose node went away.
func (o *Org) OpenRuns(ctx context.Context) ([]Run, error) {
	return o.runs(ctx, `WHERE org_id = ? AND ended_at = 0 ORDER BY started_at`, o.id)
}

// LastRun returns the run of kind and subject that began last: [ErrNotFound].
func (o *Org) LastRun(ctx context.Context, kind, subject string) (Run, error) {
	rs, err := o.runs(ctx, `WHERE org_id = ? AND kind = ? AND subject = ? ORDER BY started_at DESC LIMIT 1`, o.id, kind, subject)
	switch {
	case err != nil:
		return Run{}, err
	case len(rs) == 0:
		return Run{}, refuse(ErrNotFound, "%s of %s was never run", kind, subject)
	}
	return rs[0], nil
}

func (o *Org) runs(ctx context.Context, where string, args ...any) ([]Run, error) {
	var rows []struct {
		Kind, Subject, Why, Node, Summary string
		Outcome                           RunOutcome
		StartedAt                         int64 `db:"started_at"`
		EndedAt                           int64 `db:"ended_at"`
		Slot                              int64
		Missed                            int
	}
	if err := o.all(ctx, &rows, `SELECT `+runColumns+` FROM run `+where, args...); err != nil {
		return nil, o.s.fail("read runs", err)
	}
	out := make([]Run, len(rows))
	for i, r := range rows {
		out[i] = Run{Kind: r.Kind, Subject: r.Subject, StartedAt: fromMicros(r.StartedAt), Slot: fromMicros(r.Slot), Missed: r.Missed, Why: r.Why,
			Node: r.Node, EndedAt: fromMicros(r.EndedAt), Outcome: r.Outcome, Summary: r.Summary}
	}
	return out, nil
}
