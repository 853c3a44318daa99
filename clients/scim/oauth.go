package scim

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"github.com/provhub/provhub/connectors/connector"
)

// tokenSkew is how long before its end a token is no longer used.
const tokenSkew = 30 * time.Second

// tokenTimeout bounds one request for a token.
const tokenTimeout = 30 * time.Second

// Credentials are those of OAuth 2.0 client credentials (RFC 6749 §4.4).
type Credentials struct {
	TokenURL     string
	ClientID     string
	ClientSecret connector.Secret
	Scopes       []string
	Parameters   map[string]string // further parameters, such as audience or account_id
	InBody       bool              // the secret goes in the body, not in a Basic header
}

// ClientCredentials signs requests with a token from c. A token is kept until
// shortly before its end, and asked for once, however many requests wait for it.
func ClientCredentials(c Credentials) Auth { return &clientCredentials{c: c} }

type clientCredentials struct {
	c      Credentials
	http   *http.Client
	refuse error // why the token's address is not asked
	flight singleflight.Group
	mu     sync.Mutex
	token  *oauth2.Token // nil: none that is good
	until  time.Time     // how long it is used; zero: for ever
}

func (a *clientCredentials) reach(t *transports) {
	a.http = t.client(false)
	u, err := url.Parse(a.c.TokenURL)
	if err == nil {
		err = t.allows(u)
	}
	if err != nil {
		a.refuse = connector.Errorf(connector.CodeConfiguration, "the address for tokens: %w", err)
	}
}

func (a *clientCredentials) header(ctx context.Context) (string, connector.Secret, error) {
	t, err := a.current(ctx)
	if err != nil {
		return "", connector.Secret{}, err
	}
	return "Authorization", connector.NewSecret("Bearer " + t.AccessToken), nil
}

func (a *clientCredentials) current(ctx context.Context) (*oauth2.Token, error) {
	a.mu.Lock()
	t, until := a.token, a.until
	a.mu.Unlock()
	if t != nil && (until.IsZero() || time.Now().Before(until)) {
		return t, nil
	}
	// Not bound to ctx: others wait for the same token.
	ch := a.flight.DoChan("", func() (any, error) { return a.fetch(context.WithoutCancel(ctx)) })
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*oauth2.Token), nil
	case <-ctx.Done():
		return nil, notSent(ctx)
	}
}

// lastUse returns until when a token that is given now is used: less before its
// end for one that lives hardly longer than the skew.
func lastUse(t *oauth2.Token, now time.Time) time.Time {
	if t.Expiry.IsZero() {
		return t.Expiry
	}
	return t.Expiry.Add(-min(tokenSkew, t.Expiry.Sub(now)/4))
}

func (a *clientCredentials) fetch(ctx context.Context) (*oauth2.Token, error) {
	if a.refuse != nil {
		return nil, a.refuse
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, a.http), tokenTimeout)
	defer cancel()
	cfg := clientcredentials.Config{
		ClientID: a.c.ClientID, ClientSecret: a.c.ClientSecret.Reveal(), TokenURL: a.c.TokenURL, Scopes: a.c.Scopes,
		EndpointParams: url.Values{}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	if a.c.InBody {
		cfg.AuthStyle = oauth2.AuthStyleInParams
	}
	for k, v := range a.c.Parameters {
		cfg.EndpointParams.Set(k, v)
	}
	t, err := cfg.Token(ctx)
	if err != nil {
		return nil, tokenError(ctx, err)
	}
	a.mu.Lock()
	a.token, a.until = t, lastUse(t, time.Now())
	a.mu.Unlock()
	return t, nil
}

// tokenError says why there is no token. Nothing was asked of the target then.
func tokenError(ctx context.Context, err error) error {
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response != nil:
		e := &connector.Error{Code: connector.CodeAuthentication, NativeCode: "OAuth " + refused.ErrorCode, Detail: clip(refused.Body),
			Message: "the token service answered " + refused.Response.Status + "; check token address, client id and secret"}
		if refused.Response.StatusCode >= 500 || refused.Response.StatusCode == http.StatusTooManyRequests {
			e.Code, e.Message = connector.CodeUnavailable, "the token service answered "+refused.Response.Status
		}
		return e
	case ctx.Err() != nil:
		return &connector.Error{Code: connector.CodeTimeout, Message: "the token service did not answer in time; nothing was sent", Cause: ctx.Err()}
	}
	var unreachable *url.Error
	if errors.As(err, &unreachable) {
		return &connector.Error{Code: connector.CodeUnavailable, Message: "the token service cannot be reached; nothing was sent", Cause: err}
	}
	return &connector.Error{Code: connector.CodeAuthentication, Message: "the token service gave no token", Cause: err}
}

func (a *clientCredentials) refused(value connector.Secret) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != nil && "Bearer "+a.token.AccessToken == value.Reveal() {
		a.token = nil // it was revoked; another worker may have a new one already
	}
	return true
}
