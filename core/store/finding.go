package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
)

// FindingRow is one account that a reconciliation found not to be as it should.
type FindingRow struct {
	Connector string        `json:"connector"`
	Kind      identity.Kind `json:"kind"`
	// TargetID names the object in the target; "wanted:hr/1001" what somebody should have.
	TargetID  string `json:"target_id"`
	Situation string `json:"situation"`
	// Source and Anchor are whose account it is, or would be; "": nobody's.
	Source string `json:"source,omitempty"`
	Anchor string `json:"anchor,omitempty"`
	// Reaction is what was done about it.
	Reaction   string    `json:"reaction"`
	FirstSeen  time.Time `json:"first_seen"`
	LastSeen   time.Time `json:"last_seen"`
	ResolvedAt time.Time `json:"resolved_at,omitzero"` // zero: it is so still
	// Object is what people call the account, Text says in one sentence what is the matter.
	Object string          `json:"object"`
	Text   string          `json:"text"`
	Body   json.RawMessage `json:"finding"` // all that was found
}

// FindingFilter selects findings; zero fields do not restrict.
type FindingFilter struct {
	Connector, Situation, Reaction, Source, Anchor string
	Resolved                                       bool // those that are not so any more, too
	Over                                           bool // only those; for [Org.FindingPage]
	// After is the key of the last one shown, from [FindingRow.Key], or [FindingPage].Next.
	After string
	Limit int // 0: 100
}

// Key is what [FindingFilter].After goes on from.
func (f *FindingRow) Key() string {
	return strings.Join([]string{f.Connector, string(f.Kind), f.TargetID}, "/")
}

// SaveFindings records what was found now. One that was found before in the same
// situation keeps its FirstSeen.
func (o *Org) SaveFindings(ctx context.Context, fs []FindingRow, now time.Time) error {
	if len(fs) == 0 {
		return nil
	}
	return o.write(ctx, "findings", func(t *tx) error {
		rows := make([][]any, len(fs))
		for i, f := range fs {
			rows[i] = []any{o.id, f.Connector, string(f.Kind), f.TargetID, f.Situation, f.Source, f.Anchor, f.Reaction, micros(now), micros(now), 0, f.Object, f.Text, string(f.Body)}
		}
		return t.insert(`INSERT INTO finding (org_id, connector, kind, target_id, situation, source, anchor, reaction, first_seen, last_seen, resolved_at,
			object, text, body)`, rows,
			`ON CONFLICT (org_id, connector, kind, target_id) DO UPDATE SET
				first_seen = CASE WHEN finding.situation = excluded.situation AND finding.resolved_at = 0 THEN finding.first_seen ELSE excluded.first_seen END,
				situation = excluded.situation, source = excluded.source, anchor = excluded.anchor, reaction = excluded.reaction, last_seen = excluded.last_seen,
				resolved_at = 0, object = excluded.object, text = excluded.text, body = excluded.body`)
	})
}

// ResolveFindings marks the findings about these objects as not so any more.
func (o *Org) ResolveFindings(ctx context.Context, connector string, kind identity.Kind, ids []string, now time.Time) error {
	open, err := o.openFindings(ctx, connector, kind, ids)
	if err != nil || len(open) == 0 {
		return err
	}
	return o.write(ctx, "findings.resolve", func(t *tx) error {
		return t.s.dialect.inChunks(open, func(marks string, args []any) error {
			_, err := t.exec(`UPDATE finding SET resolved_at = ? WHERE org_id = ? AND connector = ? AND kind = ? AND resolved_at = 0
				AND target_id IN (`+marks+`)`, append([]any{micros(now), o.id, connector, string(kind)}, args...)...)
			return err
		})
	})
}

// openFindings returns those of ids that there is an open finding about, so that a
// target in good order costs no write.
func (o *Org) openFindings(ctx context.Context, connector string, kind identity.Kind, ids []string) (open []string, err error) {
	err = o.s.dialect.inChunks(ids, func(marks string, args []any) error {
		var some []string
		err := o.all(ctx, &some, `SELECT target_id FROM finding WHERE org_id = ? AND connector = ? AND kind = ? AND resolved_at = 0
			AND target_id IN (`+marks+`)`, append([]any{o.id, connector, string(kind)}, args...)...)
		open = append(open, some...)
		return err
	})
	return open, o.s.fail("read findings", err)
}

// ResolveFindingsBefore marks the findings about a connector, in these situations, that
// were last seen before a complete reconciliation as not so any more, and returns how many.
func (o *Org) ResolveFindingsBefore(ctx context.Context, connector string, situations []string, before, now time.Time) (n int, err error) {
	err = o.write(ctx, "findings.resolve", func(t *tx) error {
		n = 0
		return t.s.dialect.inChunks(situations, func(marks string, args []any) error {
			changed, err := t.exec(`UPDATE finding SET resolved_at = ? WHERE org_id = ? AND connector = ? AND resolved_at = 0 AND last_seen < ?
				AND situation IN (`+marks+`)`, append([]any{micros(now), o.id, connector, micros(before)}, args...)...)
			n += int(changed)
			return err
		})
	})
	return n, err
}

// Findings returns findings by connector and object.
func (o *Org) Findings(ctx context.Context, f FindingFilter) ([]FindingRow, error) {
	where, args := `WHERE org_id = ?`, []any{o.id}
	for _, c := range []struct{ column, value string }{{"connector", f.Connector}, {"situation", f.Situation}, {"reaction", f.Reaction}, {"source", f.Source}, {"anchor", f.Anchor}} {
		if c.value != "" {
			where, args = where+` AND `+c.column+` = ?`, append(args, c.value)
		}
	}
	if !f.Resolved {
		where += ` AND resolved_at = 0`
	}
	if after := strings.SplitN(f.After, "/", 3); len(after) == 3 {
		where, args = where+` AND (connector, kind, target_id) > (?, ?, ?)`, append(args, after[0], after[1], after[2])
	}
	out, err := o.findings(ctx, `SELECT `+findingColumns+` FROM finding `+where+` ORDER BY connector, kind, target_id LIMIT ?`, append(args, limit(f.Limit))...)
	return out, o.s.fail("read findings", err)
}
