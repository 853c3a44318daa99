package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

func (a *app) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Copy the SQLite state to a file while others work", Args: args(cobra.ExactArgs(1), "the file to write"),
		Long: `Copy the state as it is at one moment to a file, check the copy, and put it on disk. A
daemon works on meanwhile. A file that is there already stays as it is.

Keep with it what the state is about: the config, plugins.lock and the folder of the
plugins' data. PostgreSQL is backed up with its own means, such as pg_dump.`,
		Example: "  provhub backup /var/backups/provhub-$(date +%F).db\n  provhub backup nightly.db --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			size, err := h.Backup(cmd.Context(), args[0])
			if errors.Is(err, fs.ErrExist) || errors.Is(err, store.ErrNotSQLite) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if done, err := a.json(map[string]any{"wrote": args[0], "bytes": size}); done {
				return err
			}
			a.printf("Wrote %s, %.1f MB, and read it back: it is sound.\n", args[0], float64(size)/1e6)
			return nil
		}),
	}
}

func (a *app) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Put a backup in the place of the SQLite state", Args: args(cobra.ExactArgs(1), "the backup"),
		Long: `Put a backup in the place of the state that the config names. The backup is checked
first; what is there is kept beside it under another name. No provhub may be at work.

Targets have gone on since the backup was made. Afterwards, ` + "`provhub reconcile run`" + ` tells
where they differ, and reconcile.on what is mended.`,
		Example: "  provhub restore /var/backups/provhub-2026-03-01.db\n  provhub reconcile run crm",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.restore(cmd.Context(), args[0]) },
	}
}

func (a *app) restore(ctx context.Context, from string) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	if _, err := os.Stat(from); err != nil {
		return usageError{fmt.Errorf("the backup cannot be read: %w", err)}
	}
	kept, err := store.Restore(ctx, from, cfg.State.URL, cfg.Org, time.Now())
	switch {
	case errors.Is(err, store.ErrNotSQLite):
		return usageError{err}
	case err != nil:
		return err
	}
	if done, err := a.json(map[string]any{"restored": cfg.State.URL, "kept": kept}); done {
		return err
	}
	a.printf("Restored %s from %s.\n", strings.TrimPrefix(cfg.State.URL, "sqlite:"), from)
	if kept != "" {
		a.printf("What was there is %s.\n", filepath.Base(kept))
	}
	a.printf("Targets have gone on since: `provhub reconcile run CONNECTOR` tells where they differ.\n")
	return nil
}

func (a *app) migrateCommand() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "migrate --to URL", Short: "Copy the state to another database: SQLite to PostgreSQL, or back", Args: none(),
		Long: `Copy the whole state, of all orgs, to a new database: from SQLite to PostgreSQL when more
than one node is to serve, or back. Nothing may work meanwhile. It is copied whole or not
at all; rows are counted and the audit trail is verified. The old database stays as it is:
change state.url of the config, and keep the old one until all is well.`,
		Example: "  provhub migrate --to postgres://provhub@db.example.org/provhub\n  provhub migrate --to sqlite:provhub.db",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			if to == "" {
				return usageError{errors.New("--to is missing: name the new database, as sqlite:PATH or postgres://USER@HOST/DATABASE")}
			}
			rows, err := h.CopyState(cmd.Context(), to)
			if errors.Is(err, store.ErrNotEmpty) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if done, err := a.json(rows); done {
				return err
			}
			total := 0
			for _, n := range rows {
				total += n
			}
			var out [][]any
			for _, table := range slices.Sorted(maps.Keys(rows)) {
				if rows[table] > 0 {
					out = append(out, []any{table, rows[table]})
				}
			}
			a.table([]any{"table", "rows"}, out)
			a.printf("\n%d rows are there, and the audit trail is intact. Change state.url now.\n", total)
			return nil
		}),
	}
	c.Flags().StringVar(&to, "to", "", "the new database, as state.url would name it")
	return c
}
