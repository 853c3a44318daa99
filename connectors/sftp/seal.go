package sftp

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// The roles of files, in the order of publication (QUIRKS FILE-6).
const (
	roleAccounts    = "accounts"
	roleMemberships = "memberships"
	roleManifest    = "manifest"
	roleDone        = "done"
)

// sealOptions are what a person can ask for.
type sealOptions struct {
	always bool // also when nothing has changed
	shrink bool // whatever is lost
}

// seal writes the files of the next publication into the spool and makes it final.
// sealed is false when there was nothing to publish.
func (t *Target) seal(ctx context.Context, mode string, o sealOptions) (sealed bool, err error) {
	if err := t.relay(ctx, mode); err != nil {
		return false, err
	}
	x, snap, ok, err := t.box.Take(ctx, mode, newRun(), o.always)
	if err == nil && !ok {
		return false, nil
	}
	if err == nil {
		defer snap.Release()
		sealed, err = t.write(ctx, &x, snap, o)
	}
	if err != nil {
		t.dropStaged(ctx, x)
		return false, errors.Join(stateError(err), t.box.Abandon(ctx, x))
	}
	return sealed, nil
}

// newRun names one publication.
func newRun() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func (t *Target) write(ctx context.Context, x *outbox.Batch, snap *outbox.Snapshot, o sealOptions) (bool, error) {
	if same, err := snap.Same(ctx, *x); err != nil || same && !o.always {
		return false, errors.Join(err, skipUnless(err, func() error { return t.box.Skip(ctx, *x, time.Now()) }))
	}
	b := &binder{t: t, x: x, snap: snap, now: time.Now().UTC().Truncate(time.Second)}
	if err := b.count(ctx); err != nil {
		return false, err
	}
	if x.Mode == modeDelta && b.rows == 0 && b.members == 0 {
		return false, t.box.Skip(ctx, *x, time.Now()) // what changed does not show in a file
	}
	if err := b.guard(ctx, o); err != nil {
		return false, err
	}
	if err := b.bind(ctx); err != nil {
		return false, err
	}
	return true, t.box.Seal(ctx, *x, time.Now())
}

func skipUnless(err error, skip func() error) error {
	if err != nil {
		return nil
	}
	return skip()
}

// guard refuses a full file that has lost too much against the one before.
func (t *Target) guard(ctx context.Context, mode string, rows int64, o sealOptions) error {
	last, ok, err := t.box.Last(ctx, modeFull)
	if err != nil || !ok || mode != modeFull || o.shrink || !t.shrunk(last.Rows, rows) {
		return err
	}
	return connector.Errorf(connector.CodeConfiguration,
		"the next full file would hold %d accounts, and the last one (%d) held %d: more than shrink.max_percent (%d) would be lost, so nothing is published; "+
			"when that is right, run the action publish with allow_shrink=true, or raise the limit", rows, last.Seq, last.Rows, *t.cfg.Shrink.MaxPercent)
}

// guard looks at the next file before anything of it leaves. Rows are counted only
// when enough accounts have changed for it to matter.
func (b *binder) guard(ctx context.Context, o sealOptions) error {
	last, ok, err := b.t.box.Last(ctx, modeFull)
	if err != nil || !ok || b.x.Mode != modeFull {
		return err
	}
	changed, err := b.snap.ChangedCount(ctx, *b.x)
	if err != nil || !b.t.shrunk(last.Rows, last.Rows-changed) {
		return err
	}
	rows, _, err := b.snap.Counts(ctx)
	if err != nil {
		return err
	}
	return b.t.guard(ctx, modeFull, rows, o)
}

func (t *Target) shrunk(was, is int64) bool {
	return was >= int64(t.cfg.Shrink.MinRows) && (was-is)*100 > was*int64(*t.cfg.Shrink.MaxPercent)
}

// relay writes the lines of all accounts anew when the layout has changed.
func (t *Target) relay(ctx context.Context, mode string) error {
	want := t.layout.Fingerprint()
	is, err := t.box.Meta(ctx, metaLayout)
	if err != nil || is == want || mode == modeDelta {
		return stateError(err)
	}
	err = t.box.Relay(ctx, want, t.render)
	if connector.IsCode(err, connector.CodeInvalidValue) {
		return connector.Errorf(connector.CodeConfiguration, "an account that was accepted does not fit the new layout of the file: %w", err)
	}
	return stateError(err)
}

// metaLayout is the setting of the outbox that names the layout of its lines.
const metaLayout = "layout"
