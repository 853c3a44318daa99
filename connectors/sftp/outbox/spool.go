package outbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// spool is the folder of files that are on their way.
func (b *Box) spool() string { return filepath.Join(b.dir, "spool") }

// Spooled returns where the bytes of a publication's file are.
func (b *Box) Spooled(x Batch, place int) string {
	return filepath.Join(b.spool(), fmt.Sprintf("%d-%d", x.Number, place))
}

// Spool makes the file for the bytes of a publication's file.
func (b *Box) Spool(x Batch, place int) (*os.File, error) {
	return os.OpenFile(b.Spooled(x, place), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
}

// SyncSpool makes sure that the spool's names are on disk.
func (b *Box) SyncSpool() error {
	d, err := os.Open(b.spool())
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes what no sealed or taken publication needs (QUIRKS FILE-18).
func (b *Box) sweep(ctx context.Context) error {
	entries, err := os.ReadDir(b.spool())
	if err != nil {
		return err
	}
	for _, e := range entries {
		var number, place int64
		if _, err := fmt.Sscanf(e.Name(), "%d-%d", &number, &place); err != nil {
			continue
		}
		var n int
		if err := b.write.QueryRowContext(ctx, `SELECT COUNT(*) FROM batch WHERE number = ? AND state IN ('taken', 'sealed')`, strconv.FormatInt(number, 10)).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			if err := os.Remove(filepath.Join(b.spool(), e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Dir returns the outbox's folder.
func (b *Box) Dir() string { return b.dir }
