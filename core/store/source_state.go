package store

import (
	"context"
	"encoding/json"
)

// SourceState returns how the last reading of source went; [ErrNotFound] before
// the first one.
func (o *Org) SourceState(ctx context.Context, source string) (SourceState, error) {
	var row struct {
		Snapshot, Report                       string
		Dated, ReadAt, People, Groups, Applied int64
		Rev                                    int64
	}
	err := o.s.reader.QueryRowxContext(ctx, o.s.rebind(`SELECT snapshot, dated, read_at, people, groups_count, applied_generation, report, rev
		FROM source_state WHERE org_id = ? AND source = ?`), o.id, source).
		Scan(&row.Snapshot, &row.Dated, &row.ReadAt, &row.People, &row.Groups, &row.Applied, &row.Report, &row.Rev)
	if err != nil {
		return SourceState{}, o.s.fail("read the state of source "+source, notFound(err))
	}
	s := SourceState{
		Source: source, Snapshot: row.Snapshot, Dated: fromMicros(row.Dated), ReadAt: fromMicros(row.ReadAt),
		People: int(row.People), Groups: int(row.Groups), AppliedGeneration: row.Applied, Rev: row.Rev,
	}
	if row.Report != "" {
		s.Report = json.RawMessage(row.Report)
	}
	return s, nil
}
