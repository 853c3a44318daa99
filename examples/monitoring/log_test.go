package monitoring

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// people of whom nothing may be in a log. crm refuses the title of the second one, and
// the last row is a bad one.
var people = []string{
	"E-7001,zaphod,zbeeblebrox@galaxy.example,President,here",
	"E-7002,trillian,tmcmillan@galaxy.example,Astrophysicist extraordinary,here",
	"E-7003,marvin,paranoid@galaxy.example,Robot,here",
	",slartibartfast,fjords@galaxy.example,Designer,here",
}

// busy lets a node do a bit of everything, and waits until it did.
func busy(t *testing.T, s *site) *node {
	t.Helper()
	s.people(people...)
	s.scim.Arm(fakescim.Fault{Name: fakescim.Busy, Times: 2, RetryAfter: "1"})
	n := s.serve()
	n.eventually("what can be done is done, and what cannot is parked", func() bool {
		_, text := n.get("/metrics")
		done := func(series string) bool { return strings.Contains(text, "provhub_operations_total{"+series+"}") }
		return done(`connector="crm",kind="create",lane="normal",outcome="done"`) &&
			done(`connector="crm",kind="create",lane="normal",outcome="parked"`) && done(`connector="wiki",kind="create",lane="normal",outcome="done"`)
	})
	return n
}

// Lines are JSON, those about an operation say which and to where, those about a run
// which, also those that plugins write, and none tells anything of a person.
func TestTheLogSaysWhatItIsAboutAndNamesNobody(t *testing.T) {
	s := newSite(t)
	n := busy(t, s)
	s.people(people[0], people[3], people[3], people[3])
	n.eventually("a reading with too many bad rows is refused", func() bool { return strings.Contains(n.log.String(), `"outcome":"failed"`) })
	n.stop()
	plans, operations, fromPlugins := map[string]bool{}, 0, 0
	var all []map[string]any
	for text := range strings.Lines(n.log.String()) {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line), text)
		require.Subset(t, keys(line), []string{"time", "level", "msg"}, text)
		for _, of := range people {
			for _, value := range strings.Split(of, ",") {
				if value != "" && value != "here" {
					require.NotContains(t, strings.ToLower(text), strings.ToLower(value))
				}
			}
		}
		if line["msg"] == "a run ended" {
			require.Regexp(t, `^(cycle/hr|retention/\S+)/\d{8}T\d{6}\.\d{6}Z$`, line["run"], text)
			if plan, ok := line["plan"].(string); ok {
				plans[plan] = true
			}
		}
		all = append(all, line)
	}
	for _, line := range all {
		require.NotContains(t, keys(line), "op")
		require.NotContains(t, keys(line), "operation_id")
		if line["operation"] == nil {
			require.NotContains(t, []any{"operation done", "operation not done"}, line["msg"])
			continue
		}
		operations++
		require.Contains(t, []any{"crm", "wiki"}, line["connector"], "%v", line)
		require.Regexp(t, `^[0-9a-f-]{36}$`, line["operation"], "%v", line)
		require.NotEmpty(t, line["attempt"], "%v", line)
		if line["plugin"] != nil {
			require.NotEmpty(t, line["step"], "%v", line)
			fromPlugins++
			continue
		}
		require.Contains(t, plans, line["plan"], "%v", line)
	}
	require.GreaterOrEqual(t, operations, 6)
	require.GreaterOrEqual(t, fromPlugins, 3)
}

func keys(m map[string]any) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}
