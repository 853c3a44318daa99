package store

import (
	"context"
	"sync/atomic"
)

// PostgreSQL plans a query by what it saw when it last looked at the tables, and
// looks by itself a minute or so after they grew. Until then it takes a table that
// was empty for a small one, and walks it for every lookup. SQLite plans by fixed
// numbers.

// analyzeFrom is how many new rows make its picture of a table wrong enough to
// matter.
const analyzeFrom = 1000

// analyze has PostgreSQL look at tables that were written in bulk.
func (t *tx) analyze(rows int64, tables ...string) error {
	if t.s.gate != nil || rows < analyzeFrom {
		return nil
	}
	for _, name := range tables {
		if _, err := t.exec("ANALYZE " + name); err != nil {
			return err
		}
	}
	return nil
}

// ledgerGrowth counts what this process wrote into the ledger.
type ledgerGrowth struct{ written, looked atomic.Int64 }

// grew has PostgreSQL look at the ledger whenever twice as much was written as the
// last time. It comes after the commit: that it fails costs time and nothing else.
func (s *Store) grew(ctx context.Context, accounts int) {
	if s.gate != nil {
		return
	}
	written, looked := s.growth.written.Add(int64(accounts)), s.growth.looked.Load()
	if written < max(2*looked, analyzeFrom) || !s.growth.looked.CompareAndSwap(looked, written) {
		return
	}
	_, _ = s.writer.ExecContext(ctx, "ANALYZE account, grant_edge")
}
