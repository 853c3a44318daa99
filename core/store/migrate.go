package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/provhub/provhub/schemas"
)

// ErrNewer refuses a database that a newer provhub has written.
var ErrNewer = errors.New("the database was written by a newer provhub")

// migrate brings the schema up to date. Two processes that start at the same
// time take turns.
func (s *Store) migrate(ctx context.Context) error {
	p, err := s.migrations()
	if err != nil {
		return err
	}
	has, want, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case has > want:
		return fmt.Errorf("%w: its schema is version %d, this program knows up to %d; use the newer program, or restore a backup made before the upgrade",
			ErrNewer, has, want)
	case has == want:
		return nil
	}
	if s.gate != nil {
		unlock, err := lockFile(ctx, s.path()+".migrate.lock")
		if err != nil {
			return err
		}
		defer unlock()
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	return nil
}

func (s *Store) migrations() (*goose.Provider, error) {
	fsys := schemas.SQL()
	names, err := fs.Glob(fsys, "*"+s.dialect.otherSuffix)
	if err != nil {
		return nil, err
	}
	for i := range names {
		names[i] = path.Base(names[i])
	}
	opts := []goose.ProviderOption{goose.WithExcludeNames(names), goose.WithDisableGlobalRegistry(true)}
	if s.gate == nil {
		l, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		opts = append(opts, goose.WithSessionLocker(l))
	}
	return goose.NewProvider(s.dialect.goose, s.writer.DB, fsys, opts...)
}

// path is where a SQLite file is.
func (s *Store) path() string { return strings.TrimPrefix(s.name, "sqlite:") }
