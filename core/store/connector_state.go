package store

import (
	"context"
	"errors"
	"time"
)

const connectorColumns = `stopped, stopped_at, paused_by, resume_at, failures, unusable, unusable_at, target, other_target,
	quarantined, quarantined_at, probe_at, probes_failed, probes_passed, drained_by, drain_seq`

// insertConnectorState makes the row of a connector that has none.
const insertConnectorState = `INSERT INTO connector_state (org_id, connector, stopped, stopped_at, paused_by, resume_at, failures)
	VALUES (?, ?, '', 0, '', 0, 0) ON CONFLICT (org_id, connector) DO NOTHING`

// connectorRow is ConnectorState as stored.
type connectorRow struct {
	Stopped   string
	StoppedAt int64  `db:"stopped_at"`
	PausedBy  string `db:"paused_by"`
	ResumeAt  int64  `db:"resume_at"`
	Failures  int

	Unusable    string
	UnusableAt  int64 `db:"unusable_at"`
	Target      string
	OtherTarget string `db:"other_target"`

	Quarantined   string
	QuarantinedAt int64 `db:"quarantined_at"`
	ProbeAt       int64 `db:"probe_at"`
	ProbesFailed  int   `db:"probes_failed"`
	ProbesPassed  int   `db:"probes_passed"`

	DrainedBy string `db:"drained_by"`
	DrainSeq  int64  `db:"drain_seq"`
}

// ConnectorState returns what stops or slows a connector; one that nothing was
// ever written about is running.
func (o *Org) ConnectorState(ctx context.Context, name string) (ConnectorState, error) {
	var row struct {
		connectorRow
		Everything string
	}
	err := o.get(ctx, &row, `SELECT `+connectorColumns+`, `+everything+` FROM connector_state WHERE org_id = ? AND connector = ?`, o.id, o.id, name)
	if errors.Is(err, ErrNotFound) {
		err = o.get(ctx, &row.Everything, `SELECT `+everything, o.id)
	}
	if err != nil {
		return ConnectorState{}, o.s.fail("read the state of connector "+name, err)
	}
	s := row.state(name)
	s.Everything = row.Everything
	return s, nil
}

// everything selects why all connectors of an org are stopped.
const everything = `COALESCE((SELECT stopped FROM org_state WHERE org_id = ?), '') AS everything`

func (row connectorRow) state(name string) ConnectorState {
	return ConnectorState{
		Connector: name, Stopped: row.Stopped, StoppedAt: fromMicros(row.StoppedAt), PausedBy: row.PausedBy,
		ResumeAt: fromMicros(row.ResumeAt), Failures: row.Failures,
		Unusable: row.Unusable, UnusableAt: fromMicros(row.UnusableAt), Target: row.Target, OtherTarget: row.OtherTarget,
		Quarantined: row.Quarantined, QuarantinedAt: fromMicros(row.QuarantinedAt), ProbeAt: fromMicros(row.ProbeAt),
		ProbesFailed: row.ProbesFailed, ProbesPassed: row.ProbesPassed, DrainedBy: row.DrainedBy, read: row,
	}
}

