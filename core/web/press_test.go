package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// op returns the operation as it is now.
func (l *lab) op(id string) store.OpRow {
	l.t.Helper()
	op, _, err := l.hub.State().Operation(l.t.Context(), id)
	require.NoError(l.t, err)
	return op
}

// Every press is done in the name of who is signed in, and says what became of it.
func TestPressesOnOneOperation(t *testing.T) {
	for action, c := range map[string]struct {
		form    url.Values
		state   store.OpState
		says    string
		audited string
	}{
		"retry":    {nil, store.OpReady, "It is tried again now.", "operation.retry"},
		"skip":     {url.Values{"reason": {"ticket 1"}}, store.OpSkipped, "It is never sent.", "operation.skip"},
		"handover": {url.Values{"reason": {"look at the schema"}}, store.OpParked, "It is with the operators now.", "operation.handover"},
		"edit":     {url.Values{"value.userName": {"eve.adams"}}, store.OpReady, "The new value is sent.", "operation.edit"},
	} {
		t.Run(action, func(t *testing.T) {
			l := newLab(t)
			id := l.parked().ID
			a := l.as(signin.Helpdesk).post("/operations/"+id+"/"+action, c.form)
			require.Equal(t, http.StatusOK, a.StatusCode, a.text)
			assert.Contains(t, a.text, c.says)
			assert.Equal(t, c.state, l.op(id).State)
			e := l.audited(c.audited)
			assert.Equal(t, "helpdesk", e.Actor)
			if why := c.form.Get("reason"); why != "" {
				assert.Equal(t, why, detail(t, e, "why"))
			}
		})
	}
}

func TestANewValueIsSent(t *testing.T) {
	l := newLab(t)
	id := l.parked().ID
	l.write("crm.faults.json", `{"faults": [{"do": "fail", "calls": ["create"], "key": "eve", "code": "INVALID_VALUE", "message": "the name is too short"}]}`)
	b := l.as(signin.Helpdesk)
	a := b.post("/operations/"+id+"/edit", url.Values{"value.userName": {"eve"}, "value.displayName": {`Eve "O'Neil" & Söhne`}})
	assert.Equal(t, http.StatusUnprocessableEntity, a.StatusCode)
	assert.Contains(t, a.text, "No value was changed.")
	require.Equal(t, http.StatusOK, b.post("/operations/"+id+"/edit", url.Values{"value.userName": {"eve.adams"}, "value.displayName": {""}, "value.none": {"x"}}).StatusCode)
	_, err := l.hub.Drain(t.Context(), hub.DrainOptions{Wait: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, store.OpDone, l.op(id).State)
	assert.Contains(t, b.ok(person("1005")), "eve.adams")
}

func TestHandingOverAndTakingBack(t *testing.T) {
	l := newLab(t)
	op := l.parked()
	b := l.as(signin.Helpdesk)
	b.post("/causes/"+op.FailsFor+"/handover", url.Values{"reason": {"the schema of crm"}})
	assert.Equal(t, "helpdesk", l.op(op.ID).Handed.By)
	assert.Contains(t, b.ok("/queue?with=ops"), "1 with the operators")
	assert.Contains(t, b.ok("/operations/"+op.ID), "helpdesk handed it to the operators")
	assert.NotContains(t, b.ok("/queue?with=helpdesk"), "1005")
	a := b.post("/operations/"+op.ID+"/takeback", nil)
	assert.Contains(t, a.text, "It is taken back from the operators.")
	assert.Nil(t, l.op(op.ID).Handed)
}

func TestPressesOnACause(t *testing.T) {
	l := newLab(t)
	op := l.parked()
	helpdesk, operator := l.as(signin.Helpdesk), l.as(signin.Operator)
	assert.NotContains(t, helpdesk.ok("/queue"), "/skip", "who mends one by one does not end many")
	assert.Equal(t, http.StatusForbidden, helpdesk.post("/causes/"+op.FailsFor+"/skip", url.Values{"reason": {"x"}}).StatusCode)
	a := operator.post("/causes/"+op.FailsFor+"/skip", url.Values{"reason": {"by hand"}})
	assert.Contains(t, a.text, "1 operation is never sent.")
	assert.Equal(t, store.OpSkipped, l.op(op.ID).State)
	a = operator.post("/causes/"+op.FailsFor+"/retry", nil)
	assert.Contains(t, a.text, "0 operations are tried again now.")
}

// Who comes second is told what the first one did, and nothing is done.
func TestWhoComesSecondIsToldSo(t *testing.T) {
	l := newLab(t)
	op, plan := l.parked(), l.held().Hash
	b := l.as(signin.Operator)
	b.post("/operations/"+op.ID+"/retry", nil)
	a := b.post("/operations/"+op.ID+"/retry", nil)
	assert.Equal(t, http.StatusConflict, a.StatusCode)
	assert.Contains(t, a.text, "is ready; only one that is parked or retry")
	b.post("/plans/"+plan+"/reject", url.Values{"reason": {"wrong"}})
	a = b.post("/plans/"+plan+"/approve", url.Values{"reason": {"right"}, "hours": {"1"}})
	assert.Equal(t, http.StatusConflict, a.StatusCode)
	assert.Contains(t, a.text, "is rejected; only a held plan is approved")
	assert.Equal(t, http.StatusConflict, b.post("/operations/"+op.ID+"/adopt", url.Values{"reason": {"same mail"}}).StatusCode)
}

func TestAReasonIsNeeded(t *testing.T) {
	l := newLab(t)
	op, plan := l.parked(), l.held().Hash
	b := l.as(signin.Operator)
	for path, form := range map[string]url.Values{
		"/connectors/crm/pause": nil, "/connectors/wiki/pause": {"reason": {"  "}}, "/operations/" + op.ID + "/skip": nil, "/operations/" + op.ID + "/adopt": nil,
		"/operations/" + op.ID + "/handover": nil, "/causes/" + op.FailsFor + "/skip": nil, "/plans/" + plan + "/approve": {"hours": {"4"}}, "/plans/" + plan + "/reject": nil,
	} {
		a := b.post(path, form)
		assert.Equal(t, http.StatusUnprocessableEntity, a.StatusCode, path)
		assert.Contains(t, a.text, "A reason is needed", path)
	}
	for _, hours := range []string{"", "0", "169", "x"} {
		a := b.post("/plans/"+plan+"/approve", url.Values{"reason": {"right"}, "hours": {hours}})
		assert.Equal(t, http.StatusUnprocessableEntity, a.StatusCode, hours)
	}
	assert.Equal(t, store.OpParked, l.op(op.ID).State)
	assert.Equal(t, plan, l.held().Hash)
}

// An approval is for the plan that was looked at: the beginning of a hash, which may
// fit another one tomorrow, releases nothing.
func TestAnApprovalIsForOnePlan(t *testing.T) {
	l := newLab(t)
	plan := l.held().Hash
	b := l.as(signin.Operator)
	form := url.Values{"reason": {"right"}, "hours": {"4"}}
	assert.Equal(t, http.StatusNotFound, b.post("/plans/"+plan[:20]+"/approve", form).StatusCode)
	assert.Equal(t, plan, l.held().Hash)
	a := b.post("/plans/"+plan+"/approve", form)
	assert.Contains(t, a.text, "Approved until")
	e := l.audited("plan.approve")
	assert.Equal(t, []any{"operator", plan, "right"}, []any{e.Actor, e.Object, detail(t, e, "reason")})
	_, err := l.hub.Apply(t.Context(), plan)
	require.NoError(t, err)
	assert.Contains(t, b.ok("/plans/"+plan), "applied")
}

func TestPausingAndGoingOn(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Operator)
	a := b.post("/connectors/crm/pause", url.Values{"reason": {"the vendor moves"}})
	assert.Contains(t, a.text, "crm is paused. Its queue is kept.")
	assert.Contains(t, b.ok("/"), "paused by operator: the vendor moves")
	assert.NotContains(t, b.ok("/"), "Its queue is kept", "said once")
	a = b.post("/operations/"+l.parked().ID+"/retry", nil)
	assert.Contains(t, a.text, "crm stands still, paused by operator")
	a = b.post("/connectors/crm/resume", nil)
	assert.Contains(t, a.text, "crm goes on.")
	assert.Equal(t, http.StatusUnprocessableEntity, b.post("/connectors/none/pause", url.Values{"reason": {"x"}}).StatusCode)
}

