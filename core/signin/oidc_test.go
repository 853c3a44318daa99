package signin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// server is the OpenID provider of the test servers.
func server(t *testing.T) *Provider {
	t.Helper()
	issuer := os.Getenv("PROVHUB_TEST_OIDC_ISSUER")
	if issuer == "" {
		t.Skip("needs PROVHUB_TEST_OIDC_ISSUER: run make test")
	}
	return NewProvider(ProviderOptions{
		Issuer: issuer, ClientID: os.Getenv("PROVHUB_TEST_OIDC_CLIENT_ID"), RedirectURL: "http://127.0.0.1:1/signin/oidc/callback",
		ClientSecret: connector.NewSecret(os.Getenv("PROVHUB_TEST_OIDC_CLIENT_SECRET")),
		Scopes:       []string{"openid", "email", "groups"},
		Grants:       []Grant{{"groups", "provhub-admins", Admin}, {"groups", "provhub-auditors", Auditor}},
	})
}

var formAction = regexp.MustCompile(`<form [^>]*action="([^"]+)"`)

// visit goes through the provider's forms as name, and returns what it answers to
// the redirect URI.
func visit(t *testing.T, start, name string) url.Values {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	var answer url.Values
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/signin/oidc/callback") {
			answer = r.URL.Query()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	resp, err := client.Get(start)
	for range 3 { // the sign-in form, then the one for consent
		require.NoError(t, err)
		body, rerr := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, rerr)
		if answer != nil {
			return answer
		}
		form := formAction.FindSubmatch(body)
		require.NotNil(t, form, "%s", body)
		fields := url.Values{"login": {name}, "password": {"any"}, "prompt": {"login"}}
		if !strings.Contains(string(body), `name="login"`) {
			fields = url.Values{"prompt": {"consent"}}
		}
		resp, err = client.PostForm(string(form[1]), fields)
	}
	require.NoError(t, err)
	resp.Body.Close()
	require.NotNil(t, answer, "the provider never sent the browser back")
	return answer
}

func TestAProviderVouches(t *testing.T) {
	p := server(t)
	for name, want := range map[string]Who{
		"admin.ann": {"oidc:admin.ann@example.org", Admin}, "auditor.bob": {"oidc:auditor.bob@example.org", Auditor},
	} {
		flow, start, err := p.Begin(t.Context(), "/plans")
		require.NoError(t, err)
		require.Equal(t, "/plans", flow.Next)
		answer := visit(t, start, name)
		who, err := p.Finish(t.Context(), flow, answer.Get("state"), answer.Get("code"))
		require.NoError(t, err)
		require.Equal(t, want, who)

		_, err = p.Finish(t.Context(), flow, answer.Get("state"), answer.Get("code"))
		require.ErrorContains(t, err, "invalid_grant", "a code is good for one sign-in")
	}
}

func TestWhoHasNoRoleIsNotLetIn(t *testing.T) {
	p := server(t)
	flow, start, err := p.Begin(t.Context(), "/")
	require.NoError(t, err)
	answer := visit(t, start, "mallory")
	_, err = p.Finish(t.Context(), flow, answer.Get("state"), answer.Get("code"))
	require.ErrorIs(t, err, ErrNoRole)
	require.ErrorContains(t, err, "claim groups")
}

// What another browser, or another sign-in, asked for is of no use.
func TestAnAnswerFitsOneFlow(t *testing.T) {
	p := server(t)
	flow, start, err := p.Begin(t.Context(), "/")
	require.NoError(t, err)
	require.Contains(t, start, "code_challenge_method=S256")
	require.NotContains(t, start, flow.Verifier)
	other, _, err := p.Begin(t.Context(), "/")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*Flow)
		want   string
	}{
		"no flow at all":    {func(f *Flow) { *f = Flow{} }, "another sign-in"},
		"another state":     {func(f *Flow) { f.State = other.State }, "another sign-in"},
		"another verifier":  {func(f *Flow) { f.Verifier = other.Verifier }, "invalid_grant"},
		"another nonce":     {func(f *Flow) { f.Nonce = other.Nonce }, "for another sign-in"},
		"the same, at last": {func(*Flow) {}, ""},
	} {
		answer := visit(t, start, "admin.ann")
		changed := flow
		c.change(&changed)
		_, err := p.Finish(t.Context(), changed, answer.Get("state"), answer.Get("code"))
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.want, name)
		}
	}
}

