package connector

import "context"

// Fingerprinter is implemented by a target that can tell itself from others of its
// kind, so that the hub notices when a config or a secret leads to another one, a
// test system above all, of which what it has on record is not true.
type Fingerprinter interface {
	// Fingerprint names the target itself and not the way to it: the same after a
	// restart, an upgrade, a failover or a new certificate, under another host name
	// and with another login; another one for each system that holds other accounts.
	// For example a directory's naming context with the entryUUID of its base, or a
	// database's system identifier with the name of the database. It is shown to
	// people and holds no secret. "" when the target cannot tell.
	Fingerprint(ctx context.Context) (string, error)
}