func TestStoppingEverything(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Operator)
	a := b.post("/stop", url.Values{"reason": {"a wrong file went out"}})
	assert.Contains(t, a.text, "Everything is stopped: nothing is sent to any target.")
	assert.Contains(t, a.text, "by operator: a wrong file went out")
	assert.Contains(t, l.as(signin.Viewer).ok("/"), "Everything is stopped")
	assert.Equal(t, "operator", l.audited("stop").Actor)
	a = b.post("/connectors/crm/resume", nil)
	assert.Contains(t, a.text, "crm goes on once everything does: it is stopped by operator: a wrong file went out.")
	a = b.post("/go", nil)
	assert.Contains(t, a.text, "Everything goes on.")
	assert.NotContains(t, b.ok("/"), "Everything is stopped")
	assert.Equal(t, "operator", l.audited("go").Actor)
}

func TestDraining(t *testing.T) {
	l := newLab(t)
	b := l.as(signin.Operator)
	a := b.post("/connectors/wiki/drain", url.Values{"reason": {"moves to another host"}})
	assert.Contains(t, a.text, "wiki had nothing to send and is paused.")
	b.post("/operations/"+l.parked().ID+"/retry", nil)
	a = b.post("/connectors/crm/drain", url.Values{"reason": {"moves to another host"}})
	assert.Contains(t, a.text, "what is planned now goes out, then it is paused")
	assert.Contains(t, b.ok("/"), `<span class="badge draining">draining</span>`)
	a = b.post("/connectors/crm/resume", nil)
	assert.Contains(t, a.text, `<span class="badge ready">ready</span>`)
	assert.Equal(t, http.StatusUnprocessableEntity, b.post("/connectors/none/drain", url.Values{"reason": {"x"}}).StatusCode)
	assert.Equal(t, http.StatusUnprocessableEntity, b.post("/connectors/crm/drain", nil).StatusCode)
}
