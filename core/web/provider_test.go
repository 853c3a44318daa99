package web

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/signin"
)

// withProvider serves pages where people sign in at the provider of the test servers.
func withProvider(t *testing.T) *lab {
	t.Helper()
	issuer := os.Getenv("PROVHUB_TEST_OIDC_ISSUER")
	if issuer == "" {
		t.Skip("needs PROVHUB_TEST_OIDC_ISSUER: run make test")
	}
	return bareLab(t, fmt.Sprintf(`
  oidc:
    issuer: %s
    client_id: %s
    client_secret: sso
    name: Example sign-on
    scopes: [openid, email, groups]
    roles: [{claim: groups, value: provhub-admins, role: admin}, {claim: groups, value: provhub-auditors, role: auditor}]
secrets: [{name: sso, env: PROVHUB_TEST_OIDC_CLIENT_SECRET}]`, issuer, os.Getenv("PROVHUB_TEST_OIDC_CLIENT_ID")))
}

// atProvider goes through the provider's forms.
func (w *window) atProvider(name string) {
	w.l.t.Helper()
	w.open("/signin")
	w.click(`a[href="/signin/oidc"]`)
	w.await(`input[name="login"]`)
	w.fill(`input[name="login"]`, name)
	w.fill(`input[name="password"]`, "any")
	w.click(`button[type="submit"]`)
	w.await(`form:not(:has(input[name="login"])) button[type="submit"]`) // consent
	w.click(`button[type="submit"]`)
}

func TestSigningInAtAProvider(t *testing.T) {
	l := withProvider(t)
	w := l.window(laptop)
	w.open("/sources/hr")
	w.atProvider("admin.ann")
	w.await("nav")
	assert.Contains(t, w.text(), "hr", "the page that was wanted")
	e := l.audited("session.begin")
	assert.Equal(t, "oidc:admin.ann@example.org", e.Actor)
	assert.Equal(t, "admin", detail(t, e, "role"))

	w.open("/connectors/crm")
	w.fill("#reason", "ticket 5")
	w.click(`form[action="/connectors/crm/pause"] button`)
	w.await(".note")
	assert.Equal(t, "oidc:admin.ann@example.org", l.audited("connector.pause").Actor)
}

func TestWhoHasNoRoleIsTurnedAway(t *testing.T) {
	l := withProvider(t)
	w := l.window(laptop)
	w.atProvider("mallory")
	w.await(".problem")
	assert.Contains(t, w.text(), "Example sign-on knows you, but gives you no role here")
	w.open("/")
	assert.Contains(t, w.text(), "Sign in")
}

// An answer that nobody asked for, as another site could send it, signs nobody in.
func TestAnAnswerNobodyAskedForIsRefused(t *testing.T) {
	l := withProvider(t)
	b := l.browser()
	for _, c := range []struct {
		query url.Values
		says  string
	}{
		{url.Values{"code": {"x"}, "state": {"y"}}, "This sign-in was used already"},
		{url.Values{}, "This sign-in was used already"},
		{url.Values{"error": {"access_denied"}, "error_description": {"<script>alert(1)</script>"}}, "Signing in at Example sign-on did not work: it was ended there"},
		{url.Values{"error": {"<script>alert(1)</script>"}}, "Signing in at Example sign-on did not work: try again"},
	} {
		q := c.query
		a := b.get(callbackPath + "?" + q.Encode())
		assert.GreaterOrEqual(t, a.StatusCode, 400, q)
		assert.Contains(t, a.text, c.says, q)
		assert.NotContains(t, a.text, "<script>alert", q)
		assert.Contains(t, b.get("/").text, "<h1>Sign in</h1>", q)
	}
}

// Who is signed in and goes back to an answer that was used stays signed in.
func TestAnAnswerThatWasUsedEndsNoSession(t *testing.T) {
	b := withProvider(t).as(signin.Viewer)
	assert.Contains(t, b.get(callbackPath+"?code=x&state=y").text, "<h1>Overview")
}

// What the config names and cannot be had is told before anybody signs in.
func TestWhatIsWrongWithAProviderIsFoundBeforehand(t *testing.T) {
	cfg := &config.Config{
		Web:     &config.Web{URL: "http://127.0.0.1", OIDC: &config.OIDC{Issuer: "http://127.0.0.1:1", ClientID: "x", ClientSecret: "sso", CAFile: "/nowhere/ca.pem"}},
		Secrets: []config.Secret{{Name: "sso", File: "/nowhere/sso"}},
	}
	_, err := Check(t.Context(), cfg)
	assert.ErrorContains(t, err, "web.oidc.client_secret: secret sso")
	assert.ErrorContains(t, err, "web.oidc.tls_ca_file: ")
	cfg.Web.OIDC.ClientSecret, cfg.Web.OIDC.CAFile = "", ""
	unready, err := Check(t.Context(), cfg)
	assert.NoError(t, err)
	assert.ErrorContains(t, unready, "http://127.0.0.1:1 cannot be asked")
}

// A provider that is down keeps nobody from signing in with a password.
func TestAProviderThatIsDown(t *testing.T) {
	l := bareLab(t, `
  oidc: {issuer: "http://127.0.0.1:1", client_id: x, roles: [{claim: a, value: b, role: admin}]}`)
	b := l.browser()
	a := b.get("/signin/oidc")
	assert.Equal(t, http.StatusBadGateway, a.StatusCode)
	assert.Contains(t, a.text, "Signing in at single sign-on is not possible now")
	a = b.post("/signin", url.Values{"name": {"viewer"}, "password": {password}})
	assert.Contains(t, a.text, "<h1>Overview")
}
