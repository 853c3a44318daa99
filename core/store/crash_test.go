package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// TestMain makes the test program a process that is to be killed when it is
// started by [child].
func TestMain(m *testing.M) {
	role := os.Getenv("STORE_TEST_ROLE")
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles[role](context.Background(), os.Getenv("STORE_TEST_URL")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var roles = map[string]func(context.Context, string) error{"work": workRole, "drain": drainRole}

// workRole takes the working role and keeps it until it is killed.
func workRole(ctx context.Context, url string) error {
	s, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	if _, err := s.Org(storetest.OrgID).Work(ctx, "child"); err != nil {
		return err
	}
	fmt.Println("working")
	select {}
}

// drainRole works as the hub does after a start, and is killed (SIGKILL, no
// deferred call runs) before or after the commit that the environment names.
func drainRole(ctx context.Context, url string) error {
	at, err := strconv.Atoi(os.Getenv("STORE_TEST_COMMIT"))
	if err != nil {
		return err
	}
	die := func(moment string, n int) {
		if n == at && moment == os.Getenv("STORE_TEST_MOMENT") {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	s, err := store.Open(ctx, url,
		store.WithCommitHook(func(n int, _ string) error { die("before", n); return nil }),
		store.WithCommittedHook(func(n int, _ string) { die("after", n) }))
	if err != nil {
		return err
	}
	defer s.Close()
	return workOnce(ctx, s.Org(storetest.OrgID), "child", func(store.OpRow) {})
}

// workOnce recovers, settles what is in doubt, and carries out what is ready. It
// calls sent for what is sent.
func workOnce(ctx context.Context, o *store.Org, owner string, sent func(store.OpRow)) error {
	release, err := o.Work(ctx, owner)
	if err != nil {
		return err
	}
	defer release()
	if _, _, err := o.Recover(ctx, owner, now); err != nil {
		return err
	}
	if _, err := o.SavePlan(ctx, crashPlan(), store.PlanProposed, "alice", now); err != nil {
		return err
	}
	if _, err := o.ApplyPlan(ctx, "p1", "alice", now); err != nil && !errors.Is(err, store.ErrPlanState) {
		return err
	}
	for _, take := range []func(context.Context, string, string, int, time.Time, time.Duration) ([]store.OpRow, error){o.Unknown, o.Lease} {
		for {
			ops, err := take(ctx, "crm", owner, 2, now, time.Minute)
			if err != nil {
				return err
			}
			if len(ops) == 0 {
				break
			}
			if ops[0].State == store.OpLeased {
				if ops, err = o.MarkSent(ctx, ops, now); err != nil {
					return err
				}
				for _, op := range ops {
					sent(op)
				}
			}
			var fs []store.Finish
			for _, op := range ops {
				fs = append(fs, done(op))
			}
			if fenced, err := o.Finish(ctx, fs); err != nil || len(fenced) > 0 {
				return fmt.Errorf("fenced %v: %w", fenced, err)
			}
		}
	}
	return nil
}

var crashAnchors = []string{"1", "2", "3", "4", "5"}

// A process is killed at each of its commits in turn; the next one goes on.
// Afterwards everything is done, once (QUIRKS Q-2).
func TestKilledAtEveryCommitNothingIsLostOrDoneTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills two dozen processes")
	}
	storetest.EachURL(t, func(t *testing.T, url string) {
		storetest.Open(t, url)
		killed := 0
		for n := 1; ; n++ {
			before := runAndDie(t, url, n, "before")
			after := runAndDie(t, url, n, "after")
			if killed += before + after; before+after == 0 {
				break
			}
		}
		require.Greater(t, killed, 4)
		checkCrashed(t, storetest.Open(t, url))
	})
}

// runAndDie returns 1 when the child was killed, 0 when it ended by itself
// because it has fewer commits than that.
func runAndDie(t *testing.T, url string, n int, moment string) int {
	t.Helper()
	c := child(t, url, "drain", fmt.Sprint("STORE_TEST_COMMIT=", n), "STORE_TEST_MOMENT="+moment)
	var err error
	// The server may still hold the lock of a session whose process is gone.
	require.Eventually(t, func() bool {
		c = child(t, url, "drain", fmt.Sprint("STORE_TEST_COMMIT=", n), "STORE_TEST_MOMENT="+moment)
		c.Stderr = nil
		err = c.Run()
		var exit *exec.ExitError
		return err == nil || errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled()
	}, 30*time.Second, 20*time.Millisecond)
	if err == nil {
		return 0
	}
	return 1
}

// checkCrashed checks that the plan was carried out whole.
func checkCrashed(t *testing.T, o *store.Org) {
	t.Helper()
	counts, err := o.OperationCounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]map[store.OpState]int{"crm": {store.OpDone: len(crashAnchors)}}, counts)
	accounts, err := o.Accounts(t.Context(), "hr", identity.Person, crashAnchors)
	require.NoError(t, err)
	require.Len(t, accounts, len(crashAnchors))
	for _, a := range accounts {
		require.EqualValues(t, 1, a.Rev, "recorded once")
	}
	finished, err := o.Audit(t.Context(), store.AuditFilter{Action: "operation.done"})
	require.NoError(t, err)
	require.Len(t, finished, len(crashAnchors))
	_, err = o.AuditVerify(t.Context())
	require.NoError(t, err)
}

// The same without processes, which is quick enough to see what was sent: the
// commit fails, as when the power goes, and another worker goes on.
func TestAFailedCommitNeverLetsAnOperationGoOutTwice(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		out := map[string]int{}
		for fail := 1; fail < 40; fail++ {
			commits := 0
			s, err := store.Open(t.Context(), url, store.WithCommitHook(func(int, string) error {
				if commits++; commits == fail {
					return errPower
				}
				return nil
			}))
			require.NoError(t, err)
			err = workOnce(t.Context(), s.Org(storetest.OrgID), "w", func(op store.OpRow) { out[op.Anchor]++ })
			require.NoError(t, s.Close())
			if err == nil {
				break
			}
			require.ErrorIs(t, err, errPower)
		}
		for _, a := range crashAnchors {
			require.Equal(t, 1, out[a], "sent once: after a crash it was looked up, not sent again")
		}
		checkCrashed(t, storetest.Open(t, url))
	})
}

// crashPlan creates an account for each of crashAnchors.
func crashPlan() *plan.Plan { return creates("p1", "crm", crashAnchors...) }
