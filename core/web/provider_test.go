package web

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
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
	for _, q := range []url.Values{
		{"code": {"x"}, "state": {"y"}}, {}, {"error": {"access_denied"}, "error_description": {"<script>alert(1)</script>"}},
	} {
		a := b.get(callbackPath + "?" + q.Encode())
		assert.GreaterOrEqual(t, a.StatusCode, 400, q)
		assert.Contains(t, a.text, "Signing in at Example sign-on did not work", q)
		assert.NotContains(t, a.text, "<script>alert", q)
		assert.Contains(t, b.get("/").text, "<h1>Sign in</h1>", q)
	}
}

// A provider that is down keeps nobody from signing in with a password.
func TestAProviderThatIsDown(t *testing.T) {
	l := bareLab(t, `
  oidc: {issuer: "http://127.0.0.1:1", client_id: x, roles: [{claim: a, value: b, role: admin}]}`)
	b := l.browser()
	a := b.get("/signin/oidc")
	assert.Equal(t, http.StatusBadGateway, a.StatusCode)
	assert.Contains(t, a.text, "Signing in at single sign-on did not work")
	a = b.post("/signin", url.Values{"name": {"viewer"}, "password": {password}})
	assert.Contains(t, a.text, "<h1>Overview")
}
