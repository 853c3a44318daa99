package fakeldap

import (
	"flag"
	"fmt"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

var scale = flag.Int("scale", 10_000, "how many people and members the test of large directories makes")

// Many people, all of them in one group: what concerns one of them must not take
// longer because of the others. Measure with -scale 100000 -v.
func TestManyPeopleAndMembers(t *testing.T) {
	n := *scale
	s, c := ad(t, Options{})
	took := func(what string, limit time.Duration, f func()) {
		t.Helper()
		began := time.Now()
		f()
		d := time.Since(began)
		t.Logf("%-34s %v", what, d.Round(time.Millisecond))
		require.Less(t, d, limit, what)
	}
	members := make([]string, n)
	took("load", time.Minute, func() {
		require.NoError(t, s.dir.write(somebody, func(tx *tx) error {
			for i := range n {
				name := fmt.Sprintf("p%06d", i)
				members[i] = "CN=" + name + ",OU=people,DC=example,DC=org"
				values := map[string][]string{"objectClass": {"user"}, "sAMAccountName": {name}, "sn": {"Doe"}, "employeeNumber": {name}, "mail": {name + "@example.org"}}
				if err := tx.load(record{dn: members[i], names: sortedKeys(values), values: values}); err != nil {
					return err
				}
			}
			return nil
		}))
	})
	group := "CN=all," + s.In(Groups)
	require.NoError(t, c.Add(addRequest(group, "objectClass", "group", "sAMAccountName", "all")))
	took("all members in one modify", time.Minute, func() { require.NoError(t, c.Modify(replace(group, "member", members...))) })
	took("1,000 members removed one by one", time.Minute, func() {
		for _, m := range members[:1000] {
			r := ldap.NewModifyRequest(group, nil)
			r.Delete("member", []string{m})
			require.NoError(t, c.Modify(r))
		}
	})
	took("1,000 found by name", time.Minute, func() {
		for i := range 1000 {
			require.Len(t, find(t, s, c, fmt.Sprintf("(&(objectClass=user)(sAMAccountName=p%06d))", n-1-i), "memberOf"), 1)
		}
	})
	took("100 renamed", time.Minute, func() {
		for i := range 100 {
			require.NoError(t, c.ModifyDN(ldap.NewModifyDNRequest(members[n-1-i], fmt.Sprintf("CN=q%06d", i), true, "")))
		}
	})
	took("all listed in pages", time.Minute, func() {
		r := ldap.NewSearchRequest(s.In(People), ldap.ScopeWholeSubtree, 0, 0, 0, false, "(objectClass=user)", []string{"sAMAccountName", "mail", "memberOf"}, nil)
		res, err := c.SearchWithPaging(r, 1000)
		require.NoError(t, err)
		require.Len(t, res.Entries, n)
	})
	took("members read in ranges", time.Minute, func() {
		read := 0
		for read < n-1000 {
			res, err := c.Search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{fmt.Sprintf("member;range=%d-*", read)}, nil))
			require.NoError(t, err)
			read += len(res.Entries[0].Attributes[0].Values)
		}
	})
}
