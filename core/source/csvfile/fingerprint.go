package csvfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/provhub/provhub/core/source"
)

var _ source.Fingerprinter = (*Reader)(nil)

// Fingerprint implements [source.Fingerprinter]: it reads the file and hashes it,
// and looks at nothing in it.
func (r *Reader) Fingerprint(ctx context.Context) (snapshot string, dated time.Time, err error) {
	f, _, want, dated, err := r.begin()
	if err != nil {
		return "", dated, err
	}
	defer f.Close()
	sum := sha256.New()
	block := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return "", dated, err
		}
		n, err := f.Read(block)
		sum.Write(block[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", dated, fmt.Errorf("%s: reading: %w", r.name, err)
		}
	}
	report := source.Report{Snapshot: hex.EncodeToString(sum.Sum(nil))}
	if want.SHA256 != "" {
		want.Rows = nil // not counted here
		err = want.check(r.name, &report)
	}
	return report.Snapshot, dated, err
}
