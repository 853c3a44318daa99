package scim

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Target is one SCIM service.
type Target struct {
	cfg     Config
	profile *client.Profile // before discovery
	log     *slog.Logger
	members merger[string, client.MemberChange]
	creates merger[kindOf, *posting]
	groups  groupNames
	seen    seen
	doubts  doubts
	busy    atomic.Int64 // grants and revokes under way

	mu sync.Mutex
	s  *service
}

// service is the service as one set of secrets opens it, and what is known of
// it. Rotated secrets replace it; calls under way finish on the old one.
type service struct {
	*client.Client
	cfg *Config
	log *slog.Logger

	noBulk atomic.Bool // it refused a bulk request, whatever it announces

	turn chan struct{} // holds one token: who discovers
	m    *model        // nil until discovered; guarded by turn
}

// open reads config and secrets. It does not connect.
func open(cfg Config, in connector.Instance) (*Target, error) {
	p, err := cfg.access().Effective()
	if err != nil {
		return nil, configuration("dialect: " + err.Error())
	}
	log := in.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Target{cfg: cfg, profile: p, log: log}
	t.members.send, t.members.subject = t.changeMembers, memberOf
	t.creates.send, t.creates.most = postAll, maxBulk
	if t.s, err = t.connect(in.Secrets); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Target) connect(secrets map[string]connector.Secret) (*service, error) {
	o, err := t.cfg.access().Options(secrets)
	if err != nil {
		return nil, err
	}
	o.Log = t.log
	c, err := client.New(o)
	if err != nil {
		return nil, err
	}
	s := &service{Client: c, cfg: &t.cfg, log: t.log, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s, nil
}

// use returns the service to work with, discovered.
func (t *Target) use(ctx context.Context) (*service, *model, error) {
	s := t.current()
	m, err := s.model(ctx, false)
	return s, m, err
}

func (t *Target) current() *service {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.s
}

// RotateSecrets implements [connector.Rotator]. What is under way finishes with
// the old secrets.
func (t *Target) RotateSecrets(_ context.Context, secrets map[string]connector.Secret) error {
	next, err := t.connect(secrets)
	if err != nil {
		return err
	}
	t.mu.Lock()
	old := t.s
	t.s = next
	t.mu.Unlock()
	old.Client.Close()
	return nil
}

// Close implements [connector.Closer]: it waits for what is under way.
func (t *Target) Close(context.Context) error {
	t.members.wait()
	t.creates.wait()
	t.current().Client.Close()
	return nil
}

// Schema implements [connector.Target]. It asks the service every time.
func (t *Target) Schema(ctx context.Context) (connector.Schema, error) {
	m, err := t.current().model(ctx, true)
	if err != nil {
		return nil, err
	}
	return m.schema(), nil
}

// model returns what is known of the service, asked on first use and again when
// fresh is set.
func (s *service) model(ctx context.Context, fresh bool) (*model, error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return nil, connector.AsError(ctx.Err())
	}
	defer func() { s.turn <- struct{}{} }()
	if s.m != nil && !fresh {
		return s.m, nil
	}
	if err := s.greet(ctx); err != nil {
		return nil, err
	}
	d, err := s.Discover(ctx)
	if err != nil {
		return nil, err
	}
	m, err := buildModel(s.cfg, s.Profile(), describing(d, client.Users), describing(d, client.Groups), s.takesPasswords(d))
	if err != nil {
		return nil, err
	}
	for _, p := range d.Problems {
		m.problems = append(m.problems, p.What+": "+connector.AsError(p.Err).Message)
	}
	s.log.InfoContext(ctx, "looked at the service", "profile", s.Profile().Name, "problems", m.problems)
	s.m = m
	return m, nil
}

// greet makes one harmless request before any other (QUIRKS SCIM-35): a secret
// that is wrong must not be tried by every request of a discovery, which goes on
// when something is refused. What else is refused says nothing yet.
func (s *service) greet(ctx context.Context) error {
	_, err := s.Find(ctx, client.Users, "userName", "provhub-check-"+rand.Text(), client.Selection{})
	var refused *client.Fault
	switch {
	case connector.IsCode(err, connector.CodeNotFound), connector.IsCode(err, connector.CodeUnsupported):
		return nil
	case errors.As(err, &refused) && refused.Status != http.StatusUnauthorized:
		return nil
	}
	return err
}

// takesPasswords reports whether accounts have passwords that can be set.
func (s *service) takesPasswords(d *client.Discovery) bool {
	if p := s.cfg.Users.Passwords; p != nil {
		return *p
	}
	return d.Config != nil && d.Config.ChangePassword != nil && d.Config.ChangePassword.Supported
}

// describing returns what the service says of a type; nil unless it is
// believable: a user without userName is a placeholder (QUIRKS SCIM-21).
func describing(d *client.Discovery, t client.ResourceType) *described {
	other, naming := "Group", "userName"
	if t == client.Groups {
		other, naming = "User", "displayName"
	}
	var own []client.Schema
	for _, s := range d.Schemas {
		if !strings.EqualFold(s.ID, "urn:ietf:params:scim:schemas:core:2.0:"+other) {
			own = append(own, s)
		}
	}
	ix := client.NewAttributeIndex(own)
	if _, ok := ix.Attribute(client.Path{Attr: naming}); !ok {
		return nil
	}
	return &described{ix}
}
