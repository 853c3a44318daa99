package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/provhub/provhub/connectors/connector"
)

// ProviderOptions say how people sign in at an OpenID provider.
type ProviderOptions struct {
	Issuer, ClientID string
	ClientSecret     connector.Secret
	// RedirectURL is where the provider sends people back to; it is registered there.
	RedirectURL string
	// Scopes are asked for; nil: openid, profile and email.
	Scopes []string
	// Grants give roles for claims; the first that fits counts.
	Grants []Grant
	// Client reaches the provider; nil: [http.DefaultClient].
	Client *http.Client
}

// Grant gives a role to everybody with this value in a claim.
type Grant struct {
	Claim, Value string
	Role         Role
}

// ErrNoRole: the provider vouches for somebody to whom no role is given.
var ErrNoRole = errors.New("no role is given to any of the groups this account is in")

// ErrStale: the provider's answer is to a sign-in that this browser has not begun, has
// finished, or began too long ago. Beginning again helps.
var ErrStale = errors.New("the answer belongs to another sign-in, or to one that took too long; begin again")

// providerTimeout bounds each request to the provider: a person waits for it.
const providerTimeout = 10 * time.Second

// Provider is an OpenID provider that vouches for people: authorization code flow
// with PKCE (OpenID Connect Core §3.1, RFC 7636). It is safe for concurrent use.
type Provider struct {
	opt ProviderOptions

	mu    sync.Mutex
	found *oidc.Provider // what discovery found; nil: it is still to be asked
}

// NewProvider makes a provider. It asks nobody anything: a provider that is down keeps
// no hub from starting.
func NewProvider(o ProviderOptions) *Provider {
	if len(o.Scopes) == 0 {
		o.Scopes = []string{oidc.ScopeOpenID, "profile", "email"}
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	return &Provider{opt: o}
}

// Flow is what ties the answer of the provider to the browser that asked: it is kept
// there until the answer comes.
type Flow struct {
	State, Nonce, Verifier string
	// Next is the page to show when it went well.
	Next string
}

// Begin starts a sign-in and returns where to send the browser.
func (p *Provider) Begin(ctx context.Context, next string) (Flow, string, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return Flow{}, "", err
	}
	f := Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next}
	url := p.oauth(found).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier))
	return f, url, nil
}

// Finish takes the provider's answer to f, checks it, and returns who signed in:
// [ErrNoRole] when they have no business here, [ErrStale] when it does not fit f.
func (p *Provider) Finish(ctx context.Context, f Flow, state, code string) (Who, error) {
	if f.State == "" || subtle.ConstantTimeCompare([]byte(state), []byte(f.State)) != 1 {
		return Who{}, ErrStale
	}
	found, err := p.discover(ctx)
	if err != nil {
		return Who{}, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.opt.Client), providerTimeout)
	defer cancel()
	token, err := p.oauth(found).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return Who{}, fmt.Errorf("the provider gave no token: %w", withoutBody(err))
	}
	claims, err := p.verified(ctx, found, token, f.Nonce)
	if err != nil {
		return Who{}, err
	}
	who := Who{Actor: actorOf(claims), Role: roleOf(p.opt.Grants, claims)}
	if who.Role == "" {
		return who, fmt.Errorf("%w: %s", ErrNoRole, whyNoRole(p.opt.Grants, claims))
	}
	return who, nil
}

// verified returns the claims of the ID token, and of the userinfo endpoint what the
// token does not have (OpenID Connect Core §5.4): many providers keep groups there.
func (p *Provider) verified(ctx context.Context, found *oidc.Provider, token *oauth2.Token, nonce string) (map[string]any, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the provider gave no ID token; is the scope openid asked for?")
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.opt.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("the provider's ID token is refused: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return nil, errors.New("the provider's ID token is for another sign-in")
	}
	claims := map[string]any{}
	if found.UserInfoEndpoint() != "" {
		info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
		switch {
		case err != nil:
			return nil, fmt.Errorf("the provider's userinfo: %w", err)
		case info.Subject != id.Subject: // OpenID Connect Core §5.3.2
			return nil, errors.New("the provider's userinfo is about somebody else")
		}
		if err := info.Claims(&claims); err != nil {
			return nil, fmt.Errorf("the provider's userinfo: %w", err)
		}
	}
	if err := id.Claims(&claims); err != nil { // the signed ones win
		return nil, fmt.Errorf("the provider's ID token: %w", err)
	}
	return claims, nil
}

// Ready asks the provider for its endpoints and says why nobody can sign in there; nil:
// they can, as far as that shows.
func (p *Provider) Ready(ctx context.Context) error {
	_, err := p.discover(ctx)
	return err
}

// discover asks the provider for its endpoints, until it has answered once.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.opt.Client), providerTimeout)
	defer cancel()
	found, err := oidc.NewProvider(ctx, p.opt.Issuer)
	if err != nil {
		return nil, fmt.Errorf("the provider %s cannot be asked for its endpoints: %w%s", p.opt.Issuer, err, issuerHint(err))
	}
	p.found = found
	return found, nil
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.opt.ClientID, ClientSecret: p.opt.ClientSecret.Reveal(), Endpoint: found.Endpoint(),
		RedirectURL: p.opt.RedirectURL, Scopes: p.opt.Scopes,
	}
}

// issuerHint says what to do when what answers is not the issuer of the config.
func issuerHint(err error) string {
	if text := err.Error(); strings.Contains(text, "did not match") || strings.HasPrefix(text, "404") {
		return "; web.oidc.issuer must be what the provider's document at ISSUER/.well-known/openid-configuration calls its issuer, letter by letter"
	}
	return ""
}

// withoutBody keeps what the provider says is wrong, and nothing else of its answer
// (RFC 6749 §5.2).
func withoutBody(err error) error {
	var r *oauth2.RetrieveError
	if errors.As(err, &r) && r.ErrorCode != "" {
		hint := ""
		switch r.ErrorCode {
		case "invalid_client", "unauthorized_client":
			hint = "; web.oidc.client_id and client_secret must be those that the provider has registered"
		case "invalid_grant":
			hint = "; the answer was used before, or is too old: begin again"
		}
		return fmt.Errorf("%s: %s%s", r.ErrorCode, r.ErrorDescription, hint)
	}
	if errors.As(err, &r) && r.Response != nil {
		return fmt.Errorf("it answered %s", r.Response.Status)
	}
	return err
}
