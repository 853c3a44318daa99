package fakescim

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A directory of 100,000 users in one group, over plain HTTP on one connection.
func Benchmark100000(b *testing.B) {
	s, c := serve(b, Options{PlainHTTP: true})
	ids := make([]string, 100_000)
	for i := range ids {
		id, err := s.Seed("User", fmt.Sprintf(`{"userName":"u%d","externalId":"E%d"}`, i, i))
		require.NoError(b, err)
		ids[i] = id
	}
	g, err := s.Seed("Group", `{"displayName":"All"}`)
	require.NoError(b, err)
	require.NoError(b, s.SeedMembers(g, ids...))
	next := 0
	id := func() string { next++; return ids[next*7%len(ids)] }
	for _, bench := range []struct {
		name string
		call func()
	}{
		{"get", func() { c.want(200, "", "GET", "/Users/"+id(), "") }},
		{"find by externalId", func() {
			c.want(200, "", "GET", fmt.Sprintf("/Users?filter=externalId+eq+%%22E%d%%22", next), "")
			next++
		}},
		{"change a title", func() {
			c.patch(200, "", "/Users/"+id(), fmt.Sprintf(`{"op":"replace","path":"title","value":"t%d"}`, next))
		}},
		{"is a member", func() {
			c.want(200, "", "GET", `/Groups?excludedAttributes=members&filter=id+eq+%22`+g+`%22+and+members.value+eq+%22`+id()+`%22`, "")
		}},
		{"remove and add a member", func() {
			m := id()
			c.patch(204, "", "/Groups/"+g, `{"op":"remove","path":"members[value eq \"`+m+`\"]"},{"op":"add","path":"members","value":[{"value":"`+m+`"}]}`)
		}},
		{"a page of 100", func() {
			c.want(200, "", "GET", fmt.Sprintf("/Users?count=100&startIndex=%d", 1+next*100%90_000), "")
			next++
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				bench.call()
			}
		})
	}
}
