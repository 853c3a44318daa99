package alert

import (
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// Whoever changes an entry is found at once, or within a day when it is an old one; a
// node that leads from now on does not take back what was told.
func TestAChangedAuditTrail(t *testing.T) {
	r, url := newReceiver(t), storetest.SQLiteURL(t)
	n, d := newOffice(t, url, "a", r.URL)
	state := n.hub.State()
	write := func() {
		require.NoError(t, state.AuditRecord(t.Context(), store.AuditEntry{At: n.hub.Now(), Actor: "ann", Action: "config.change", Object: "provhub.yaml"}))
	}
	for range 5 {
		write()
	}
	round(t, d)
	require.Empty(t, r.events())

	db, err := sqlx.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	defer db.Close()
	db.MustExec(`DROP TRIGGER audit_no_update`)
	db.MustExec(`UPDATE audit SET actor = 'eve' WHERE seq = 2`)
	write()
	round(t, d)
	require.Empty(t, r.events(), "it was verified before")
	*n.late += trailAgain
	round(t, d)
	require.Equal(t, []string{"raised audit.broken audit"}, r.events())

	_, next := newOffice(t, url, "b", r.URL)
	next.n.(*officeNode).late = n.late
	next.trail.begun = n.hub.Now()
	had, err := state.Alerts(t.Context())
	require.NoError(t, err)
	require.Equal(t, "The audit trail is not as it was written: entry 2: its content does not fit its hash and the entry before it.", had[0].Summary)
	require.Len(t, next.trail.finding(had), 1, "what another node found is believed")
	round(t, next)
	*n.late += 2 * time.Minute
	round(t, next)
	require.Empty(t, r.events())

	db.MustExec(`UPDATE audit SET actor = 'ann' WHERE seq = 2`)
	round(t, next)
	*n.late += clearAfter
	round(t, next)
	require.Equal(t, []string{"recovered audit.broken audit"}, r.events())
}
