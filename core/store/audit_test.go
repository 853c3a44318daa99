package store_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// behind opens the database past the store, as somebody who tampers would.
func behind(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	driver, dsn := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sqlx.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// disarm takes the triggers away.
func disarm(t *testing.T, db *sqlx.DB) {
	t.Helper()
	if db.DriverName() == "pgx" {
		db.MustExec(`DROP TRIGGER audit_no_change ON audit`)
		return
	}
	db.MustExec(`DROP TRIGGER audit_no_update`)
	db.MustExec(`DROP TRIGGER audit_no_delete`)
}

func record(t *testing.T, o *store.Org, n int) {
	t.Helper()
	for i := range n {
		e := store.AuditEntry{At: now.Add(time.Duration(i) * time.Second), Actor: "bob", Action: "config.change", Object: "provhub.yaml",
			Detail: json.RawMessage(`{"line": 7}`)}
		require.NoError(t, o.AuditRecord(t.Context(), e))
	}
}

func TestTheTrailVerifies(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		n, err := o.AuditVerify(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		record(t, o, 5)
		n, err = o.AuditVerify(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
	})
}

func TestTheDatabaseRefusesToChangeTheTrail(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url)
		record(t, o, 2)
		db := behind(t, url)
		for _, q := range []string{`UPDATE audit SET actor = 'eve'`, `DELETE FROM audit`, `DELETE FROM audit WHERE seq = 2`} {
			_, err := db.Exec(q)
			require.ErrorContains(t, err, "append-only", q)
		}
		_, err := o.AuditVerify(t.Context())
		require.NoError(t, err)
	})
}

func TestTamperingIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		do   string
		seq  int64
		what string
	}{
		"a changed field":           {`UPDATE audit SET actor = 'eve' WHERE seq = 3`, 3, "does not fit its hash"},
		"a changed time":            {`UPDATE audit SET at = at + 1 WHERE seq = 1`, 1, "does not fit its hash"},
		"text moved between fields": {`UPDATE audit SET actor = 'bobc', action = 'onfig.change' WHERE seq = 2`, 2, "does not fit its hash"},
		"a removed entry":           {`DELETE FROM audit WHERE seq = 3`, 3, "it is missing, the next one is 4"},
		"a removed first entry":     {`DELETE FROM audit WHERE seq = 1`, 1, "it is missing, the next one is 2"},
		"two entries changed about": {`UPDATE audit SET seq = -12 WHERE seq = 12; UPDATE audit SET seq = 12 WHERE seq = 13;
			UPDATE audit SET seq = 13 WHERE seq = -12`, 12, "does not fit its hash"},
		"a removed and closed gap": {`DELETE FROM audit WHERE seq = 19; UPDATE audit SET seq = 19 WHERE seq = 20`, 19, "does not fit its hash"},
		"a cut end":                {`DELETE FROM audit WHERE seq > 17`, 18, "the trail ends at 17, but 20 entries were written"},
		"an emptied trail":         {`DELETE FROM audit`, 1, "the trail ends at 0, but 20 entries were written"},
		"a cut end with its head":  {`DELETE FROM audit WHERE seq > 17; UPDATE audit_head SET seq = 17`, 17, "does not end where its head says"},
		"an entry put in at the end": {`INSERT INTO audit SELECT org_id, 21, at, actor, action, object, detail, hash FROM audit WHERE seq = 1`, 21,
			"does not fit its hash"},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachURL(t, func(t *testing.T, url string) {
				o := storetest.Open(t, url)
				record(t, o, 20)
				db := behind(t, url)
				disarm(t, db)
				for _, q := range strings.Split(c.do, ";") {
					db.MustExec(q)
				}
				_, err := o.AuditVerify(t.Context())
				var tampered *store.TamperedError
				require.ErrorAs(t, err, &tampered)
				require.Equal(t, c.seq, tampered.Seq)
				require.Contains(t, tampered.What, c.what)
			})
		})
	}
}

func TestTheTrailIsVerifiedBitByBit(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url)
		record(t, o, 20)
		var mark store.AuditMark
		var seqs []int64
		for end := false; !end; {
			var err error
			mark, end, err = o.AuditVerifyFrom(t.Context(), mark, 8)
			require.NoError(t, err)
			seqs = append(seqs, mark.Seq)
		}
		require.Equal(t, []int64{9, 17, 20}, seqs)
		again := func() error {
			_, _, err := o.AuditVerifyFrom(t.Context(), mark, 8)
			return err
		}
		require.NoError(t, again())
		record(t, o, 1)
		require.NoError(t, again())

		db := behind(t, url)
		disarm(t, db)
		db.MustExec(`UPDATE audit SET actor = 'eve' WHERE seq = 21`)
		require.ErrorContains(t, again(), "does not fit its hash")
		db.MustExec(`DELETE FROM audit WHERE seq = 21`)
		require.ErrorContains(t, again(), "the trail ends at 20, but 21 entries were written")
		db.MustExec(`UPDATE audit SET hash = 'x' WHERE seq = 20`)
		require.ErrorContains(t, again(), "not the one that was verified before")
		db.MustExec(`DELETE FROM audit WHERE seq = 20`)
		require.ErrorContains(t, again(), "it was there when it was verified, and is missing")
	})
}

func TestTheTrailIsFiltered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		record(t, o, 3)
		apply(t, o, creates("p1", "crm", "1"))
		carryOut(t, o)
		find := func(f store.AuditFilter) (seqs []int64) {
			entries, err := o.Audit(t.Context(), f)
			require.NoError(t, err)
			for _, e := range entries {
				seqs = append(seqs, e.Seq)
			}
			return seqs
		}
		require.Equal(t, []int64{1, 2, 3, 4, 5, 6}, find(store.AuditFilter{}))
		require.Equal(t, []int64{1, 2, 3}, find(store.AuditFilter{Actor: "bob"}))
		require.Equal(t, []int64{6}, find(store.AuditFilter{Object: "crm/1"}))
		require.Equal(t, []int64{5}, find(store.AuditFilter{Action: "plan.apply"}))
		require.Equal(t, []int64{2, 3}, find(store.AuditFilter{Since: now.Add(time.Second)}))
		require.Equal(t, []int64{3, 4}, find(store.AuditFilter{After: 2, Limit: 2}))
	})
}

func TestTheTrailTellsWhatWasDoneWithoutValues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p1", "crm", "1"))
		carryOut(t, o)
		entries, err := o.Audit(t.Context(), store.AuditFilter{Action: "operation.done"})
		require.NoError(t, err)
		require.JSONEq(t, `{"operation":"p1-crm-1","kind":"person","source":"hr","op":"create","reason":"joined","changed":["userName"],"plan":"p1","attempts":1}`,
			string(entries[0].Detail))
	})
}
