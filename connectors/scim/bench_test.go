package scim

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// benchAtOnce is how many requests go out at once, in both loops.
const benchAtOnce = 4

// BenchmarkCreates makes ten thousand accounts: through the connector, as many
// calls at once as the hub makes, and by a bare loop over net/http.
//
//	go test ./connectors/scim -run '^$' -bench Creates -benchtime 1x
func BenchmarkCreates(b *testing.B) {
	const n = 10_000
	b.Run("bare", func(b *testing.B) {
		for range b.N {
			f := newFake(b, "rfc7644", nil, nil)
			hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchAtOnce, TLSClientConfig: &tls.Config{RootCAs: f.CertPool()}, ForceAttemptHTTP2: true}}
			b.ResetTimer()
			spread(n, benchAtOnce, func(i int) { bareCreate(b, hc, f, i) })
			b.ReportMetric(n/b.Elapsed().Seconds(), "accounts/s")
			b.StopTimer()
			hc.CloseIdleConnections()
			require.Len(b, f.Users(), n)
		}
	})
	for _, by := range []string{"userName", "externalId"} {
		b.Run("connector, found by "+by, func(b *testing.B) {
			for range b.N {
				f := newFake(b, "rfc7644", nil, config{"concurrency": benchAtOnce})
				_, err := f.target.Schema(context.Background())
				require.NoError(b, err)
				b.ResetTimer()
				spread(n, Definition.MaxInFlight, func(i int) {
					c := benchUser(i)
					c.Correlate = connector.Correlation{Attribute: by, Value: c.Attributes.Text(by)}
					if _, err := f.target.Create(context.Background(), c); err != nil {
						b.Error(err)
					}
				})
				b.ReportMetric(n/b.Elapsed().Seconds(), "accounts/s")
				b.StopTimer()
				require.Len(b, f.Users(), n)
			}
		})
	}
}

// spread makes n calls, so many at once.
func spread(n, atOnce int, call func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				call(i)
			}
		})
	}
	all.Wait()
}

func benchUser(i int) connector.Create {
	name := fmt.Sprintf("user%06d", i)
	return newUser(name, "givenName", "Given", "familyName", "Family", "email", name+"@example.org", "department", "Sales")
}

func bareCreate(b *testing.B, hc *http.Client, f *fake, i int) {
	name := fmt.Sprintf("user%06d", i)
	body := `{"schemas": ["` + userSchema + `", "` + enterpriseSchema + `"], "userName": "` + name + `", "externalId": "x-` + name + `", "active": true,
		"name": {"givenName": "Given", "familyName": "Family"}, "emails": [{"type": "work", "value": "` + name + `@example.org"}],
		"` + enterpriseSchema + `": {"department": "Sales"}}`
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, f.URL()+"/Users", bytes.NewReader([]byte(body)))
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+f.Token())
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := hc.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusCreated {
		b.Error(resp.Status, err)
	}
}

// BenchmarkGrants puts a hundred thousand accounts into one group.
//
//	go test ./connectors/scim -run '^$' -bench Grants -benchtime 1x
func BenchmarkGrants(b *testing.B) {
	const n = 100_000
	for _, dialect := range []string{"rfc7644", "aws-identity-center"} {
		b.Run(dialect, func(b *testing.B) {
			for range b.N {
				f := newFake(b, dialect, nil, nil)
				users := seedMany(b, f, n)
				f.seedGroup("staff")
				_, err := f.target.Schema(context.Background())
				require.NoError(b, err)
				f.ResetLog()
				b.ResetTimer()
				spread(n, Definition.MaxInFlight, func(i int) {
					if err := grant(f, users[i], group("staff")); err != nil {
						b.Error(err)
					}
				})
				b.ReportMetric(n/b.Elapsed().Seconds(), "grants/s")
				b.ReportMetric(float64(f.Count(http.MethodPatch, "/Groups")), "requests")
				b.StopTimer()
				require.Len(b, f.members("staff"), n)
			}
		})
	}
}

func seedMany(b *testing.B, f *fake, n int) []connector.Ref {
	b.Helper()
	refs := f.seedUsers(n)
	users, _ := f.Len()
	require.Equal(b, n, users)
	return refs
}