// SetConnectorState writes what was changed in s since [Org.ConnectorState]
// returned it, so that a worker that notes a failure does not undo a person's
// pause. A state made from nothing is written whole. Stopping, pausing and their ends
// are audited, and so is which target the connector is about.
func (o *Org) SetConnectorState(ctx context.Context, s ConnectorState, actor string, now time.Time) error {
	want := connectorRow{s.Stopped, micros(s.StoppedAt), s.PausedBy, micros(s.ResumeAt), s.Failures,
		cut(s.Unusable, answerMax), micros(s.UnusableAt), s.Target, s.OtherTarget,
		cut(s.Quarantined, answerMax), micros(s.QuarantinedAt), micros(s.ProbeAt), s.ProbesFailed, s.ProbesPassed, s.DrainedBy, s.read.DrainSeq}
	return o.write(ctx, "connector", func(t *tx) error {
		if _, err := t.exec(insertConnectorState, o.id, s.Connector); err != nil {
			return err
		}
		var has connectorRow
		err := t.get(&has, `SELECT `+connectorColumns+` FROM connector_state WHERE org_id = ? AND connector = ?`+t.s.dialect.forUpdate, o.id, s.Connector)
		if err != nil {
			return err
		}
		next := has.merge(s.read, want)
		if next == has {
			return nil
		}
		if _, err := t.exec(`UPDATE connector_state SET stopped = ?, stopped_at = ?, paused_by = ?, resume_at = ?, failures = ?,
				unusable = ?, unusable_at = ?, target = ?, other_target = ?, quarantined = ?, quarantined_at = ?, probe_at = ?,
				probes_failed = ?, probes_passed = ?, drained_by = ?, drain_seq = ? WHERE org_id = ? AND connector = ?`,
			next.Stopped, next.StoppedAt, next.PausedBy, next.ResumeAt, next.Failures,
			next.Unusable, next.UnusableAt, next.Target, next.OtherTarget, next.Quarantined, next.QuarantinedAt, next.ProbeAt,
			next.ProbesFailed, next.ProbesPassed, next.DrainedBy, next.DrainSeq, o.id, s.Connector); err != nil {
			return err
		}
		return t.audit(o.id, connectorEntries(s, actor, now, has, next)...)
	})
}

// merge takes over from want what differs from what was read.
func (has connectorRow) merge(read, want connectorRow) connectorRow {
	if read.Stopped != want.Stopped || read.StoppedAt != want.StoppedAt {
		has.Stopped, has.StoppedAt = want.Stopped, want.StoppedAt
	}
	if read.PausedBy != want.PausedBy {
		has.PausedBy = want.PausedBy
	}
	if read.ResumeAt != want.ResumeAt {
		has.ResumeAt = want.ResumeAt
	}
	if read.Failures != want.Failures {
		has.Failures = want.Failures
	}
	if read.Unusable != want.Unusable || read.UnusableAt != want.UnusableAt {
		has.Unusable, has.UnusableAt = want.Unusable, want.UnusableAt
	}
	if read.Target != want.Target {
		has.Target = want.Target
	}
	if read.OtherTarget != want.OtherTarget {
		has.OtherTarget = want.OtherTarget
	}
	if read.Quarantined != want.Quarantined || read.ProbeAt != want.ProbeAt || read.ProbesFailed != want.ProbesFailed || read.ProbesPassed != want.ProbesPassed {
		has.Quarantined, has.QuarantinedAt = want.Quarantined, want.QuarantinedAt
		has.ProbeAt, has.ProbesFailed, has.ProbesPassed = want.ProbeAt, want.ProbesFailed, want.ProbesPassed
	}
	if read.DrainedBy != want.DrainedBy && want.DrainedBy == "" { // to begin is Drain's
		has.DrainedBy, has.DrainSeq = "", 0
	}
	return has
}

func connectorEntries(s ConnectorState, actor string, now time.Time, has, next connectorRow) []AuditEntry {
	name := s.Connector
	var out []AuditEntry
	if has.Stopped != next.Stopped {
		action := "connector.stop"
		if next.Stopped == "" {
			action = "connector.start"
		}
		out = append(out, entry(now, actor, action, name, map[string]any{"why": next.Stopped}))
	}
	if has.PausedBy != next.PausedBy {
		action := "connector.pause"
		if next.PausedBy == "" {
			action = "connector.resume"
		}
		out = append(out, entry(now, actor, action, name, map[string]any{"by": next.PausedBy}))
	}
	if has.Quarantined != next.Quarantined {
		action := "connector.quarantine"
		if next.Quarantined == "" {
			action = "connector.release"
		}
		out = append(out, entry(now, actor, action, name, map[string]any{"why": next.Quarantined}))
	}
	switch {
	case has.Target != next.Target && has.Target != "":
		out = append(out, entry(now, actor, "connector.accept", name, map[string]any{"target": next.Target, "before": has.Target, "reason": s.Reason}))
	case has.OtherTarget != next.OtherTarget && next.OtherTarget != "":
		out = append(out, entry(now, actor, "connector.hold", name, map[string]any{"target": next.OtherTarget, "before": has.Target}))
	}
	return out
}
