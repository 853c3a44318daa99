package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// person is where the page of somebody with this anchor is.
func person(anchor string) string {
	return "/people/" + personKey(identity.Key{Source: "hr", Kind: identity.Person, Anchor: anchor})
}

// What each page has to show of the lab's state. QUIRKS Q-41: of one person in one target
// what is wanted, what it last took, what waits, and why in plain words.
func TestEveryPageShowsWhatItIsAbout(t *testing.T) {
	l := newLab(t)
	plan, op := l.held().Hash, l.parked().ID
	b := l.as(signin.Admin)
	for path, want := range map[string][]string{
		"/":                              {"crm", "wiki", "hr", "plan held", `href="/plans/` + plan, "88 %"},
		"/connectors/crm":                {"memory", "Pause crm", `href="/sources/hr"`},
		"/sources/hr":                    {"csv", "9", short(plan)},
		"/queue":                         {"1 operation", "refuses the value", "INVALID_VALUE", "Try it again", "has no account in crm yet"},
		"/queue/list":                    {"1005", "parked", "Try again"},
		"/queue/list?state=done":         {"wiki", "1001", "create"},
		"/queue/list?connector=wiki":     {"Nothing is to be shown"},
		"/operations/" + op:              {"eve", "INVALID_VALUE", "Send another value", "Never send", "Hand to the operators", "Tries"},
		person("1005"):                   {"crm", "wiki", "no account yet", "History", "What the source says"},
		person("1005") + "/explain/wiki": {"scope", "attribute userName", "person.login is", "eve"},
		"/plans":                         {short(plan), "held", "6 disables"},
		"/plans/" + plan:                 {"Why it is held", "Approve this plan", "Reject this plan", "1001", "disable"},
		"/runs":                          {"Nothing has run yet"},
		"/audit":                         {"operation.parked", "provhub", "session.begin"},
	} {
		text := b.ok(path)
		for _, w := range want {
			assert.Contains(t, text, w, path)
		}
	}
}

func TestPeopleAreFoundWithoutTheirNamesInAnAddress(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Helpdesk)
	for _, text := range []string{"1005", "eve", "Eve"} {
		a := b.post("/people", url.Values{"text": {text}})
		require.Equal(t, http.StatusOK, a.StatusCode)
		assert.Contains(t, a.text, "<h1>1005", text)
		assert.NotContains(t, a.Request.URL.String(), "1005")
	}
	a := b.post("/people", url.Values{"text": {"Neil"}})
	assert.Equal(t, 9, strings.Count(a.text, `<th scope="row"`), a.text)
	a = b.post("/people", url.Values{"text": {"nobody like that"}})
	assert.Contains(t, a.text, "Nobody has that anchor")
	assert.Equal(t, http.StatusNotFound, b.get("/people/"+personKey(identity.Key{Source: "hr", Kind: "person", Anchor: "no"})).StatusCode)
	assert.Equal(t, http.StatusNotFound, b.get("/people/%25").StatusCode)
}

// What comes from a source, a target or a browser is text, wherever it is shown.
func TestHostileTextIsText(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Admin)
	const hostile = `"><script>alert(1)</script>`
	require.Equal(t, http.StatusOK, b.post("/connectors/crm/pause", url.Values{"reason": {hostile}}).StatusCode)
	pages := []string{
		b.ok("/"), b.ok("/connectors/crm"), b.ok(person("1009")), b.ok(person("1009") + "/explain/crm"), b.ok("/audit"),
		b.post("/people", url.Values{"text": {"script"}}).text, b.post("/people", url.Values{"text": {hostile}}).text,
		b.post("/signin", url.Values{"name": {hostile}, "password": {"x"}}).text,
		b.get("/connectors/" + url.PathEscape(hostile)).text, b.get("/queue?connector=" + url.QueryEscape(hostile)).text,
		b.get("/queue/list?cause=" + url.QueryEscape(hostile)).text, b.get("/" + url.PathEscape(hostile)).text,
	}
	for i, p := range pages {
		assert.NotContains(t, p, "<script>alert", i)
	}
	assert.Contains(t, pages[2], "&lt;script&gt;alert(1)&lt;/script&gt;", "it is shown all the same")
	assert.Contains(t, pages[1], "&lt;script&gt;")
}

func TestListsTurnPages(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Viewer)
	seen := map[string]int{}
	for path, pages := "/queue/list?state=done&connector=wiki", 0; path != ""; pages++ {
		require.Less(t, pages, 5)
		text := b.ok(path)
		for _, part := range strings.Split(text, `<th scope="row" data-label="Account of"><a href="/operations/`)[1:] {
			seen[part[:36]]++
		}
		path = ""
		if _, rest, ok := strings.Cut(text, `<a rel="next" href="`); ok {
			path, _, _ = strings.Cut(rest, `"`)
			path = strings.ReplaceAll(path, "&amp;", "&")
		}
	}
	assert.Len(t, seen, 9)
	for id, n := range seen {
		assert.Equal(t, 1, n, id)
	}
	for _, path := range []string{"/queue/list?after=x", "/plans?before=x", "/runs?before=x", "/audit?before=x", "/audit?about=%25", "/queue/list?state=x"} {
		role := signin.Viewer
		if strings.HasPrefix(path, "/audit") {
			role = signin.Auditor
		}
		assert.Equal(t, http.StatusUnprocessableEntity, l.as(role).get(path).StatusCode, path)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	l := bareLab(t, "")
	b := l.as(signin.Admin)
	for _, path := range []string{"/nothing", "/connectors/no", "/sources/no", "/plans/no", "/operations/no", "/signin/oidc", "/static/x/style.css", "/static/"} {
		assert.Equal(t, http.StatusNotFound, b.get(path).StatusCode, path)
	}
	assert.Equal(t, http.StatusNotFound, b.post("/runs", nil).StatusCode)
}

// A hub that has read nothing yet has pages, too.
func TestAnEmptyHubHasPages(t *testing.T) {
	l := bareLab(t, "")
	b := l.as(signin.Admin)
	for _, path := range []string{"/", "/queue", "/queue/list", "/people", "/plans", "/plans?all=1", "/runs", "/audit", "/connectors/crm", "/sources/hr",
		"/findings", "/findings/list", "/findings/list?state=over", "/alerts", "/nodes", "/users"} {
		assert.Contains(t, b.ok(path), "</html>", path)
	}
}

// A viewer sees how things stand, and nobody's data.
func TestAViewerSeesNoValues(t *testing.T) {
	l := newLab(t)
	op := l.parked()
	viewer, helpdesk := l.as(signin.Viewer), l.as(signin.Helpdesk)
	for _, path := range []string{"/operations/" + op.ID, "/plans/" + op.Plan} {
		assert.Contains(t, helpdesk.ok(path), "<ins>eve</ins>", path)
		text := viewer.ok(path)
		assert.NotContains(t, text, "eve", path)
		assert.Contains(t, text, "userName", path)
	}
	assert.NotContains(t, viewer.ok("/"), `href="/people"`)
}

func TestAFinishedPlanIsOnItsSourcesPage(t *testing.T) {
	l := newLab(t)
	plans, err := l.hub.State().PlanList(t.Context(), store.PlanFilter{Status: store.PlanApplied})
	require.NoError(t, err)
	require.NotEmpty(t, plans)
	assert.Contains(t, l.as(signin.Viewer).ok("/sources/hr"), short(plans[0].Hash))
}
