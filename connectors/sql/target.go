package sql

import (
	"context"
	"log/slog"
	"sync"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// Target is one database.
type Target struct {
	cfg Config
	log *slog.Logger

	mu sync.Mutex
	db *database
}

// database is an open connection string and what is known behind it. A rotated
// secret replaces it; calls under way finish on the old one.
type database struct {
	d        *dialect.Dialect
	h        *dialect.Handle
	sessions *sessions
	users    sync.WaitGroup

	mu sync.Mutex
	m  *model // nil until the catalogue was read
}

// open reads the connection string. It does not connect.
func open(cfg Config, dsn connector.Secret, log *slog.Logger) (*Target, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Target{cfg: cfg, log: log}
	db, err := t.connect(dsn)
	if err != nil {
		return nil, err
	}
	t.db = db
	return t, nil
}

func (t *Target) connect(dsn connector.Secret) (*database, error) {
	if dsn.IsZero() {
		return nil, configuration(`the secret "dsn" is missing; it is the connection string of the database`)
	}
	d, err := dialect.Of(t.cfg.Dialect, dsn.Reveal())
	if err != nil {
		return nil, configuration(err.Error())
	}
	h, err := d.Open(dsn.Reveal(), dialect.Options{
		PoolSize: t.cfg.pool(), StatementTimeout: t.cfg.timeout(), CAFile: t.cfg.TLSCAFile,
		AllowInsecure: t.cfg.AllowInsecure, PgBouncer: t.cfg.PgBouncer,
	})
	if err != nil {
		return nil, configuration(err.Error())
	}
	return &database{d: d, h: h, sessions: newSessions(d, h, t.cfg.pool())}, nil
}

func configuration(text string) error {
	return &connector.Error{Code: connector.CodeConfiguration, Message: text}
}

// use returns the database to work with; release it when done.
func (t *Target) use() (db *database, release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.db.users.Add(1)
	return t.db, t.db.users.Done
}

// RotateSecrets implements [connector.Rotator]. What is under way finishes with
// the old login.
func (t *Target) RotateSecrets(_ context.Context, secrets map[string]connector.Secret) error {
	next, err := t.connect(secrets["dsn"])
	if err != nil {
		return err
	}
	t.mu.Lock()
	old := t.db
	t.db = next
	t.mu.Unlock()
	go func() {
		if err := old.close(); err != nil {
			t.log.Warn("close the connections of the old login", "error", old.d.FaultOf(err).Error().Error())
		}
	}()
	return nil
}

// Close implements [connector.Closer]: it waits for what is under way.
func (t *Target) Close(context.Context) error {
	t.mu.Lock()
	db := t.db
	t.mu.Unlock()
	if err := db.close(); err != nil {
		return db.d.FaultOf(err).Error()
	}
	return nil
}

func (db *database) close() error {
	db.users.Wait()
	db.sessions.close()
	return db.h.Close()
}

// model returns what the catalogue says, read on first use.
func (db *database) model(ctx context.Context, cfg *Config) (*model, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.m != nil {
		return db.m, nil
	}
	return db.read(ctx, cfg)
}

// refresh reads the catalogue again.
func (db *database) refresh(ctx context.Context, cfg *Config) (*model, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.read(ctx, cfg)
}

func (db *database) read(ctx context.Context, cfg *Config) (*model, error) {
	if cfg.custom() {
		db.m = declared(db.d, cfg)
		return db.m, nil
	}
	m, err := resolve(ctx, db.d, db.h.DB, cfg)
	if err != nil {
		return nil, faultError(db.d, err)
	}
	db.m = m
	return m, nil
}

// Schema implements [connector.Target]. It reads the catalogue every time.
func (t *Target) Schema(ctx context.Context) (connector.Schema, error) {
	db, release := t.use()
	defer release()
	m, err := db.refresh(ctx, &t.cfg)
	if err != nil {
		return nil, err
	}
	return m.schema(), nil
}
