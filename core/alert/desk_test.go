package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(idle{m}) }

// idle closes what tests of a mail service left open, which is not the desk's.
type idle struct{ *testing.M }

func (i idle) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return i.M.Run()
}

// receiver keeps what is posted to it; while broken it refuses.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	broken bool
	got    []Message
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		var m Message
		if r.broken || json.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.got = append(r.got, m)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) breakDown(broken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = broken
}

// events takes what came since it was last asked.
func (r *receiver) events() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.got {
		out = append(out, fmt.Sprintf("%s %s %s", m.Event, m.Condition, m.Subject))
	}
	r.got = nil
	return out
}

// officeNode is a node without a daemon, whose clock can be put forward.
type officeNode struct {
	name string
	hub  *hub.Hub
	late *time.Duration
}

func (n *officeNode) Name() string  { return n.name }
func (n *officeNode) Hub() *hub.Hub { return n.hub }

// newOffice opens a node on the state at url that tells to.
func newOffice(t *testing.T, url, name, to string) (*officeNode, *Desk) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "provhub.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf("org: %s\nstate: {url: %q}\nalerts: {webhooks: [{name: hook, url: %q}]}\n", storetest.OrgID, url, to)+judgeConfig), 0o600))
	cfg, err := config.Load(file, config.Settings{})
	require.NoError(t, err)
	n := &officeNode{name: name, late: new(time.Duration)}
	n.hub, err = hub.Open(t.Context(), cfg, hub.Options{Actor: "test", Now: func() time.Time { return time.Now().Add(*n.late) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.hub.Close()) })
	d := NewDesk(n)
	t.Cleanup(d.close)
	return n, d
}

// stop has crm stand still, or go on for "".
func (n *officeNode) stop(t *testing.T, why string) {
	t.Helper()
	s, err := n.hub.State().ConnectorState(t.Context(), "crm")
	require.NoError(t, err)
	s.Connector, s.Stopped, s.StoppedAt = "crm", why, n.hub.Now()
	require.NoError(t, n.hub.State().SetConnectorState(t.Context(), s, store.Hub, n.hub.Now()))
}

func round(t *testing.T, d *Desk) {
	t.Helper()
	require.NoError(t, d.Judge(t.Context()))
	require.NoError(t, d.Tell(t.Context()))
}

func TestPeopleAreToldOnceWhateverNodeJudges(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		r := newReceiver(t)
		a, first := newOffice(t, url, "a", r.URL)
		b, second := newOffice(t, url, "b", r.URL)
		round(t, first)
		require.Empty(t, r.events())
		a.stop(t, "AUTHENTICATION: refused")
		round(t, first)
		round(t, second) // as after a restart, or when another node leads
		round(t, first)
		require.Equal(t, []string{"raised connector.stopped crm"}, r.events())

		*b.late = 5 * time.Hour
		round(t, second)
		require.Equal(t, []string{"repeated connector.stopped crm"}, r.events())

		b.stop(t, "")
		round(t, second)
		require.Empty(t, r.events(), "not at once")
		*b.late += clearAfter
		round(t, second)
		require.Equal(t, []string{"recovered connector.stopped crm"}, r.events())
		round(t, second)
		require.Empty(t, r.events())
	})
}

func TestAMessageIsSentUntilItIsTaken(t *testing.T) {
	r := newReceiver(t)
	n, d := newOffice(t, storetest.SQLiteURL(t), "a", r.URL)
	r.breakDown(true)
	n.stop(t, "AUTHENTICATION: refused")
	for range 3 {
		round(t, d)
		*n.late += time.Minute
	}
	waiting, err := n.hub.State().Notices(t.Context(), n.hub.Now().AddDate(1, 0, 0), 10)
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	require.Equal(t, 3, waiting[0].Tries)
	require.Contains(t, waiting[0].LastError, "503")

	r.breakDown(false)
	round(t, d)
	require.Equal(t, []string{"raised connector.stopped crm"}, r.events())
	*n.late += time.Hour
	round(t, d)
	require.Empty(t, r.events(), "once")
}

func TestAMessageIsGivenUpAfterADay(t *testing.T) {
	r := newReceiver(t)
	n, d := newOffice(t, storetest.SQLiteURL(t), "a", r.URL)
	r.breakDown(true)
	n.stop(t, "AUTHENTICATION: refused")
	round(t, d)
	*n.late += tellFor + time.Minute
	require.NoError(t, d.Tell(t.Context()))
	waiting, err := n.hub.State().Notices(t.Context(), n.hub.Now().AddDate(1, 0, 0), 10)
	require.NoError(t, err)
	require.Empty(t, waiting)
}

func TestWhatOnlyANodeKnewThatIsGoneIsOver(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		r := newReceiver(t)
		gone, there := store.Node{Name: "gone"}, store.Node{Name: "a"}
		n, d := newOffice(t, url, "a", r.URL)
		require.NoError(t, n.hub.State().Seen(t.Context(), gone))
		require.NoError(t, n.hub.State().Seen(t.Context(), there))
		crash := []Finding{{Condition: PluginCrashing, Subject: "crm", Severity: Critical, Summary: "It dies."}}
		require.NoError(t, d.judged(t.Context(), "gone", crash))
		round(t, d)
		require.Equal(t, []string{"raised plugin.crashing crm"}, r.events())
		require.NoError(t, n.hub.State().Forget(t.Context(), "gone"))
		round(t, d)
		*n.late += clearAfter
		round(t, d)
		require.Equal(t, []string{"recovered plugin.crashing crm"}, r.events())
	})
}

func TestLeadingEnds(t *testing.T) {
	r := newReceiver(t)
	n, d := newOffice(t, storetest.SQLiteURL(t), "a", r.URL)
	n.stop(t, "AUTHENTICATION: refused")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		d.Lead(ctx)
		close(ended)
	}()
	require.Eventually(t, func() bool { return len(r.events()) == 1 }, 30*time.Second, 50*time.Millisecond)
	cancel()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on")
	}
}

func TestEveryWayIsTried(t *testing.T) {
	r, broken := newReceiver(t), newReceiver(t)
	broken.breakDown(true)
	cfg := &config.Config{Org: "acme", Alerts: config.Alerts{Webhooks: []config.Webhook{
		{Route: config.Route{Name: "hook"}, URL: r.URL}, {Route: config.Route{Name: "other"}, URL: broken.URL},
	}}}
	tests, err := TestRoutes(t.Context(), cfg, "", at)
	require.NoError(t, err)
	require.Equal(t, []Test{{Route: "hook"}, {Route: "other", Error: "it answered 503 Service Unavailable"}}, tests)
	require.Equal(t, []string{"test test provhub"}, r.events())
	tests, err = TestRoutes(t.Context(), cfg, "hook", at)
	require.NoError(t, err)
	require.Len(t, tests, 1)

	cfg.Alerts.Webhooks[0].CAFile = "/nowhere.pem"
	_, err = TestRoutes(t.Context(), cfg, "", at)
	require.ErrorContains(t, err, "alerts: hook: tls_ca_file: open /nowhere.pem: no such file or directory")
}
