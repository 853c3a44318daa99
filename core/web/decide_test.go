package web

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// One approves while the other rejects: what is rejected stays so, whoever was first, and
// the trail has both of what was done.
func TestTwoDecideAtOnce(t *testing.T) {
	l := newLab(t)
	plan := l.held().Hash
	var both sync.WaitGroup
	for press, b := range map[string]*browser{"/approve": l.as(signin.Operator), "/reject": l.as(signin.Admin)} {
		both.Go(func() {
			a := b.post("/plans/"+plan+press, url.Values{"reason": {"so it is"}, "hours": {"4"}})
			assert.Contains(t, []int{http.StatusOK, http.StatusConflict}, a.StatusCode, press)
		})
	}
	both.Wait()
	row, err := l.hub.State().Plan(t.Context(), plan)
	require.NoError(t, err)
	assert.Equal(t, store.PlanRejected, row.Status)
	assert.Equal(t, "admin", l.audited("plan.reject").Actor)
	a := l.as(signin.Operator).post("/plans/"+plan+"/approve", url.Values{"reason": {"so it is"}, "hours": {"4"}})
	assert.Equal(t, http.StatusConflict, a.StatusCode)
	assert.Contains(t, a.text, "only a held plan is approved")
	assert.Contains(t, a.text, `href="/plans/`+plan, "the way back")
}

func TestAnApprovalThatRanOut(t *testing.T) {
	l := newLab(t)
	plan, now := l.held().Hash, l.hub.Now()
	require.NoError(t, l.hub.State().ApprovePlan(t.Context(), plan, store.Approval{By: "olga", Reason: "ticket 1", At: now.Add(-2 * time.Hour), Until: now.Add(-time.Hour)}))
	b := l.as(signin.Operator)
	text := b.ok("/plans/" + plan)
	assert.Contains(t, text, "The approval ran out")
	assert.Contains(t, text, "Approve this plan")
	assert.Contains(t, b.post("/plans/"+plan+"/approve", url.Values{"reason": {"ticket 2"}, "hours": {"4"}}).text, "Approved until")
}

func TestAPlanThatAnotherTookThePlaceOf(t *testing.T) {
	l := newLab(t)
	former := l.held().Hash
	l.people("active")
	_, err := l.hub.Plan(t.Context(), hub.PlanOptions{})
	require.NoError(t, err)
	b := l.as(signin.Operator)
	text := b.ok("/plans/" + former)
	assert.Contains(t, text, "another plan took the place of this one")
	assert.NotContains(t, text, "Approve this plan")
	a := b.post("/plans/"+former+"/approve", url.Values{"reason": {"ticket 1"}, "hours": {"4"}})
	assert.Equal(t, http.StatusConflict, a.StatusCode)
	assert.Contains(t, a.text, "superseded")
}
