package fakesftp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/provhub/provhub/connectors/connectortest/fakesftp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the receiver takes away stays in the list of deliveries.
func TestFiles(t *testing.T) {
	s, err := fakesftp.New(fakesftp.Options{Folders: []string{"/in", "/out/deep"}})
	require.NoError(t, err)
	defer s.Close()
	s.FS.Put("/in/a", []byte("1"))
	require.Equal(t, []string{"/in/a"}, s.FS.Names())
	got, ok := s.FS.Get("in/a")
	require.True(t, ok)
	require.Equal(t, "1", string(got))
	s.FS.Remove("/in/a")
	require.Empty(t, s.FS.Names())
	require.Empty(t, s.FS.Deliveries(), "only what was renamed counts as delivered")
	require.Contains(t, s.Config()["host_keys"], s.HostKey())
}
