package sftp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"time"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// cannotRestore says why the state cannot be made anew from the last publication,
// "" when it can.
func (t *Target) cannotRestore(last found) string {
	switch {
	case last.manifest == nil:
		return "there is no manifest that tells what is whole"
	case last.manifest.Mode != modeFull:
		return "the last file holds changes only"
	case t.cfg.PGP != nil:
		return "the files are encrypted for the receiver"
	case t.cfg.OnDisable == "remove":
		return "disabled accounts are not in the files"
	}
	return ""
}

// restore makes the state anew from the last full file: what it holds is what the
// receiver has. Size, hash and rows must be those of the manifest.
func (t *Target) restore(ctx context.Context, last found) error {
	rows := map[string]*feed.Row{}
	accounts, err := t.fetch(ctx, last, 0)
	if err != nil {
		return err
	}
	defer accounts.discard()
	if t.cfg.Memberships != nil {
		if err := t.restoreMembers(ctx, last, rows); err != nil {
			return err
		}
	}
	x := outbox.Batch{Seq: last.seq, Mode: modeFull, Run: last.manifest.Run, Rows: last.manifest.Files[0].Rows, Manifest: last.hash}
	n := int64(0)
	err = t.box.Restore(ctx, x, func(keep func(outbox.Record) error) error {
		err := t.cfg.File.Records(accounts, func(cells map[string]any) error {
			id, r, err := t.layout.Parse(cells)
			if err != nil {
				return err
			}
			if m := rows[id]; m != nil {
				r.Groups = m.Groups
			}
			slices.Sort(r.Groups)
			sortAttributes(r)
			rec, err := t.record(id, r)
			if err != nil {
				return err
			}
			n++
			return keep(rec)
		})
		if err == nil && n != x.Rows {
			err = fmt.Errorf("it holds %d rows, and the manifest tells of %d", n, x.Rows)
		}
		return err
	}, time.Now())
	if err != nil {
		return t.lost(last, "the last full file cannot be read back: "+err.Error())
	}
	t.log.WarnContext(ctx, "the state was empty and has been made anew from the last full file", "sequence", last.seq, "accounts", n)
	return nil
}

func sortAttributes(r *feed.Row) {
	var sorted connector.Attributes
	for _, a := range r.Attributes {
		sorted = put(sorted, a.Name, a.Values)
	}
	r.Attributes = sorted
}

// restoreMembers reads who holds which group.
func (t *Target) restoreMembers(ctx context.Context, last found, rows map[string]*feed.Row) error {
	if len(last.manifest.Files) < 2 {
		return t.lost(last, "the manifest names no file of memberships")
	}
	f, err := t.fetch(ctx, last, 1)
	if err != nil {
		return err
	}
	defer f.discard()
	m := t.cfg.Memberships
	err = t.cfg.File.Records(f, func(cells map[string]any) error {
		account, group := feed.Text(cells, m.Account), feed.Text(cells, m.Group)
		if t.cfg.File.NoHeader && t.cfg.File.Format != "jsonl" {
			account, group = feed.Text(cells, "1"), feed.Text(cells, "2")
		}
		if rows[account] == nil {
			rows[account] = &feed.Row{}
		}
		rows[account].Groups = append(rows[account].Groups, group)
		return nil
	})
	if err != nil {
		return t.lost(last, "the file of memberships cannot be read back: "+err.Error())
	}
	return nil
}

// fetched is a file that was read back, on this machine.
type fetched struct{ *os.File }

func (f fetched) discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// fetch reads one file of a manifest and proves that it is whole. It is looked for
// wherever the receiver may have moved it.
func (t *Target) fetch(ctx context.Context, last found, at int) (f fetched, err error) {
	want := last.manifest.Files[at]
	srv, release := t.server()
	defer release()
	for _, dir := range t.places() {
		f, err = t.fetchFrom(ctx, srv, path.Join(dir, want.Name), want)
		if !connector.IsCode(err, connector.CodeNotFound) {
			break
		}
	}
	if connector.IsCode(err, connector.CodeNotFound) {
		return f, t.lost(last, want.Name+" is not in any folder that receiver.folders lists")
	}
	return f, err
}

func (t *Target) fetchFrom(ctx context.Context, srv *client.Client, name string, want feed.Written) (f fetched, err error) {
	file, err := os.CreateTemp(t.box.Dir(), "restore-*") // private: 0600
	if err != nil {
		return f, stateError(err)
	}
	f = fetched{file}
	defer func() {
		if err != nil {
			f.discard()
		}
	}()
	h := sha256.New()
	if _, err = srv.Download(ctx, name, want.Size, io.MultiWriter(file, h)); err != nil {
		return f, err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want.SHA256 {
		return f, connector.Errorf(connector.CodeConfiguration, "%s is not the file that its manifest tells of (the SHA-256 differs)", name)
	}
	if _, err = file.Seek(0, io.SeekStart); err != nil {
		return f, errors.Join(err)
	}
	return f, nil
}
