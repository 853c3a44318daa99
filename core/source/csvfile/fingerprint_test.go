package csvfile

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFingerprintNamesWhatReadWouldReport(t *testing.T) {
	c := textConfig(t, "id;name\n1;Jane\n2;Joe\n", "id", "name")
	c.Delimiter = ";"
	read, err := readConfig(t, c)
	require.NoError(t, err)
	r, err := New(c)
	require.NoError(t, err)
	snapshot, dated, err := r.Fingerprint(t.Context())
	require.NoError(t, err)
	require.Equal(t, read.Snapshot, snapshot)
	require.Equal(t, read.Dated, dated)
}

func TestFingerprintRefusesWhatReadWould(t *testing.T) {
	c := textConfig(t, "id\n1\n", "id")
	c.Manifest = c.Path + ".json"
	require.NoError(t, os.WriteFile(c.Manifest, []byte(`{"sha256": "`+strings.Repeat("0", 64)+`"}`), 0o600))
	r, err := New(c)
	require.NoError(t, err)
	_, _, err = r.Fingerprint(t.Context())
	require.ErrorContains(t, err, "is not the file that manifest")

	c.Manifest, c.MaxAge = "", time.Hour
	require.NoError(t, os.Chtimes(c.Path, time.Time{}, time.Now().Add(-2*time.Hour)))
	r, err = New(c)
	require.NoError(t, err)
	_, _, err = r.Fingerprint(t.Context())
	require.ErrorContains(t, err, "the export seems to have stopped")

	require.NoError(t, os.Remove(c.Path))
	_, _, err = r.Fingerprint(t.Context())
	require.ErrorContains(t, err, "source file")
}
