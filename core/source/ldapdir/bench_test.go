package ldapdir

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/source"
)

// BenchmarkRead reads all people below PROVHUB_BENCH_LDAP_BASE of the test directory, in
// pages and as a synchronization, over LDAPS and StartTLS.
func BenchmarkRead(b *testing.B) {
	base := os.Getenv("PROVHUB_BENCH_LDAP_BASE")
	if base == "" {
		b.Skip("needs PROVHUB_BENCH_LDAP_BASE, a DN with people below it")
	}
	for _, way := range []string{Never, Syncrepl} {
		for _, url := range []string{"PROVHUB_TEST_LDAPS_URL", "PROVHUB_TEST_LDAP_URL"} {
			b.Run("incremental="+way+"/"+url, func(b *testing.B) { benchRead(b, base, env(b, url), way) })
		}
	}
}

func benchRead(b *testing.B, base, url, way string) {
	o := ldap.Options{URLs: []string{url}, CAFile: env(b, "PROVHUB_TEST_CA_FILE"),
		BindDN: env(b, "PROVHUB_TEST_LDAP_BIND_DN"), Password: connector.NewSecret(env(b, "PROVHUB_TEST_LDAP_PASSWORD"))}
	r, err := New(Config{Client: o, Directory: "openldap", Incremental: way, People: Kind{Base: base, Anchor: "employeeNumber", Attributes: source.Attributes{
		{Name: "email", From: "mail", Required: true}, {Name: "employee_id", From: "employeeNumber"}, {Name: "given", From: "givenName"}, {Name: "family", From: "sn"}, {Name: "title"}}}})
	require.NoError(b, err)
	b.Cleanup(r.Close)
	b.ReportAllocs()
	people := 0
	for b.Loop() {
		people = 0
		report, err := r.Read(b.Context(), func(*source.Record) error { people++; return nil })
		require.NoError(b, err)
		require.True(b, report.Complete)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(people), "ns/person")
}
