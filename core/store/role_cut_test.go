package store_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// cuttable is a database behind a proxy, and the same one without.
func cuttable(t *testing.T) (p *toxiproxy.Proxy, through, direct string) {
	t.Helper()
	direct = storetest.PostgresURL(t)
	api := os.Getenv("PROVHUB_TEST_TOXIPROXY_URL")
	if api == "" {
		t.Skip("needs PROVHUB_TEST_TOXIPROXY_URL: run make test")
	}
	u, err := url.Parse(direct)
	require.NoError(t, err)
	p, err = toxiproxy.NewClient(api).CreateProxy(fmt.Sprintf("role-%d-%d", os.Getpid(), time.Now().UnixNano()), "127.0.0.1:0", u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Delete() })
	u.Host = p.Listen
	return p, u.String(), direct
}

// A node that is cut off knows it within seconds, whether its connections end or just
// stay silent; what waits for an answer ends too, and the node can come back.
func TestACutLosesTheRole(t *testing.T) {
	for name, cut := range map[string]func(*testing.T, *toxiproxy.Proxy){
		"connections end": func(t *testing.T, p *toxiproxy.Proxy) { require.NoError(t, p.Disable()) },
		"no answer comes": func(t *testing.T, p *toxiproxy.Proxy) {
			_, err := p.AddToxic("silent", "timeout", "downstream", 1, toxiproxy.Attributes{"timeout": 0})
			require.NoError(t, err)
		},
		"nothing goes through": func(t *testing.T, p *toxiproxy.Proxy) {
			for name, stream := range map[string]string{"silent": "downstream", "deaf": "upstream"} {
				_, err := p.AddToxic(name, "timeout", stream, 1, toxiproxy.Attributes{"timeout": 0})
				require.NoError(t, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, through, direct := cuttable(t)
			o := storetest.Open(t, through)
			role, err := o.Serve(t.Context(), "provhub serve")
			require.NoError(t, err)
			_, err = role.Lock(t.Context(), "connector/crm")
			require.NoError(t, err)
			select {
			case <-role.Lost():
				t.Fatal("it is lost and nothing has happened")
			case <-time.After(1500 * time.Millisecond):
			}

			cut(t, p)
			began := time.Now()
			hung := make(chan error, 1)
			go func() {
				_, err := o.Generation(context.WithoutCancel(t.Context()))
				hung <- err
			}()
			select {
			case <-role.Lost():
			case <-time.After(30 * time.Second):
				t.Fatal("the loss was not noticed")
			}
			select {
			case err := <-hung:
				require.ErrorIs(t, err, store.ErrUnreachable, "whoever asked learns that it was not their own doing")
			case <-time.After(30 * time.Second):
				t.Fatal("a query hangs")
			}
			t.Logf("noticed after %s", time.Since(began))
			lost := time.Now()
			role.Release()

			other, err := storetest.Open(t, direct).Serve(t.Context(), "provhub serve")
			require.NoError(t, err)
			defer other.Release()
			require.Eventually(t, func() bool {
				lock, err := other.Lock(t.Context(), "connector/crm")
				if err == nil {
					lock.Release()
				}
				return err == nil
			}, 30*time.Second, 50*time.Millisecond, "another node can have the lock")
			require.Less(t, time.Since(lost), 12*time.Second, "the driver says goodbye for longer, and nobody waits for that")
			t.Logf("taken over after %s", time.Since(began))

			require.NoError(t, p.Enable())
			_ = p.RemoveToxic("silent") // where there is one
			_ = p.RemoveToxic("deaf")
			require.Eventually(t, func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				again, err := o.Serve(ctx, "provhub serve")
				if err == nil {
					again.Release()
				}
				return err == nil
			}, 30*time.Second, 100*time.Millisecond, "the node comes back")
		})
	}
}
