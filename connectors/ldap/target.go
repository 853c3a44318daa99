package ldap

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// Target is one directory.
type Target struct {
	cfg Config
	log *slog.Logger

	mu  sync.Mutex
	now *session
}

// session is a login and what is known behind it. Rotated secrets replace it;
// calls under way finish on the old one.
type session struct {
	*ldap.Client
	cfg   *Config
	users sync.WaitGroup

	mu      sync.Mutex
	m       *model // nil until the server was asked
	loaders map[string]*loader
	groups  map[string]*memberQueue // by the id of the group
}

// open checks the secrets against the config. It does not connect.
func open(cfg Config, secrets map[string]connector.Secret, log *slog.Logger) (*Target, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Target{cfg: cfg, log: log}
	s, err := t.login(secrets)
	if err != nil {
		return nil, err
	}
	t.now = s
	return t, nil
}

func (t *Target) login(secrets map[string]connector.Secret) (*session, error) {
	l, _ := arrange(&t.cfg)
	c, err := ldap.New(ldap.Options{
		URLs: t.cfg.URLs, AllowPlaintext: t.cfg.AllowPlaintext, AllowInsecure: t.cfg.AllowInsecure, CAFile: t.cfg.TLSCAFile,
		CertFile: t.cfg.TLSCertFile, ClientKey: secrets[secretKey], BindDN: t.cfg.BindDN, Password: secrets[secretPassword],
		External: t.cfg.Bind == "external", Timeout: t.cfg.timeout(), ConnectTimeout: time.Duration(t.cfg.ConnectTimeout),
		Connections: t.cfg.Connections, Pipeline: t.cfg.Pipeline, DomainScope: l.dir.DomainScope,
	})
	if err != nil {
		return nil, err
	}
	return &session{Client: c, cfg: &t.cfg, loaders: map[string]*loader{}, groups: map[string]*memberQueue{}}, nil
}

func configuration(text string) error {
	return &connector.Error{Code: connector.CodeConfiguration, Message: text}
}

// use returns the login to work with; release it when done.
func (t *Target) use() (s *session, release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.users.Add(1)
	return t.now, t.now.users.Done
}

// work returns the login and what is known of the directory.
func (t *Target) work(ctx context.Context) (*session, *model, func(), error) {
	s, release := t.use()
	m, err := s.model(ctx)
	if err != nil {
		release()
		return nil, nil, nil, err
	}
	return s, m, release, nil
}

// model returns what the server says of itself, read on first use.
func (s *session) model(ctx context.Context) (*model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m != nil {
		return s.m, nil
	}
	m, err := learn(ctx, s.Client, s.cfg)
	if err == nil {
		s.m = m
	}
	return m, err
}

// Schema implements [connector.Target]. It asks the server every time.
func (t *Target) Schema(ctx context.Context) (connector.Schema, error) {
	s, release := t.use()
	defer release()
	m, err := learn(ctx, s.Client, s.cfg)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.m = m
	s.mu.Unlock()
	return m.published(), nil
}

// RotateSecrets implements [connector.Rotator]. What is under way finishes with
// the old login.
func (t *Target) RotateSecrets(_ context.Context, secrets map[string]connector.Secret) error {
	next, err := t.login(secrets)
	if err != nil {
		return err
	}
	t.mu.Lock()
	old := t.now
	t.now = next
	t.mu.Unlock()
	go old.close()
	return nil
}

// Close implements [connector.Closer]: it waits for what is under way.
func (t *Target) Close(context.Context) error {
	t.mu.Lock()
	s := t.now
	t.mu.Unlock()
	s.close()
	return nil
}

func (s *session) close() {
	s.users.Wait()
	s.Client.Close()
}
