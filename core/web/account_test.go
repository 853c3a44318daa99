package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/signin"
)

const otherPassword = "another long password"

// in returns a browser in which somebody signed in with a password.
func (l *lab) in(name string) *browser {
	l.t.Helper()
	b := l.browser()
	require.Contains(l.t, b.post("/signin", url.Values{"name": {name}, "password": {password}}).text, "Overview")
	return b
}

func change(current, next, again string) url.Values {
	return url.Values{"current": {current}, "password": {next}, "again": {again}}
}

func TestAUserChangesTheirOwnPassword(t *testing.T) {
	l := bareLab(t, "")
	here, elsewhere := l.in("viewer"), l.in("viewer")
	assert.Contains(t, here.ok("/"), `href="/account"`)
	a := here.post("/account/password", change(password, otherPassword, otherPassword))
	assert.Equal(t, http.StatusOK, a.StatusCode)
	assert.Contains(t, a.text, "You have another password.")
	assert.Contains(t, here.ok("/"), "Overview", "this browser stays signed in")
	assert.Contains(t, elsewhere.ok("/"), "<h1>Sign in</h1>")
	assert.Equal(t, "viewer", l.audited("user.password").Actor)
	assert.Equal(t, http.StatusUnauthorized, l.browser().post("/signin", url.Values{"name": {"viewer"}, "password": {password}}).StatusCode)
}

func TestAPasswordThatIsNotChanged(t *testing.T) {
	l := bareLab(t, "")
	b := l.in("helpdesk")
	for says, form := range map[string]url.Values{
		"The current password is wrong.":  change("wrong horse battery", otherPassword, otherPassword),
		"The password is too short":       change(password, "tiny", "tiny"),
		"not typed the same twice":        change(password, otherPassword, otherPassword+"!"),
		"is the current one":              change(password, password, password),
		"has the user&#39;s name in it":   change(password, "my helpdesk password", "my helpdesk password"),
		"The password is too short; give": nil,
	} {
		a := b.post("/account/password", form)
		assert.Equal(t, http.StatusUnprocessableEntity, a.StatusCode, says)
		assert.Contains(t, a.text, says)
		for _, typed := range form {
			assert.NotContains(t, a.text, `value="`+typed[0], "no password comes back")
		}
	}
	assert.Contains(t, b.ok("/"), "Overview")
	for range 5 {
		b.post("/account/password", change("wrong horse battery", otherPassword, otherPassword))
	}
	a := b.post("/account/password", change(password, otherPassword, otherPassword))
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	assert.Contains(t, a.text, "Too many tries")
}

// An admin's own password is not set past the current one, and that of whom a provider
// vouches for is not known here.
func TestWhoseOwnPasswordIsChangedElsewhere(t *testing.T) {
	l := bareLab(t, "")
	b, own := l.as(signin.Admin), userPath("admin")
	assert.NotContains(t, b.ok(own), own+"/password")
	assert.Contains(t, b.post(own+"/password", url.Values{"password": {otherPassword}}).text, "This is you")

	desk := signin.New(l.hub.State(), signin.Options{Now: l.hub.Now})
	token, err := desk.Admit(t.Context(), signin.Who{Actor: "oidc:zoe@example.org", Role: signin.Helpdesk}, "")
	require.NoError(t, err)
	zoe := l.holding(token)
	text := zoe.ok("/account")
	assert.Contains(t, text, "An identity provider vouches for you")
	assert.NotContains(t, text, "/account/password")
	assert.Contains(t, zoe.post("/account/password", change(password, otherPassword, otherPassword)).text, "An identity provider vouches for you")
}

func TestAPasswordIsChangedInABrowser(t *testing.T) {
	l := newLab(t)
	w := l.window(laptop)
	w.signIn("operator")
	w.open("/account")
	w.fill("#current", "wrong horse battery")
	w.fill("#password", otherPassword)
	w.fill("#again", otherPassword)
	w.click(`form[action="/account/password"] button`)
	w.await(".problem")
	assert.Equal(t, "current", eval[string](w, `document.activeElement.id`), "typing goes on at once")
	w.fill("#current", password)
	w.fill("#password", otherPassword)
	w.fill("#again", otherPassword)
	w.click(`form[action="/account/password"] button`)
	w.await(".note")
	assert.Contains(t, w.text(), "You have another password.")
	assert.Equal(t, "operator", l.audited("user.password").Actor)
	w.content("422")
}
