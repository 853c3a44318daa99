package csvfile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/provhub/provhub/core/source"
)

// manifest is what the exporting side says of the file.
type manifest struct {
	Rows   *int   `json:"rows"`
	SHA256 string `json:"sha256"`
	Date   string `json:"date"`
	name   string
}

// readManifest reads the manifest at path; "" is one that says nothing.
func readManifest(path string) (manifest, error) {
	if path == "" {
		return manifest{}, nil
	}
	m := manifest{name: filepath.Base(path)}
	b, err := os.ReadFile(path)
	if err != nil {
		return m, fmt.Errorf("manifest: %w", err)
	}
	return parseManifest(m.name, b)
}

// ParseManifest reads the text of the manifest called name: the hex SHA-256 and the
// number of rows of the file it describes, and the beginning of its day in zone;
// "", nil and the zero time for what it does not say.
func ParseManifest(name string, text []byte, zone *time.Location) (sha256 string, rows *int, dated time.Time, err error) {
	m, err := parseManifest(name, text)
	return m.SHA256, m.Rows, m.dated(zone, time.Time{}), err
}

func parseManifest(name string, b []byte) (manifest, error) {
	m := manifest{name: name}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("manifest %s is no JSON of the form {\"rows\": 310, \"sha256\": \"…\", \"date\": \"2026-03-31\"}: %w", m.name, err)
	}
	if m.Rows == nil && m.SHA256 == "" {
		return m, fmt.Errorf("manifest %s gives neither rows nor sha256, so nothing can be checked with it", m.name)
	}
	if _, err := time.Parse(isoDate, m.Date); m.Date != "" && err != nil {
		return m, fmt.Errorf("manifest %s: the date is not of the form 2026-03-31", m.name)
	}
	return m, nil
}

// dated returns the beginning of the manifest's day in zone; without one, mtime.
func (m manifest) dated(zone *time.Location, mtime time.Time) time.Time {
	if t, err := time.ParseInLocation(isoDate, m.Date, zone); err == nil {
		return t
	}
	return mtime
}

// check compares the manifest with what was read. Where the content agrees and
// the rows do not, stray quotes made the rows hard to count.
func (m manifest) check(name string, report *source.Report) error {
	if m.SHA256 != "" && !strings.EqualFold(m.SHA256, report.Snapshot) {
		return fmt.Errorf("%s is not the file that manifest %s describes (sha256 %s, the manifest says %s): it was cut or changed on the way, or one of the two is older",
			name, m.name, report.Snapshot, m.SHA256)
	}
	if m.Rows == nil || *m.Rows == report.Rows {
		return nil
	}
	if m.SHA256 == "" {
		return fmt.Errorf("%s holds %d rows, and manifest %s says %d: it was cut or changed on the way", name, report.Rows, m.name, *m.Rows)
	}
	report.Complete = false
	report.Incomplete = append(report.Incomplete, fmt.Sprintf("manifest %s says %d rows, and %d were found", m.name, *m.Rows, report.Rows))
	return nil
}