// A provider that is down when the hub starts is asked again when somebody comes.
func TestAProviderIsAskedUntilItAnswers(t *testing.T) {
	up := false
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": srv.URL, "authorization_endpoint": srv.URL + "/auth", "token_endpoint": srv.URL + "/token", "jwks_uri": srv.URL + "/keys",
		})
	}))
	defer srv.Close()
	p := NewProvider(ProviderOptions{Issuer: srv.URL, ClientID: "provhub", RedirectURL: "http://127.0.0.1/cb"})
	_, _, err := p.Begin(t.Context(), "/")
	require.ErrorContains(t, err, "503")
	up = true
	_, start, err := p.Begin(t.Context(), "/")
	require.NoError(t, err)
	require.Contains(t, start, srv.URL+"/auth?")
}

// Whoever writes the config is told what is wrong with it.
func TestAnIssuerThatIsWrittenInAnotherWay(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/.well-known/") {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": "https://login.example.org"})
	}))
	defer srv.Close()
	for _, issuer := range []string{srv.URL, srv.URL + "/realms/x"} {
		err := NewProvider(ProviderOptions{Issuer: issuer, ClientID: "provhub"}).Ready(t.Context())
		require.ErrorContains(t, err, "web.oidc.issuer must be what the provider's document", issuer)
	}
}

func TestWhyThereIsNoRole(t *testing.T) {
	grants := []Grant{{"groups", "admins", Admin}, {"groups", "ops", Operator}, {"staff", "true", Viewer}}
	require.Equal(t, "claim groups has 2 values, and web.oidc.roles gives no role for it; the provider gives no claim staff; is its scope asked for in web.oidc.scopes?",
		whyNoRole(grants, map[string]any{"groups": []any{"x", "y"}}))
}

func TestWhichClaimGivesWhichRole(t *testing.T) {
	grants := []Grant{{"groups", "admins", Admin}, {"realm_access.roles", "ops", Operator}, {"https://example.org/roles", "help", Helpdesk}, {"staff", "true", Viewer}}
	for text, want := range map[string]Role{
		`{"groups": ["x", "admins"]}`: Admin, `{"groups": "admins"}`: Admin, `{"groups": ["Admins"]}`: "", `{}`: "",
		`{"realm_access": {"roles": ["ops"]}}`: Operator, `{"https://example.org/roles": ["help"]}`: Helpdesk, `{"staff": true}`: Viewer,
		`{"groups": ["admins"], "staff": true}`: Admin, `{"groups": {"admins": 1}}`: "", `{"realm_access": ["ops"]}`: "",
	} {
		var claims map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &claims))
		assert.Equal(t, want, roleOf(grants, claims), text)
	}
}

func TestNobodyChoosesWhatTheTrailCallsThem(t *testing.T) {
	for text, want := range map[string]string{
		`{"sub": "17", "email": "ann@example.org", "email_verified": true}`:              "oidc:ann@example.org",
		`{"sub": "17", "email": "ann@example.org", "email_verified": "true"}`:            "oidc:ann@example.org",
		`{"sub": "17", "email": "boss@example.org", "email_verified": false}`:            "oidc:17",
		`{"sub": "17", "email": "boss@example.org"}`:                                     "oidc:17",
		`{"sub": "17", "preferred_username": "root", "name": "root"}`:                    "oidc:17",
		`{"sub": "1\u00007\u202e", "email": ""}`:                                         "oidc:17",
		`{"sub": "` + strings.Repeat("x", 300) + `", "email": "", "email_verified": ""}`: "oidc:" + strings.Repeat("x", actorMax),
	} {
		var claims map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &claims))
		assert.Equal(t, want, actorOf(claims), text)
	}
}
