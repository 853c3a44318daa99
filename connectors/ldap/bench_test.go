package ldap

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// benchAccounts is how many accounts one run of a benchmark writes.
const benchAccounts = 5000

// The benchmarks write 5,000 accounts to the real server, as many at once as the
// hub would, beside a loop of single requests on one connection:
//
//	go test ./connectors/ldap -run '^$' -bench . -benchtime 1x

func BenchmarkCreate(b *testing.B) {
	for range b.N {
		b.StopTimer()
		s := newServer(b)
		target := s.target(s.config(usual))
		b.StartTimer()
		benchRun(b, benchAccounts, Definition.MaxInFlight, func(i int) error {
			_, err := target.Create(context.Background(), anyone("", i))
			return err
		})
	}
	rate(b, benchAccounts)
}

func BenchmarkUpdate(b *testing.B) {
	s := newServer(b)
	target := s.target(s.config(usual))
	refs := make([]connector.Ref, benchAccounts)
	benchRun(b, benchAccounts, Definition.MaxInFlight, func(i int) (err error) {
		refs[i], err = target.Create(context.Background(), anyone("", i))
		refs[i].Type = "user"
		return err
	})
	b.ResetTimer()
	for n := range b.N {
		benchRun(b, benchAccounts, Definition.MaxInFlight, func(i int) error {
			return target.Update(context.Background(), connector.Update{Target: refs[i], Changes: []connector.Change{replace("displayName", fmt.Sprint(n, " ", i))}})
		})
	}
	rate(b, benchAccounts)
}

// BenchmarkReferenceAdd is a loop of single Adds on one connection.
func BenchmarkReferenceAdd(b *testing.B) {
	for range b.N {
		b.StopTimer()
		s := newServer(b)
		b.StartTimer()
		benchRun(b, benchAccounts, 1, func(i int) error { return benchAdd(s.c, s, i) })
	}
	rate(b, benchAccounts)
}

// BenchmarkPipelined are Adds that share connections, by how many connections
// there are and how many Adds are under way.
func BenchmarkPipelined(b *testing.B) {
	for _, n := range []struct{ connections, flight int }{{1, 16}, {1, 128}, {4, 128}, {16, 128}} {
		b.Run(fmt.Sprintf("connections=%d/flight=%d", n.connections, n.flight), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				s := newServer(b)
				o := options(b, env(b, "PROVHUB_TEST_LDAP_BIND_DN"))
				o.Connections, o.Pipeline = n.connections, n.flight/n.connections+1
				c := client(b, o)
				b.StartTimer()
				benchRun(b, benchAccounts, n.flight, func(i int) error { return benchAdd(c, s, i) })
			}
			rate(b, benchAccounts)
		})
	}
}

func benchAdd(c *ldap.Client, s *server, i int) error {
	name := fmt.Sprint("p", i)
	return c.Add(context.Background(), s.ou("people").Child(ldap.NewRDN("uid", name)), []ldap.Attribute{{Name: "objectClass", Values: []string{"inetOrgPerson"}},
		{Name: "uid", Values: []string{name}}, {Name: "cn", Values: []string{name}}, {Name: "sn", Values: []string{name}}, {Name: "employeeNumber", Values: []string{fmt.Sprint("E", i)}}})
}

// BenchmarkGrants puts many accounts into one group: one that the server keeps
// memberOf for, which costs it a second write for each member, and one that it
// does not.
func BenchmarkGrants(b *testing.B) {
	for _, class := range []string{"groupOfNames", "groupOfUniqueNames"} {
		b.Run(class, func(b *testing.B) {
			s := newServer(b)
			text := s.config(usual)
			if class == "groupOfUniqueNames" {
				text = s.config(usual, `"kind": "group",`, `"kind": "group", "object_classes": ["top", "groupOfUniqueNames"], "member": "uniqueMember",`)
			}
			target := s.target(text)
			refs := make([]connector.Ref, benchAccounts)
			benchRun(b, benchAccounts, Definition.MaxInFlight, func(i int) (err error) {
				refs[i], err = target.Create(context.Background(), anyone("", i))
				refs[i].Type = "user"
				return err
			})
			b.ResetTimer()
			for n := range b.N {
				b.StopTimer()
				g := mustCreate(b, target, group(fmt.Sprint("all", n)))
				b.StartTimer()
				benchRun(b, benchAccounts, Definition.MaxInFlight, func(i int) error {
					return target.Grant(context.Background(), connector.Grant{Principal: refs[i], Entitlement: g})
				})
			}
			rate(b, benchAccounts)
		})
	}
}

// benchRun calls f for 0 … n-1, flight of them at once.
func benchRun(b *testing.B, n, flight int, f func(i int) error) {
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	for range flight {
		wg.Go(func() {
			for i := range work {
				if err := f(i); err != nil {
					b.Errorf("%d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func rate(b *testing.B, n int) {
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(0, "ns/op")
}
