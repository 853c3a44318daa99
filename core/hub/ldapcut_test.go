package hub_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/hub"
)

// throughProxy has a directory's hub reach the server through a proxy of its own.
func throughProxy(t *testing.T) (*toxiproxy.Proxy, func(string) string) {
	api := os.Getenv("PROVHUB_TEST_TOXIPROXY_URL")
	if api == "" {
		t.Skip("needs PROVHUB_TEST_TOXIPROXY_URL: run make test")
	}
	server, err := url.Parse(os.Getenv("PROVHUB_TEST_LDAPS_URL"))
	require.NoError(t, err)
	if server.Host == "" {
		t.Skip("needs PROVHUB_TEST_LDAPS_URL: run make test")
	}
	p, err := toxiproxy.NewClient(api).CreateProxy(fmt.Sprintf("ldapcut-%d-%d", os.Getpid(), time.Now().UnixNano()), "127.0.0.1:0", server.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Delete() })
	return p, func(text string) string { return strings.ReplaceAll(text, server.String(), "ldaps://"+p.Listen) }
}

// done gathers what was planned, operation by operation.
type done struct {
	mu         sync.Mutex
	operations []string
	failed     int
}

func (d *done) take(r hub.SyncResult, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.failed++
	}
	if what := planned(r); what != "" {
		d.operations = append(d.operations, strings.Split(what, ", ")...)
	}
}

func (d *done) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.operations...)
}

// The connection of a hub that follows a directory is cut, entries are changed,
// added and deleted meanwhile, and it comes back: the watch is begun again, nothing
// is missed, and nothing is done twice (QUIRKS LDAP-31).
func TestDirectoryIsFollowedThroughACut(t *testing.T) {
	proxy, through := throughProxy(t)
	d := newDirectoryAt(t, through)
	for i := range 30 {
		d.add(fmt.Sprintf("u%d", i), fmt.Sprint(1000+i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var told done
	ended := make(chan error, 1)
	go func() {
		ended <- d.hub.Follow(ctx, hub.PlanOptions{}, hub.DrainOptions{Wait: 10 * time.Second}, time.Hour, told.take)
	}()
	require.Eventually(t, func() bool { return len(told.all()) == 30 }, 30*time.Second, 20*time.Millisecond)
	want := told.all()
	for round := range 2 {
		time.Sleep(300 * time.Millisecond) // until the watch stands
		require.NoError(t, proxy.Disable())
		for i := range 5 {
			changed, gone, added := 10*round+i, 10*round+5+i, 2000+10*round+i
			d.retitle(fmt.Sprintf("u%d", changed), "Chief")
			d.retitle(fmt.Sprintf("u%d", changed), "Clerk")
			require.NoError(t, d.client.Delete(t.Context(), d.dn(fmt.Sprintf("u%d", gone))))
			d.add(fmt.Sprintf("new%d", added), fmt.Sprint(added))
			want = append(want, fmt.Sprintf("update %d", 1000+changed), fmt.Sprintf("disable %d", 1000+gone), fmt.Sprintf("create %d", added))
		}
		began := time.Now()
		require.NoError(t, proxy.Enable())
		require.Eventually(t, func() bool { return len(told.all()) >= len(want) }, 30*time.Second, 20*time.Millisecond)
		t.Logf("15 changes while it was cut, at the target %v after it came back", time.Since(began))
		require.ElementsMatch(t, want, told.all())
	}
	// The watch that was begun again tells by itself.
	time.Sleep(300 * time.Millisecond)
	d.retitle("u29", "Chief")
	want = append(want, "update 1029")
	require.Eventually(t, func() bool { return len(told.all()) >= len(want) }, 30*time.Second, 20*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
	what, _ := d.sync()
	require.Empty(t, what, "all was done")
	require.ElementsMatch(t, want, told.all())
}
