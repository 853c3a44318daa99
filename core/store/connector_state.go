package store

import (
	"context"
	"errors"
	"time"
)

const connectorColumns = `rules_hash, stopped, stopped_at, paused_by, resume_at, failures, unusable, unusable_at, target, other_target`

// connectorRow is ConnectorState as stored.
type connectorRow struct {
	RulesHash string `db:"rules_hash"`
	Stopped   string
	StoppedAt int64  `db:"stopped_at"`
	PausedBy  string `db:"paused_by"`
	ResumeAt  int64  `db:"resume_at"`
	Failures  int

	Unusable    string
	UnusableAt  int64 `db:"unusable_at"`
	Target      string
	OtherTarget string `db:"other_target"`
}

// ConnectorState returns what stops or slows a connector; one that nothing was
// ever written about is running.
func (o *Org) ConnectorState(ctx context.Context, name string) (ConnectorState, error) {
	var row connectorRow
	err := o.get(ctx, &row, `SELECT `+connectorColumns+` FROM connector_state WHERE org_id = ? AND connector = ?`, o.id, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return ConnectorState{}, o.s.fail("read the state of connector "+name, err)
	}
	return ConnectorState{
		Connector: name, RulesHash: row.RulesHash, Stopped: row.Stopped, StoppedAt: fromMicros(row.StoppedAt), PausedBy: row.PausedBy,
		ResumeAt: fromMicros(row.ResumeAt), Failures: row.Failures,
		Unusable: row.Unusable, UnusableAt: fromMicros(row.UnusableAt), Target: row.Target, OtherTarget: row.OtherTarget, read: row,
	}, nil
}

// ConnectorNames returns the connectors that anything was ever planned for, sorted.
func (o *Org) ConnectorNames(ctx context.Context) ([]string, error) {
	var names []string
	err := o.all(ctx, &names, `SELECT connector FROM connector_state WHERE org_id = ? ORDER BY connector`, o.id)
	return names, o.s.fail("read the connectors' names", err)
}

// SetConnectorState writes what was changed in s since [Org.ConnectorState]
// returned it, so that a worker that notes a failure does not undo a person's
// pause. A state made from nothing is written whole. RulesHash is never written:
// it goes with a plan. Stopping, pausing and their ends are audited, and so is which
// target the connector is about.
func (o *Org) SetConnectorState(ctx context.Context, s ConnectorState, actor string, now time.Time) error {
	want := connectorRow{s.RulesHash, s.Stopped, micros(s.StoppedAt), s.PausedBy, micros(s.ResumeAt), s.Failures,
		cut(s.Unusable, answerMax), micros(s.UnusableAt), s.Target, s.OtherTarget}
	return o.write(ctx, "connector", func(t *tx) error {
		if _, err := t.exec(`INSERT INTO connector_state (org_id, connector, `+connectorColumns+`) VALUES (?, ?, '', '', 0, '', 0, 0, '', 0, '', '')
			ON CONFLICT (org_id, connector) DO NOTHING`, o.id, s.Connector); err != nil {
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
				unusable = ?, unusable_at = ?, target = ?, other_target = ? WHERE org_id = ? AND connector = ?`,
			next.Stopped, next.StoppedAt, next.PausedBy, next.ResumeAt, next.Failures,
			next.Unusable, next.UnusableAt, next.Target, next.OtherTarget, o.id, s.Connector); err != nil {
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
	switch {
	case has.Target != next.Target && has.Target != "":
		out = append(out, entry(now, actor, "connector.accept", name, map[string]any{"target": next.Target, "before": has.Target, "reason": s.Reason}))
	case has.OtherTarget != next.OtherTarget && next.OtherTarget != "":
		out = append(out, entry(now, actor, "connector.hold", name, map[string]any{"target": next.OtherTarget, "before": has.Target}))
	}
	return out
}
