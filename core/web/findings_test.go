package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// drift has reconciliation find something: Eve's account was changed in wiki, and one
// there is nobody's.
func (l *lab) drift() {
	l.t.Helper()
	now := l.hub.Now()
	require.NoError(l.t, l.hub.State().SaveFindings(l.t.Context(), []store.FindingRow{
		{Connector: "wiki", Kind: identity.Person, TargetID: "u-5", Situation: "drifted", Source: "hr", Anchor: "1005", Reaction: "report", Object: "eve@example.org",
			Text: "changed in the target: displayName", Body: json.RawMessage(`{"differences": [{"attribute": "displayName", "ledger": ["Eve"], "target": ["Evil"], "text": "displayName"}]}`)},
		{Connector: "wiki", Kind: identity.Person, TargetID: "=cmd|x", Situation: "orphan", Reaction: "disable", Object: "=cmd|x", Text: "it belongs to nobody we know", Body: json.RawMessage(`{}`)},
	}, now))
}

func TestFindingsAreListedAndExplained(t *testing.T) {
	l := newLab(t)
	l.drift()
	b := l.as(signin.Helpdesk)
	text := b.ok("/findings")
	assert.Less(t, strings.Index(text, ": nobody’s"), strings.Index(text, ": changed by others"), "the urgent first")
	assert.Contains(t, text, `href="/findings/list?connector=wiki&amp;situation=drifted"`)
	assert.Contains(t, b.ok("/"), "<strong>2</strong> findings open")

	drifted := b.ok("/findings/list?situation=drifted")
	assert.Contains(t, drifted, "1005")
	assert.NotContains(t, drifted, "cmd")
	assert.Contains(t, b.ok("/findings/list?reaction=disable"), "in a plan that disables it")
	assert.Contains(t, b.ok("/findings/list?connector=crm"), "Nothing is to be shown")
	assert.Contains(t, b.ok("/findings/list?state=over"), "Nothing is to be shown")
	assert.Equal(t, http.StatusUnprocessableEntity, b.get("/findings/list?state=x").StatusCode)
	assert.Equal(t, http.StatusUnprocessableEntity, b.get("/findings/list?after=%25").StatusCode)

	row, err := l.hub.State().Finding(t.Context(), "wiki", identity.Person, "u-5")
	require.NoError(t, err)
	page := findingPath(row)
	text = b.ok(page)
	for _, want := range []string{"Evil", "eve@example.org", `href="` + person("1005"), "noted only", "Somebody changed in the target"} {
		assert.Contains(t, text, want)
	}
	text = l.as(signin.Viewer).ok(page)
	for _, hidden := range []string{"Evil", "eve@example.org", "/people/"} {
		assert.NotContains(t, text, hidden, "a viewer sees nobody's values")
	}
	assert.NotContains(t, l.as(signin.Viewer).ok("/findings/list"), "eve@example.org")
	assert.Equal(t, http.StatusNotFound, b.get("/findings/nothing").StatusCode)
}

// What was sent because of a finding is on its page.
func TestAFindingLeadsToItsOperations(t *testing.T) {
	l := newLab(t)
	op := l.parked()
	require.NoError(t, l.hub.State().SaveFindings(t.Context(), []store.FindingRow{{Connector: "crm", Kind: identity.Person, TargetID: "x", Situation: "missing", Source: "hr",
		Anchor: op.Anchor, Reaction: "fix", Text: "it is not in the target any more", Body: json.RawMessage(`{}`)}}, op.CreatedAt))
	row, err := l.hub.State().Finding(t.Context(), "crm", identity.Person, "x")
	require.NoError(t, err)
	text := l.as(signin.Viewer).ok(findingPath(row))
	assert.Contains(t, text, `href="/operations/`+op.ID)
	assert.Contains(t, text, "planned anew")
}

func TestFindingsAreTakenOut(t *testing.T) {
	l := newLab(t)
	l.drift()
	var more []store.FindingRow
	for i := range exportPage {
		more = append(more, store.FindingRow{Connector: "crm", Kind: identity.Person, TargetID: fmt.Sprint(i), Situation: "orphan", Reaction: "report", Object: "a,\"b\"", Body: json.RawMessage(`{}`)})
	}
	require.NoError(t, l.hub.State().SaveFindings(t.Context(), more, l.hub.Now()))
	b := l.as(signin.Auditor)
	a := b.get("/findings/export?format=csv")
	require.Equal(t, http.StatusOK, a.StatusCode)
	assert.Contains(t, a.Header.Get("Content-Disposition"), `attachment; filename="findings-`)
	rows, err := csv.NewReader(strings.NewReader(a.text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+2+exportPage)
	assert.Equal(t, "connector", rows[0][0])
	assert.Contains(t, a.text, "'=cmd|x", "a spreadsheet must not take it for a formula")
	assert.Equal(t, "auditor", l.audited("findings.export").Actor)

	a = b.get("/findings/export?format=json&situation=drifted")
	var found []store.FindingRow
	require.NoError(t, json.Unmarshal([]byte(a.text), &found))
	require.Len(t, found, 1)
	assert.Equal(t, "u-5", found[0].TargetID)
	a = b.get("/findings/export?format=json&connector=none")
	assert.Equal(t, "[]\n", a.text)
	assert.Equal(t, http.StatusUnprocessableEntity, b.get("/findings/export").StatusCode)
	assert.Equal(t, http.StatusForbidden, l.as(signin.Viewer).get("/findings/export?format=csv").StatusCode)
}

// An operator has a source read and a target reconciled now, in their own name.
func TestWhatIsAskedForNow(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Operator)
	assert.Contains(t, b.ok("/sources/hr"), "Read hr now")
	assert.Contains(t, b.ok("/connectors/crm"), "Reconcile crm now")
	assert.Contains(t, b.post("/sources/hr/read", nil).text, "hr is read as soon as possible")
	assert.Equal(t, "operator", l.audited("run.ask").Actor)
	assert.Contains(t, b.post("/connectors/crm/reconcile", nil).text, "crm is compared")
	assert.Equal(t, []string{"cycle of hr, asked for by operator", "reconcile of crm, asked for by operator"}, l.asked)
	assert.Equal(t, http.StatusNotFound, b.post("/sources/no/read", nil).StatusCode)
	assert.Equal(t, http.StatusNotFound, b.post("/connectors/no/reconcile", nil).StatusCode)
	assert.Len(t, l.asked, 2)

	l.asks = hub.ErrNotServing
	a := b.post("/sources/hr/read", nil)
	assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	assert.Contains(t, a.text, "This node is not serving at the moment.")
}
