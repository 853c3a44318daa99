package sftp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// binder writes the files of one publication.
type binder struct {
	t             *Target
	x             *outbox.Batch
	snap          *outbox.Snapshot
	now           time.Time
	rows, members int64 // -1: not counted
	written       []feed.Written
}

// count counts what will be in the files, where it matters before they are written:
// their first line may tell, and a delta file without rows is none.
func (b *binder) count(ctx context.Context) (err error) {
	if b.x.Mode == modeFull {
		b.rows, b.members = -1, -1
		if b.t.cfg.File.TellsRows() {
			b.rows, b.members, err = b.snap.Counts(ctx)
		}
		return err
	}
	if err := b.delta(ctx, func([]byte) error { b.rows++; return nil }); err != nil {
		return err
	}
	return b.deltaMembers(ctx, func([]byte) error { b.members++; return nil })
}

// bind writes all files, each on disk when it returns.
func (b *binder) bind(ctx context.Context) error {
	c := &b.t.cfg
	facts := feed.Facts{Seq: b.x.Seq, At: b.now, Run: b.x.Run, Mode: b.x.Mode, Rows: b.rows}
	var err error
	if facts.File, err = c.File.Fill(c.File.Name, facts); err != nil {
		return err
	}
	if err := b.body(ctx, roleAccounts, facts.File, facts, b.accounts); err != nil {
		return err
	}
	b.x.Rows = b.written[0].Rows
	if m := c.Memberships; m != nil {
		name, err := c.File.Fill(m.Name, facts)
		if err != nil {
			return err
		}
		facts.Rows = b.members
		if err := b.body(ctx, roleMemberships, name, facts, b.memberships); err != nil {
			return err
		}
	}
	if err := b.manifest(ctx, facts); err != nil {
		return err
	}
	if c.Done != "" {
		if err := b.plain(roleDone, c.Done, facts, nil); err != nil {
			return err
		}
	}
	return b.t.box.SyncSpool()
}

// body writes one file of rows.
func (b *binder) body(ctx context.Context, role, name string, facts feed.Facts, lines func(context.Context, *feed.Writer) error) error {
	f, err := b.t.box.Spool(*b.x, len(b.x.Files))
	if err != nil {
		return err
	}
	defer f.Close()
	b.t.mu.Lock()
	pgp := b.t.pgp
	b.t.mu.Unlock()
	ahead := b.t.sendAhead(ctx, *b.x, len(b.x.Files), name)
	defer ahead.stop()
	w, err := b.t.layout.NewWriter(io.MultiWriter(f, ahead), facts, role == roleMemberships, pgp)
	if err != nil {
		return err
	}
	if err := lines(ctx, w); err != nil {
		return err
	}
	done, err := w.Close()
	if err != nil {
		return err
	}
	ahead.finish(done.Size)
	done.Name = name
	b.written = append(b.written, done)
	return b.add(f, outbox.File{Role: role, Name: name, Size: done.Size, SHA256: done.SHA256})
}

func (b *binder) add(f *os.File, file outbox.File) error {
	b.x.Files = append(b.x.Files, file)
	return errors.Join(f.Sync(), f.Close())
}

// manifest writes the manifest, which names the one before.
func (b *binder) manifest(ctx context.Context, facts feed.Facts) error {
	if !b.t.cfg.hasManifest() {
		return nil
	}
	last, _, err := b.t.box.Last(ctx, "")
	if err != nil {
		return err
	}
	text := feed.Manifest{Run: b.x.Run, Sequence: b.x.Seq, Mode: b.x.Mode, Created: b.now, Previous: last.Manifest, Files: b.written}.Encode()
	sum := sha256.Sum256(text)
	b.x.Manifest = hex.EncodeToString(sum[:])
	return b.plain(roleManifest, b.t.cfg.Manifest, facts, text)
}

// plain writes a small file.
func (b *binder) plain(role, pattern string, facts feed.Facts, text []byte) error {
	name, err := b.t.cfg.File.Fill(pattern, facts)
	if err != nil {
		return err
	}
	f, err := b.t.box.Spool(*b.x, len(b.x.Files))
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	return b.add(f, outbox.File{Role: role, Name: name, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:])})
}

func (b *binder) accounts(ctx context.Context, w *feed.Writer) error {
	one := func(line []byte) error { return w.Lines(line, 1) }
	if b.x.Mode == modeFull {
		return b.snap.Lines(ctx, one)
	}
	return b.delta(ctx, one)
}

func (b *binder) memberships(ctx context.Context, w *feed.Writer) error {
	if b.x.Mode == modeFull {
		return b.snap.Members(ctx, w.Lines)
	}
	return b.deltaMembers(ctx, func(line []byte) error { return w.Lines(line, 1) })
}

// delta makes the rows of a delta file.
func (b *binder) delta(ctx context.Context, yield func([]byte) error) error {
	l := b.t.layout
	return b.changed(ctx, func(id string, was, is *feed.Row) error {
		action, ok := l.ActionOf(was, is)
		if !ok || bytes.Equal(encodeRow(was), encodeRow(is)) {
			return nil
		}
		show := is
		if !l.Shows(is) { // what the receiver knows it by
			gone := *was
			gone.State = feed.Deleted
			show = &gone
		}
		line, err := l.Line(id, show, action)
		if err != nil {
			return err
		}
		return yield(line)
	})
}

// deltaMembers makes the rows of a delta file of memberships: first what is lost.
func (b *binder) deltaMembers(ctx context.Context, yield func([]byte) error) error {
	l := b.t.layout
	if l.Memberships == nil {
		return nil
	}
	return b.changed(ctx, func(id string, was, is *feed.Row) error {
		before, after := groupsOf(l, was), groupsOf(l, is)
		for _, g := range before {
			if !slices.Contains(after, g) {
				if err := yieldMember(l, id, g, true, yield); err != nil {
					return err
				}
			}
		}
		for _, g := range after {
			if !slices.Contains(before, g) {
				if err := yieldMember(l, id, g, false, yield); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func yieldMember(l *feed.Layout, id, group string, remove bool, yield func([]byte) error) error {
	line, err := l.MemberLine(id, group, true, remove)
	if err != nil {
		return err
	}
	return yield(line)
}

func groupsOf(l *feed.Layout, r *feed.Row) []string {
	if !l.Shows(r) {
		return nil
	}
	return r.Groups
}

// changed calls yield with every account of the publication, as it was and is.
func (b *binder) changed(ctx context.Context, yield func(id string, was, is *feed.Row) error) error {
	return b.snap.Changed(ctx, *b.x, func(id string, shown, want []byte) error {
		was, err := decodeRow(shown)
		if err != nil {
			return err
		}
		is, err := decodeRow(want)
		if err != nil {
			return err
		}
		if err := yield(id, was, is); err != nil {
			return fmt.Errorf("an account: %w", err)
		}
		return nil
	})
}
