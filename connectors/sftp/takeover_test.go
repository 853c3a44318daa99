package sftp

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// Two nodes with a state each: the second goes on from the last full file. The first
// does not publish from what it knew, whatever the receiver has taken meanwhile, and
// no number goes out twice.
func TestTakeoverByAnotherNode(t *testing.T) {
	s := server(t)
	first := target(t, people(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, first, create("1", "7", "Zoë"))

	second := target(t, people(t.TempDir()).with(at(s)), secretsOf(s))
	must(t, second, disable("2", "7"))
	must(t, second, create("3", "8", "Ann"))
	require.Equal(t, "ID,NAME,MAIL,STATUS,ROLES\n7,Zoë,,disabled,\n8,Ann,,active,\n", text(t, s, "/outgoing/people_0003.csv"))
	require.NoError(t, second.Close(context.Background()))

	for _, name := range []string{"people_0002.csv", "people_0002.csv.manifest.json", "people_0002.csv.done"} {
		s.FS.Remove("/outgoing/" + name) // the receiver has read it
	}
	time.Sleep(trust) // longer than that a takeover takes
	stale := apply(t, first, rename("4", "7", "Zoe"))[0]
	require.Equal(t, connector.OutcomePending, stale.Outcome)
	got := pollFor(t, first, stale)
	require.Equal(t, connector.CodeConfiguration, got.Err.Code)
	require.Contains(t, got.Err.Message, "with number 3, and the last one known here is 1")
	_, again := s.FS.Get("/outgoing/people_0002.csv")
	require.False(t, again, "nobody is enabled again by an older state")
}
