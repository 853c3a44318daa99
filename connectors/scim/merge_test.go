package scim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// slowGroup records the requests that a merger sends; each takes a second.
type slowGroup struct {
	mu       sync.Mutex
	requests []string
	fail     map[string]error
}

func (g *slowGroup) send(ctx context.Context, group string, b []client.MemberChange) []error {
	text, errs := group, make([]error, len(b))
	for i, c := range b {
		sign := "+"
		if c.Remove {
			sign = "-"
		}
		text += " " + sign + c.ID
		errs[i] = g.fail[c.ID]
	}
	g.mu.Lock()
	g.requests = append(g.requests, text)
	g.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		for i := range errs {
			errs[i] = connector.Unknown(ctx.Err())
		}
	}
	return errs
}

func memberMerger(g *slowGroup) *merger[string, client.MemberChange] {
	return &merger[string, client.MemberChange]{send: g.send, subject: memberOf}
}

func TestMergerGathersWhileARequestIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []string
		want    []string
	}{
		{name: "the first goes alone, the rest together", changes: []string{"+a", "+b", "-c", "+d"}, want: []string{"g +a", "g +b -c +d"}},
		{name: "one member's changes keep their order", changes: []string{"+a", "+b", "-b", "+c"}, want: []string{"g +a", "g +b", "g -b +c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &slowGroup{fail: map[string]error{"c": errors.New("c is refused")}}
				m := memberMerger(g)
				for _, change := range c.changes {
					go func() {
						err := m.do(t.Context(), "g", client.MemberChange{ID: change[1:], Remove: change[0] == '-'}, 1)
						if err != g.fail[change[1:]] {
							t.Errorf("%s is answered with %v, want %v", change, err, g.fail[change[1:]])
						}
					}()
					synctest.Wait() // one after the other, so that their order is known
				}
				m.wait()
				require.Equal(t, c.want, g.requests)
				require.Empty(t, m.lines, "an idle group leaves nothing behind")
			})
		})
	}
}

// Where several requests may be under way, others gather once they all are.
func TestMergerRequestsAbreast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &slowGroup{}
		m := &merger[string, client.MemberChange]{send: g.send, most: 2}
		for _, id := range []string{"a", "b", "c", "c", "d"} {
			go func() { _ = m.do(t.Context(), "g", client.MemberChange{ID: id}, 2) }()
			synctest.Wait()
		}
		began := time.Now()
		m.wait()
		require.Equal(t, 2*time.Second, time.Since(began))
		slices.Sort(g.requests)
		require.Equal(t, []string{"g +a", "g +b", "g +c +c", "g +d"}, g.requests)
		require.Empty(t, m.lines)
	})
}

func TestMergerGroupsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &slowGroup{}
		m := memberMerger(g)
		began := time.Now()
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() { _ = m.do(t.Context(), fmt.Sprint("g", i), client.MemberChange{ID: "a"}, 1) })
		}
		all.Wait()
		require.Equal(t, time.Second, time.Since(began))
		require.Len(t, g.requests, 20)
	})
}

func TestMergerWithdrawsWhatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &slowGroup{}
		m := memberMerger(g)
		first := make(chan error, 1)
		go func() { first <- m.do(t.Context(), "g", client.MemberChange{ID: "a"}, 1) }()
		synctest.Wait()
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := m.do(hurried, "g", client.MemberChange{ID: "b"}, 1)
		r := connector.ResultOf("", connector.Ref{}, err)
		require.Equal(t, connector.OutcomeFailed, r.Outcome, "nothing was sent: that is a failure, not a doubt")
		require.Equal(t, connector.CodeTimeout, r.Err.Code)
		require.NoError(t, <-first)
		m.wait()
		require.Equal(t, []string{"g +a"}, g.requests)
	})
}

// Q-14, SCIM-36: what was sent with others and is not answered in time is in doubt.
func TestMergerWhatWasSentIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &slowGroup{}
		m := memberMerger(g)
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := m.do(hurried, "g", client.MemberChange{ID: "a"}, 1)
		r := connector.ResultOf("", connector.Ref{}, err)
		require.Equal(t, connector.OutcomeUnknown, r.Outcome)
		require.Equal(t, connector.CodeTimeout, r.Err.Code)
		m.wait()
	})
}

func TestMergerSharedRequestOutlivesTheImpatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &slowGroup{}
		m := memberMerger(g)
		go func() { _ = m.do(t.Context(), "g", client.MemberChange{ID: "first"}, 1) }()
		synctest.Wait()
		var patient error
		var all sync.WaitGroup
		hurried, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		all.Go(func() { _ = m.do(hurried, "g", client.MemberChange{ID: "hurried"}, 1) })
		synctest.Wait()
		later, cancelLater := context.WithTimeout(t.Context(), time.Minute)
		defer cancelLater()
		all.Go(func() { patient = m.do(later, "g", client.MemberChange{ID: "patient"}, 1) })
		all.Wait()
		require.NoError(t, patient)
		require.True(t, slices.Contains(g.requests, "g +hurried +patient"))
	})
}
