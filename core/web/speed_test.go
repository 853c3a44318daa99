package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// pageMax is how long a page may take, whatever is in the store.
const pageMax = 200 * time.Millisecond

// queueRows is how many operations are in the store: PROVHUB_BENCH_QUEUE=1000000 gives
// the figures of the design.
func queueRows() storetest.Queue {
	q := storetest.LargeQueue
	q.Operations = 20_000
	if n, err := strconv.Atoi(os.Getenv("PROVHUB_BENCH_QUEUE")); err == nil {
		q.Operations = n
	}
	return q
}

// crowd has the source hr tell of so many people, p0, p1 …
func crowd(t *testing.T, o *store.Org, people int) {
	t.Helper()
	r, err := o.BeginReading(t.Context(), "hr")
	require.NoError(t, err)
	ids := make([]identity.Identity, people)
	for i := range ids {
		n := strconv.Itoa(i)
		ids[i] = identity.Identity{
			Key: identity.Key{Source: "hr", Kind: identity.Person, Anchor: "p" + n}, State: identity.Active, Position: "hr.csv:" + n,
			Attributes: identity.Attributes{"login": "user" + n, "mail": "user" + n + "@example.org"},
		}
	}
	for chunk := range slices.Chunk(ids, 1000) {
		require.NoError(t, r.Stage(t.Context(), chunk))
	}
	_, err = r.Commit(t.Context(), store.ReadingEnd{Snapshot: "s", Now: time.Now()})
	require.NoError(t, err)
}

// Every page, of a hub with a long queue, on both databases.
func TestPagesAreFast(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		q := queueRows()
		l := longLab(t, url, q)
		b := l.as(signin.Admin)
		deep := strconv.Itoa(q.Operations * 9 / 10)
		op := fmt.Sprintf("%07d-0000-5000-8000-000000000000", 3)
		for _, path := range []string{
			"/", "/connectors/app07", "/sources/hr", "/queue", "/queue?connector=app07", "/queue/list", "/queue/list?after=" + deep,
			"/queue/list?state=done", "/queue/list?state=done&connector=app07&after=" + deep, "/queue/list?state=parked&before=" + deep,
			"/queue/list?cause=000000000005", "/queue/list?code=QUOTA&state=parked", "/operations/" + op,
			person("p3"), "/plans", "/plans/plan7", "/plans/plan7?after=7500", "/runs", "/runs?kind=reconcile", "/audit",
			"/findings", "/findings/list", "/findings/list?situation=drifted", "/findings/list?connector=app07&situation=orphan", "/findings/list?reaction=adopt",
			"/findings/list?state=over", "/findings/list?state=over&situation=orphan&reaction=adopt",
			"/findings/list?after=" + base64.RawURLEncoding.EncodeToString([]byte("app07/orphan/person/u-00001")),
			findingPath(store.FindingRow{Connector: "app01", Kind: identity.Person, TargetID: "u-0000000"}), "/alerts", "/nodes", "/users",
		} {
			b.ok(path) // what is read once, such as templates and pages of the database, is not what counts
			took := make([]time.Duration, 3)
			for i := range took {
				start := time.Now()
				b.ok(path)
				took[i] = time.Since(start)
			}
			fastest := slices.Min(took)
			t.Logf("%8s  %s", fastest.Round(100*time.Microsecond), path)
			if os.Getenv("PROVHUB_BENCH_QUEUE") != "" { // else others are at work on this machine
				assert.Less(t, fastest, pageMax, path)
			}
		}
	})
}

// found has reconciliations find so many accounts, a third of which are in order again,
// in all connectors and in situations of which some are rare.
func found(t *testing.T, o *store.Org, findings, connectors int) {
	t.Helper()
	rows := make([]store.FindingRow, findings)
	over := map[string][]string{}
	for i := range rows {
		situation := "orphan"
		switch {
		case i%1000 == 7:
			situation = "enabled_again"
		case i%4 == 1:
			situation = "drifted"
		}
		r := store.FindingRow{Connector: fmt.Sprintf("app%02d", i%connectors+1), Kind: identity.Person, TargetID: fmt.Sprintf("u-%07d", i), Situation: situation,
			Source: "hr", Anchor: fmt.Sprintf("p%d", i), Reaction: "report", Object: fmt.Sprintf("user%d@example.org", i), Text: "changed in the target: displayName", Body: json.RawMessage(`{}`)}
		if rows[i] = r; i%3 == 2 {
			over[r.Connector] = append(over[r.Connector], r.TargetID)
		}
	}
	for chunk := range slices.Chunk(rows, 1000) {
		require.NoError(t, o.SaveFindings(t.Context(), chunk, time.Now()))
	}
	for name, ids := range over {
		for chunk := range slices.Chunk(ids, 1000) {
			require.NoError(t, o.ResolveFindings(t.Context(), name, identity.Person, chunk, time.Now()))
		}
	}
}

// longLab serves a hub whose state at url has a long queue.
func longLab(t *testing.T, url string, q storetest.Queue) *lab {
	t.Helper()
	o := storetest.Open(t, url)
	require.NoError(t, storetest.FillQueue(t.Context(), url, q))
	crowd(t, o, min(q.Operations, 10_000))
	found(t, o, q.Operations/5, q.Connectors)
	l := &lab{t: t, dir: t.TempDir()}
	text := strings.Replace(fmt.Sprintf(labConfig, filepath.Join(pluginsDir, "provhub-connector-memory"), "none.json"), `"sqlite:state.db"`, strconv.Quote(url), 1)
	for i := range q.Connectors {
		text += fmt.Sprintf("  - {name: app%02d, plugin: memory, sources: [hr], config: {}, attributes: [{to: userName, from: person.login}]}\n", i+1)
	}
	l.write("provhub.yaml", text)
	cfg, err := config.Load(filepath.Join(l.dir, "provhub.yaml"), config.Settings{})
	require.NoError(t, err)
	l.hub, err = hub.Open(context.Background(), cfg, hub.Options{Actor: "provhub"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.hub.Close()) })
	l.serve()
	return l
}
