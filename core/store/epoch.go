package store

import (
	"context"
	"errors"
)

// errCut ends what waits for a database that has not answered in time.
var errCut = errors.New("the connection to the database was given up: it did not answer in time")

// epoch is the time between two losses of the connection to PostgreSQL. What is
// under way when it ends is ended too: an answer that hangs on a dead connection
// never comes, and somebody may wait for it who must stop sending.
type epoch struct {
	ctx context.Context
	end context.CancelCauseFunc
}

func newEpoch() *epoch {
	ctx, end := context.WithCancelCause(context.Background())
	return &epoch{ctx, end}
}

// cut ends all queries and transactions that are under way.
func (s *Store) cut() { s.epoch.Swap(newEpoch()).end(errCut) }

// within bounds ctx by the current epoch. Call done when the query is over.
func (s *Store) within(ctx context.Context) (_ context.Context, done func()) {
	if s.gate != nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.epoch.Load().ctx, func() { cancel(errCut) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}
