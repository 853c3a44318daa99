package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/signin"
)

func TestAnAdminManagesUsers(t *testing.T) {
	l := bareLab(t, "")
	b := l.as(signin.Admin)
	a := b.post("/users", url.Values{"name": {"Nora@Example.org"}, "role": {"helpdesk"}, "password": {password}})
	require.Equal(t, http.StatusOK, a.StatusCode, a.text)
	assert.Contains(t, a.text, "nora@example.org may sign in as helpdesk.")
	assert.NotContains(t, a.Request.URL.String(), "nora", "names do not belong into addresses")
	assert.Equal(t, "admin", l.audited("user.add").Actor)

	nora := l.browser()
	require.Contains(t, nora.post("/signin", url.Values{"name": {"nora@example.org"}, "password": {password}}).text, "Overview")
	assert.Contains(t, b.ok("/users"), "signed in")
	page := userPath("nora@example.org")
	assert.Contains(t, b.post(page+"/role", url.Values{"role": {"operator"}}).text, "is operator now")
	assert.Contains(t, nora.ok("/"), "<h1>Sign in</h1>", "another role begins with another session")
	nora.post("/signin", url.Values{"name": {"nora@example.org"}, "password": {password}})
	assert.Contains(t, b.post(page+"/signout", nil).text, "1 session of nora@example.org ended.")
	assert.Contains(t, nora.ok("/"), "<h1>Sign in</h1>")

	const other = "another long password"
	assert.Contains(t, b.post(page+"/password", url.Values{"password": {other}}).text, "has another password")
	assert.Equal(t, http.StatusUnauthorized, nora.post("/signin", url.Values{"name": {"nora@example.org"}, "password": {password}}).StatusCode)
	assert.Contains(t, b.post(page+"/disable", nil).text, "cannot sign in any more")
	assert.Equal(t, http.StatusUnauthorized, nora.post("/signin", url.Values{"name": {"nora@example.org"}, "password": {other}}).StatusCode)
	assert.Contains(t, b.post(page+"/enable", nil).text, "may sign in again")
	assert.Contains(t, nora.post("/signin", url.Values{"name": {"nora@example.org"}, "password": {other}}).text, "Overview")
	for _, action := range []string{"user.role", "user.password", "user.disable", "user.enable", "session.revoke"} {
		assert.Equal(t, "admin", l.audited(action).Actor, action)
	}
}

// What does not do is said beside the form, which keeps what was typed.
func TestAUserThatCannotBeMade(t *testing.T) {
	l := bareLab(t, "")
	b := l.as(signin.Admin)
	for says, form := range map[string]url.Values{
		"is not a user":        {"name": {"a b"}, "role": {"viewer"}, "password": {password}},
		"There is no role":     {"name": {"max"}, "role": {"boss"}, "password": {password}},
		"password":             {"name": {"max"}, "role": {"viewer"}, "password": {"tiny"}},
		"a user admin already": {"name": {"admin"}, "role": {"viewer"}, "password": {password}},
	} {
		a := b.post("/users", form)
		assert.Equal(t, http.StatusUnprocessableEntity, a.StatusCode, says)
		assert.Contains(t, a.text, says)
		assert.Contains(t, a.text, `value="`+form.Get("name")+`"`)
		assert.NotContains(t, a.text, form.Get("password"))
	}
	assert.Equal(t, http.StatusUnprocessableEntity, b.post(userPath("viewer")+"/password", url.Values{"password": {"tiny"}}).StatusCode)
	assert.Equal(t, http.StatusNotFound, b.post(userPath("nobody")+"/disable", nil).StatusCode)
	assert.Equal(t, http.StatusNotFound, b.get(userPath("nobody")).StatusCode)
	assert.Equal(t, http.StatusNotFound, b.get("/users/%25").StatusCode)
}

// Admins cannot lock themselves out, and who vouches for somebody gives them their role.
func TestNobodyLocksEverybodyOut(t *testing.T) {
	l := bareLab(t, "")
	b := l.as(signin.Admin)
	own := userPath("admin")
	for _, press := range []string{"/role", "/disable"} {
		assert.Contains(t, b.post(own+press, url.Values{"role": {"viewer"}}).text, "This is you", press)
	}
	assert.NotContains(t, b.ok(own), "/disable")

	desk := signin.New(l.hub.State(), signin.Options{Now: l.hub.Now})
	_, err := desk.Admit(t.Context(), signin.Who{Actor: "oidc:zoe@example.org", Role: signin.Helpdesk}, "")
	require.NoError(t, err)
	assert.Contains(t, b.ok("/users"), "oidc:zoe@example.org")
	zoe := userPath("oidc:zoe@example.org")
	text := b.ok(zoe)
	assert.Contains(t, text, "An identity provider vouches")
	assert.NotContains(t, text, "/password")
	assert.Contains(t, b.post(zoe+"/signout", nil).text, "1 session of oidc:zoe@example.org ended.")
	assert.Equal(t, http.StatusNotFound, b.get(zoe).StatusCode)
	auditor := l.as(signin.Auditor)
	assert.NotContains(t, auditor.ok("/users"), "Add a user")
	assert.NotContains(t, auditor.ok(userPath("viewer")), "Disable")
}
