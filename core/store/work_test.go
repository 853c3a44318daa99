package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestOneWorkerAtATime(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		a, b := storetest.Open(t, url), storetest.Open(t, url)
		release, err := a.Work(t.Context(), "provhub sync")
		require.NoError(t, err)
		_, err = b.Work(t.Context(), "provhub serve")
		require.ErrorIs(t, err, store.ErrBusy)
		require.ErrorContains(t, err, fmt.Sprintf("another provhub works on this state: provhub sync, process %d on ", os.Getpid()))
		_, err = a.Work(t.Context(), "provhub apply")
		require.ErrorIs(t, err, store.ErrBusy, "not even the same process twice")
		release()
		release() // twice is fine
		release, err = b.Work(t.Context(), "provhub serve")
		require.NoError(t, err)
		release()
	})
}

func TestOrgsWorkBesideEachOther(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), url)
		require.NoError(t, err)
		defer s.Close()
		for _, id := range []string{"acme", "../etc/ä/b"} {
			release, err := s.Org(id).Work(t.Context(), "test")
			require.NoError(t, err)
			defer release()
		}
	})
}

func TestDeathFreesTheWorkingRole(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url)
		worker := child(t, url, "work")
		out, err := worker.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, worker.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "working\n", line)
		_, err = o.Work(t.Context(), "test")
		require.ErrorIs(t, err, store.ErrBusy)
		require.NoError(t, worker.Process.Kill())
		_ = worker.Wait()
		var release func()
		require.Eventually(t, func() bool {
			release, err = o.Work(t.Context(), "test")
			return err == nil
		}, 30*time.Second, 10*time.Millisecond, "PostgreSQL takes a moment to see that a session has ended")
		release()
	})
}

// child runs this test program again as the given role; see TestMain.
func child(t *testing.T, url, role string, more ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(append(os.Environ(), "STORE_TEST_ROLE="+role, "STORE_TEST_URL="+url), more...)
	c.Stderr = os.Stderr
	return c
}
