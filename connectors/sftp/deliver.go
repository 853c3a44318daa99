package sftp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// deliver brings a sealed publication to the server, one file after the other.
// After an attempt of which the end is not known it looks first (QUIRKS §7.2): a
// file that is there, or was there and the receiver has moved it, is not sent
// again.
func (t *Target) deliver(ctx context.Context, x outbox.Batch) error {
	srv, release := t.server()
	defer release()
	next := 0
	var err error
	if x.Attempted {
		next, err = t.look(ctx, srv, x)
	} else {
		err = t.vacant(ctx, srv, x)
	}
	if err != nil {
		return err
	}
	if err := t.box.Attempt(ctx, x); err != nil {
		return stateError(err)
	}
	for place := next; place < len(x.Files); place++ {
		if err := t.upload(ctx, srv, x, place); err != nil {
			return err
		}
	}
	return t.published(ctx, srv, x)
}

// published records a publication all of whose files are on the server.
func (t *Target) published(ctx context.Context, srv *client.Client, x outbox.Batch) error {
	if err := t.box.MarkPublished(ctx, x, time.Now(), t.cfg.Acks == nil); err != nil {
		return stateError(err)
	}
	t.trusted()
	t.log.InfoContext(ctx, "published", "sequence", x.Seq, "mode", x.Mode, "file", x.Files[0].Name, "rows", x.Rows, "bytes", x.Files[0].Size, "run", x.Run)
	t.tidy(ctx, srv)
	return nil
}

func (t *Target) remote(name string) string { return path.Join(t.cfg.Folder, name) }

func (t *Target) upload(ctx context.Context, srv *client.Client, x outbox.Batch, place int) error {
	f := x.Files[place]
	st, err := t.stage(ctx, srv, x, place)
	if err != nil {
		return err
	}
	done, err := srv.Commit(ctx, st)
	if err == nil && done.Replaced {
		t.log.WarnContext(ctx, "the server cannot replace a file in one step: for a moment there was none of this name", "file", f.Name)
	}
	return err
}

// stage returns a file that is on the server under its temporary name.
func (t *Target) stage(ctx context.Context, srv *client.Client, x outbox.Batch, place int) (client.Staged, error) {
	if st, ok := t.stagedFile(x, place); ok {
		return st, nil
	}
	in, err := os.Open(t.box.Spooled(x, place))
	if err != nil {
		return client.Staged{}, stateError(err)
	}
	defer in.Close()
	return srv.Stage(ctx, client.Upload{Name: t.remote(x.Files[place].Name), Run: x.Run, Size: x.Files[place].Size, From: in})
}

// look returns the first file of a publication that has not reached the server.
// Files go one after the other, so one that did proves those before it.
func (t *Target) look(ctx context.Context, srv *client.Client, x outbox.Batch) (next int, err error) {
	if t.cfg.Acks != nil && feed.Numbered(t.cfg.File.Name) {
		name, err := t.ackName(x)
		if err != nil {
			return 0, err
		}
		if there, err := srv.Exists(ctx, path.Join(t.cfg.Acks.Folder, name)); err != nil || there {
			return len(x.Files), err
		}
	}
	for place := len(x.Files) - 1; place >= 0; place-- {
		for _, dir := range t.places() {
			there, err := t.isThere(ctx, srv, dir, x.Files[place])
			if err != nil || there {
				return place + 1, err
			}
		}
	}
	return 0, nil
}

// places are the folders in which a file of ours may be.
func (t *Target) places() []string {
	out := append([]string{t.cfg.Folder}, t.cfg.Receiver.Folders...)
	if t.cfg.Tidy != nil && t.cfg.Tidy.Folder != "" {
		out = append(out, t.cfg.Tidy.Folder)
	}
	return out
}

// isThere reports whether a file is in a folder for sure: by a name that no other
// publication has, and its size; the manifest by its content.
func (t *Target) isThere(ctx context.Context, srv *client.Client, dir string, f outbox.File) (bool, error) {
	if f.Role != roleManifest && !feed.Numbered(t.pattern(f.Role)) {
		return false, nil
	}
	name := path.Join(dir, f.Name)
	info, err := srv.Stat(ctx, name)
	switch {
	case connector.IsCode(err, connector.CodeNotFound):
		return false, nil
	case err != nil || info.Size != f.Size:
		return false, err
	case f.Role != roleManifest:
		return true, nil
	}
	var b bytes.Buffer
	if _, err := srv.Download(ctx, name, maxManifest, &b); err != nil {
		return false, err
	}
	return sum(b.Bytes()) == f.SHA256, nil
}

// pattern returns the pattern of a role's names, with {file} put in.
func (t *Target) pattern(role string) string {
	c := &t.cfg
	p := c.File.Name
	switch role {
	case roleMemberships:
		p = c.Memberships.Name
	case roleManifest:
		p = c.Manifest
	case roleDone:
		p = c.Done
	}
	return strings.NewReplacer("{file}", c.File.Name, "{base}", c.File.Name).Replace(p)
}

// vacant makes sure that the name of a new publication is free: a file that is
// there already is somebody else's, or ours from a time that the outbox does not
// know.
func (t *Target) vacant(ctx context.Context, srv *client.Client, x outbox.Batch) error {
	if !feed.Numbered(t.cfg.File.Name) {
		return nil
	}
	for _, dir := range t.places() {
		name := path.Join(dir, x.Files[0].Name)
		there, err := srv.Exists(ctx, name)
		if err != nil {
			return err
		}
		if there {
			return notOurs(fmt.Sprintf("%s is on the server already", name))
		}
	}
	return nil
}

// notOurs says that the folder knows more than the outbox.
func notOurs(what string) error {
	return connector.Errorf(connector.CodeConfiguration, "%s, and the outbox did not publish it: either another connector or another node with a state of its own writes into this folder, "+
		"or the state is older than the folder (an old backup). Nothing is published. Give each connector a folder or names of its own, share the state between nodes, or bring the right state back; continue_after says with which number to go on when it is lost", what)
}

// tidy puts our own old files away. What does not work is tried again next time;
// it must not hold a publication up.
func (t *Target) tidy(ctx context.Context, srv *client.Client) {
	if t.cfg.Tidy == nil {
		return
	}
	old, err := t.box.Old(ctx, max(1, t.cfg.Tidy.Keep))
	if err != nil {
		t.log.WarnContext(ctx, "old files are not put away", "error", err)
		return
	}
	for _, x := range old {
		if err := t.retire(ctx, srv, x); err != nil {
			t.log.WarnContext(ctx, "old files are not put away", "sequence", x.Seq, "error", err)
			return
		}
	}
}

func (t *Target) retire(ctx context.Context, srv *client.Client, x outbox.Batch) error {
	for _, f := range x.Files {
		if !feed.Numbered(t.pattern(f.Role)) {
			continue // the next publication writes over it
		}
		var err error
		if dir := t.cfg.Tidy.Folder; dir != "" {
			err = srv.Rename(ctx, t.remote(f.Name), path.Join(dir, f.Name))
		} else {
			err = srv.Remove(ctx, t.remote(f.Name))
		}
		// One that the receiver has taken is no longer ours to put away.
		if err != nil && !connector.IsCode(err, connector.CodeNotFound) {
			return err
		}
	}
	return t.box.Retire(ctx, x)
}

// inDoubt reports whether err leaves open what reached the server.
func inDoubt(err error) bool {
	var a *connector.Answer
	return errors.As(err, &a) && a.Result.Outcome == connector.OutcomeUnknown || errors.Is(err, errUnderWay)
}
