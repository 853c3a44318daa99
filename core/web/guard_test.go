package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/signin"
)

// Every route, with every role: who may not, gets no further than the check.
func TestWhoMayDoWhat(t *testing.T) {
	l := newLab(t)
	plan, op := l.held().Hash, l.parked()
	fill := strings.NewReplacer("{name}", "crm", "{key}", strings.TrimPrefix(person("1005"), "/people/"), "{connector}", "crm",
		"{hash}", plan, "{id}", op.ID, "{user}", strings.TrimPrefix(userPath("viewer"), "/users/"), "{cause}", op.FailsFor, "{$}", "")
	allowed := map[signin.Role]int{}
	for _, role := range signin.Roles {
		for _, r := range routes {
			if r.pattern == "POST /signout" {
				continue // everybody may, and is gone then
			}
			method, path, _ := strings.Cut(fill.Replace(r.pattern), " ")
			var a answer
			if method == http.MethodGet {
				a = l.as(role).get(path)
			} else {
				a = l.as(role).post(path, nil) // without its reason nothing is done
			}
			if role.May(r.right) {
				allowed[role]++
				assert.NotEqual(t, http.StatusForbidden, a.StatusCode, "%s: %s", role, r.pattern)
			} else {
				assert.Equal(t, http.StatusForbidden, a.StatusCode, "%s: %s", role, r.pattern)
				assert.Contains(t, a.text, "does not allow this", "%s: %s", role, r.pattern)
			}
		}
	}
	assert.Less(t, allowed[signin.Viewer], allowed[signin.Helpdesk])
	assert.Less(t, allowed[signin.Helpdesk], allowed[signin.Operator])
	assert.Equal(t, len(routes)-1, allowed[signin.Admin])
}

// An auditor and a viewer can press nothing: no page shows them a button.
func TestWhoMayNotActSeesNoButtons(t *testing.T) {
	l := newLab(t)
	for _, role := range []signin.Role{signin.Viewer, signin.Auditor} {
		b := l.as(role)
		for _, path := range []string{"/", "/connectors/crm", "/queue", "/queue/list", "/operations/" + l.parked().ID, "/plans/" + l.held().Hash, "/sources/hr", "/findings", "/findings/list", "/alerts", "/nodes"} {
			assert.Equal(t, 1, strings.Count(b.ok(path), `method="post"`), "%s: %s: only the one to sign out", role, path)
		}
	}
}

func TestNobodySeesAnythingWithoutSigningIn(t *testing.T) {
	l := newLab(t)
	for _, r := range routes {
		method, path, _ := strings.Cut(strings.NewReplacer("{$}", "").Replace(r.pattern), " ")
		b := l.browser()
		b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		a := b.get(path)
		if method == http.MethodPost {
			a = b.post(path, nil)
		}
		assert.Equal(t, http.StatusSeeOther, a.StatusCode, r.pattern)
		assert.Equal(t, "/signin", a.Header.Get("Location"), r.pattern)
	}
}

// Headers of every answer, whatever it is.
func TestHeaders(t *testing.T) {
	l := bareLab(t, "")
	for _, path := range []string{"/", "/signin", "/nothing", asset("style.css")} {
		h := l.as(signin.Viewer).get(path).Header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			assert.Contains(t, csp, want, path)
		}
		assert.NotContains(t, csp, "unsafe", path)
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		assert.Empty(t, h.Get("Strict-Transport-Security"), "not over http")
		if strings.HasPrefix(path, "/static") {
			assert.Contains(t, h.Get("Cache-Control"), "immutable")
		} else {
			assert.Equal(t, "no-store", h.Get("Cache-Control"), path)
		}
	}
	assert.NotContains(t, l.as(signin.Admin).ok("/"), "style=", "styles within a page would not work")
}

func TestOverHTTPSCookiesStayThere(t *testing.T) {
	l := bareLab(t, "")
	l.reload(func(cfg *config.Config) { cfg.Web = &config.Web{URL: "https://provhub.example.org"} })
	form := url.Values{"name": {"admin"}, "password": {password}}
	req := httptest.NewRequest(http.MethodPost, "https://provhub.example.org/signin", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	l.Config.Handler.ServeHTTP(w, req)
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
	require.NotEmpty(t, w.Header().Get("Strict-Transport-Security"))
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	c := cookies[0]
	assert.Equal(t, "__Host-provhub", c.Name)
	assert.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" && c.SameSite == http.SameSiteLaxMode, c.String())
	assert.Zero(t, c.MaxAge, "it goes when the browser is closed")
}

// Another site can make a browser send a form, with the cookies of this one where they
// are not kept from it. It is refused, and nothing is done.
func TestAnotherSitesFormIsRefused(t *testing.T) {
	l := bareLab(t, "")
	send := func(header, value string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.URL+"/connectors/crm/pause", strings.NewReader("reason=x"))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(header, value)
		return l.as(signin.Admin).do(req)
	}
	paused := func() string {
		s, err := l.hub.State().ConnectorState(t.Context(), "crm")
		require.NoError(t, err)
		return s.PausedBy
	}
	for header, values := range map[string][]string{
		"Sec-Fetch-Site": {"cross-site", "same-site"}, "Origin": {"https://evil.example", "null", l.URL + ".evil.example"},
	} {
		for _, v := range values {
			assert.Equal(t, http.StatusForbidden, send(header, v).StatusCode, "%s: %s", header, v)
			assert.Empty(t, paused())
		}
	}
	assert.Equal(t, http.StatusOK, send("Origin", l.URL).StatusCode)
	assert.Equal(t, "admin: x", paused())
}

