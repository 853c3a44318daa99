package sftp

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"time"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// Target is one receiver of files.
type Target struct {
	cfg    Config
	layout *feed.Layout
	box    *outbox.Box
	log    *slog.Logger

	mu       sync.Mutex
	secrets  map[string]connector.Secret
	link     *link
	pgp      *feed.PGP               // nil: not encrypted
	ready    bool                    // the outbox holds what the receiver has
	lookedAt time.Time               // when responses were last looked for
	verified time.Time               // when the folder last did not know more than the outbox
	staged   map[place]client.Staged // files sent ahead
	flight   *flight                 // the publication under way; nil: none
	flights  sync.WaitGroup
	closed   context.Context // ended by Close
	close    context.CancelFunc
}

func open(ctx context.Context, cfg Config, in connector.Instance) (*Target, error) {
	cfg = cfg.completed()
	t := &Target{cfg: cfg, layout: cfg.layout(), log: in.Log, secrets: maps.Clone(in.Secrets), staged: map[place]client.Staged{}}
	if t.log == nil {
		t.log = slog.Default()
	}
	c, pgp, err := t.connectors(in.Secrets)
	if err != nil {
		return nil, err
	}
	t.link, t.pgp = &link{Client: c}, pgp
	dir := cfg.State
	if !filepath.IsAbs(dir) {
		if in.DataDir == "" {
			return nil, connector.Errorf(connector.CodeConfiguration, "state: there is no folder of the connector's own, so name one with its whole path")
		}
		dir = filepath.Join(in.DataDir, dir)
	}
	if t.box, err = outbox.Open(ctx, dir); err != nil {
		return nil, stateError(err)
	}
	t.closed, t.close = context.WithCancel(context.Background())
	return t, nil
}

// connectors makes what works with secrets.
func (t *Target) connectors(secrets map[string]connector.Secret) (*client.Client, *feed.PGP, error) {
	c, err := client.New(t.cfg.connection(secrets))
	if err != nil {
		return nil, nil, err
	}
	p := t.cfg.PGP
	if p == nil {
		return c, nil, nil
	}
	key := ""
	if p.Sign {
		if key = secrets[secretPGPKey].Reveal(); key == "" {
			return nil, nil, connector.Errorf(connector.CodeConfiguration, "pgp/sign: the secret %s is missing", secretPGPKey)
		}
	}
	pgp, err := feed.NewPGP(p.Recipients, key, secrets[secretPGPPassphrase].Reveal(), p.Armor)
	if err != nil {
		return nil, nil, connector.Errorf(connector.CodeConfiguration, "pgp: %w", err)
	}
	return c, pgp, nil
}

// RotateSecrets implements [connector.Rotator]. The new secrets are tried first;
// what is under way ends with the old ones.
func (t *Target) RotateSecrets(ctx context.Context, secrets map[string]connector.Secret) error {
	c, pgp, err := t.connectors(secrets)
	if err != nil {
		return err
	}
	if err := c.Connect(ctx); err != nil {
		_ = c.Close()
		return err
	}
	t.mu.Lock()
	old := t.link
	t.link, t.pgp, t.secrets = &link{Client: c}, pgp, maps.Clone(secrets)
	t.mu.Unlock()
	old.retire()
	return nil
}

// Close implements [connector.Closer]. What is accepted and not published stays in
// the outbox and goes out after the next start.
func (t *Target) Close(context.Context) error {
	t.close()
	t.flights.Wait()
	if w := t.box.Waiting(); w.Changes > 0 {
		t.log.Warn("changes wait in the outbox; they are published after the next start", "changes", w.Changes)
	}
	t.mu.Lock()
	l := t.link
	t.mu.Unlock()
	return errors.Join(l.Close(), t.box.Close())
}

// stateError says what is wrong with the outbox.
func stateError(err error) error {
	if err == nil {
		return nil
	}
	var own *connector.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, outbox.ErrLocked):
		return connector.Errorf(connector.CodeConfiguration, "state: %w; two connectors must not share it", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return connector.AsError(err)
	}
	return &connector.Error{Code: connector.CodeUnavailable, Scope: connector.ScopeInstance, Cause: err,
		Message: "the outbox on this machine cannot be used: " + err.Error()}
}
