package hub

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/core/store"
)

// Backup writes the state as it is at one moment to path, and returns its size in
// bytes. Whoever works goes on. [store.ErrNotSQLite] on PostgreSQL.
func (h *Hub) Backup(ctx context.Context, path string) (size int64, err error) {
	return h.store.Backup(ctx, path)
}

// Prune takes out history that is older than the config keeps it.
func (h *Hub) Prune(ctx context.Context) (store.Pruned, error) {
	return h.org.Prune(ctx, h.cfg.Retention, h.now())
}

// CopyState fills a new database at url with the whole state, of all orgs, and
// returns the rows by table. Nobody may work meanwhile: it asks for the working role.
func (h *Hub) CopyState(ctx context.Context, url string) (rows map[string]int, err error) {
	release, err := h.store.WorkAll(ctx, "provhub migrate")
	if err != nil {
		return nil, err
	}
	defer release()
	to, err := store.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := to.Close(); err == nil {
			err = cerr
		}
	}()
	rows, err = h.store.Copy(ctx, to, func(table string, n int) {
		h.opt.Progress(Progress{What: "copying " + table, Done: n})
	})
	h.opt.Progress(Progress{What: "copying", Done: 1, Total: 1})
	if err != nil {
		return nil, fmt.Errorf("copy the state: %w", err)
	}
	return rows, nil
}