// Whoever is signed in stays it when the config is reloaded.
func TestAReloadSignsNobodyOut(t *testing.T) {
	l := bareLab(t, "")
	b := l.as(signin.Viewer)
	assert.NotContains(t, b.ok("/signin"), "Example sign-on")
	oidc := &config.OIDC{Issuer: "https://login.example.org", ClientID: "x", Name: "Example sign-on"}
	l.reload(func(cfg *config.Config) { cfg.Web = &config.Web{URL: l.URL, OIDC: oidc} })
	assert.Contains(t, b.ok("/signin"), "Sign in with Example sign-on")
	assert.Contains(t, b.ok("/"), "<h1>Overview")

	oidc.ClientSecret = "none"
	_, err := New(l.hub, nil)
	assert.ErrorContains(t, err, `web.oidc.client_secret: there is no secret "none"`)
}

func TestASignIn(t *testing.T) {
	l := newLab(t)
	b := l.browser()
	a := b.get("/plans/" + l.held().Hash)
	assert.Contains(t, a.text, "<h1>Sign in</h1>")
	a = b.post("/signin", url.Values{"name": {"operator"}, "password": {"wrong horse battery"}})
	assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
	assert.Contains(t, a.text, "Name or password is wrong.")
	a = b.post("/signin", url.Values{"name": {"Operator"}, "password": {password}})
	assert.Equal(t, http.StatusOK, a.StatusCode)
	assert.Contains(t, a.text, "Approve this plan", "the page that was wanted")
	assert.Equal(t, "operator", l.audited("session.begin").Actor)

	a = b.post("/signout", nil)
	assert.Contains(t, a.text, "<h1>Sign in</h1>")
	assert.Contains(t, b.get("/").text, "<h1>Sign in</h1>", "the session is over")
	assert.Equal(t, "operator", l.audited("session.end").Actor)
}

func TestTriesToSignInAreSlowedDown(t *testing.T) {
	l := bareLab(t, "")
	b := l.browser()
	codes := map[int]int{}
	for range 7 {
		codes[b.post("/signin", url.Values{"name": {"nobody"}, "password": {"wrong horse battery"}}).StatusCode]++
	}
	assert.Equal(t, 5, codes[http.StatusUnauthorized])
	assert.Equal(t, 2, codes[http.StatusTooManyRequests])
}

func TestOnlyPagesOfThisSiteComeAfterASignIn(t *testing.T) {
	for next, want := range map[string]string{
		"/plans?all=1": "/plans?all=1", "": "/", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "plans": "/", "/\tevil": "/", "javascript:alert(1)": "/",
	} {
		assert.Equal(t, want, local(next), next)
	}
}

// What an open page asks for by itself keeps nobody signed in, and a session that has
// ended sends the whole page to the sign-in.
func TestAnOpenPageGoesToTheSignInWhenTheSessionHasEnded(t *testing.T) {
	l := bareLab(t, "\n  session: {idle: 1s}")
	b := l.as(signin.Viewer)
	var a answer
	require.Eventually(t, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+"/", nil)
		require.NoError(t, err)
		req.Header.Set("HX-Request", "true")
		req.Header.Set(refreshHeader, "1")
		a = b.do(req)
		return a.StatusCode == http.StatusUnauthorized
	}, time.Minute, 50*time.Millisecond)
	assert.Equal(t, "/signin", a.Header.Get("HX-Redirect"))
}

func TestAddressesAreToldByTrustedProxiesOnly(t *testing.T) {
	s := &site{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.7", "192.0.2.1"}, // nobody trusts them
		{"10.0.0.1:5", "198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:5", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"}, // what is before may be made up
		{"10.0.0.1:5", "", "10.0.0.1"},
		{"10.0.0.1:5", "unknown", "10.0.0.1"},
		{"[::ffff:10.0.0.1]:5", "2001:db8::1", "2001:db8::1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		assert.Equal(t, c.want, s.address(r), c)
	}
}

// Who presses a button after their session has ended is told that nothing was done, and is
// back at the page after signing in.
func TestASessionThatEndsWhileAFormIsOpen(t *testing.T) {
	l := newLab(t)
	plan := l.held().Hash
	b := l.browser()
	require.Contains(t, b.post("/signin", url.Values{"name": {"operator"}, "password": {password}}).text, "<h1>Overview")
	_, err := l.hub.State().EndSessions(t.Context(), "operator", "root", l.hub.Now())
	require.NoError(t, err)
	a := b.post("/plans/"+plan+"/approve", url.Values{"reason": {"ticket 1"}, "hours": {"4"}})
	assert.Contains(t, a.text, "<h1>Sign in</h1>")
	assert.Contains(t, a.text, "what you pressed was not done")
	assert.Equal(t, plan, l.held().Hash)
	a = b.post("/signin", url.Values{"name": {"operator"}, "password": {password}})
	assert.Equal(t, "/plans/"+plan, a.Request.URL.Path)
	assert.NotContains(t, b.ok("/"), "was not done", "it is told once")

	_, err = l.hub.State().EndSessions(t.Context(), "operator", "root", l.hub.Now())
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+"/", nil)
	require.NoError(t, err)
	req.Header.Set("HX-Request", "true")
	req.Header.Set("HX-Current-URL", l.URL+"/queue/list?state=parked")
	assert.Equal(t, "/signin", b.do(req).Header.Get("HX-Redirect"))
	a = b.post("/signin", url.Values{"name": {"operator"}, "password": {password}})
	assert.Equal(t, "/queue/list?state=parked", a.Request.URL.RequestURI())
}
