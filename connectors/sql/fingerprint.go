package sql

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

var _ connector.Fingerprinter = (*Target)(nil)

// Fingerprint implements [connector.Fingerprinter] for products that can tell, which
// is PostgreSQL. A login that may not ask is no fault: then the database cannot.
func (t *Target) Fingerprint(ctx context.Context) (string, error) {
	db, release := t.use()
	defer release()
	name, err := db.d.ServerFingerprint(ctx, db.h.DB)
	if err != nil {
		t.log.DebugContext(ctx, "the database does not say which it is", "error", err)
		return "", nil
	}
	return name, nil
}
