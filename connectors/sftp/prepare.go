package sftp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
)

// maxManifest bounds what is read of a manifest.
const maxManifest = 1 << 20

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// prepare makes sure that the outbox holds what the receiver has. One that holds
// something does; an empty one is either new, or was lost: then the folder on the
// server tells, before anything is accepted. An empty full file is never the
// consequence.
func (t *Target) prepare(ctx context.Context) error {
	t.mu.Lock()
	ready := t.ready
	t.mu.Unlock()
	if ready {
		return nil
	}
	unlock, err := t.box.Lock(ctx)
	if err != nil {
		return connector.AsError(err)
	}
	defer unlock()
	empty, err := t.box.Empty(ctx)
	if err != nil {
		return stateError(err)
	}
	if empty {
		if err := t.start(ctx); err != nil {
			return err
		}
	}
	t.mu.Lock()
	t.ready = true
	t.mu.Unlock()
	return nil
}

// start begins with an empty outbox.
func (t *Target) start(ctx context.Context) error {
	last, err := t.lastOnServer(ctx)
	if err != nil {
		return err
	}
	after := t.cfg.ContinueAfter
	switch {
	case last.seq == 0 && !last.unnumbered, after > 0 && after >= last.seq:
		if err := t.box.SetMeta(ctx, metaLayout, t.layout.Fingerprint()); err != nil || after == 0 {
			return stateError(err)
		}
		t.log.WarnContext(ctx, "the state is empty, and the config says to go on with the next number", "continue_after", after)
		return stateError(t.box.SetMeta(ctx, metaSequence, strconv.FormatInt(after, 10)))
	case after > 0:
		return connector.Errorf(connector.CodeConfiguration, "continue_after is %d, and the folder holds number %d already; a number is never used twice", after, last.seq)
	}
	if last, err = t.manifestOf(ctx, last); err != nil {
		return err
	}
	if why := t.cannotRestore(last); why != "" {
		return t.lost(last, why)
	}
	if err := t.restore(ctx, last); err != nil {
		return err
	}
	return stateError(t.box.SetMeta(ctx, metaLayout, t.layout.Fingerprint()))
}

// metaSequence is the setting of the outbox with the last number that was used.
const metaSequence = "sequence"

// lost says that the state is gone and cannot be made anew.
func (t *Target) lost(last found, why string) error {
	return connector.Errorf(connector.CodeConfiguration, "the outbox is empty, and %s holds files up to number %d: what was published so far is not known here, and %s. "+
		"Nothing is accepted or published, because the next file would take everybody away. Bring the folder %q back from the backup; "+
		"when it is lost, set continue_after: %d, and have the hub look at everybody again", t.cfg.Folder, last.seq, why, t.cfg.State, max(last.seq, 1))
}

// found is the last publication that was found on the server.
type found struct {
	seq        int64
	unnumbered bool // there is a file, and its name tells no number
	dir        string
	name       string         // of the manifest, or of the file where there are none
	manifest   *feed.Manifest // nil: none
	hash       string         // of the manifest
}

// lastOnServer looks through the folders for the last publication.
func (t *Target) lastOnServer(ctx context.Context) (last found, err error) {
	srv, release := t.server()
	defer release()
	role := roleAccounts
	if t.cfg.hasManifest() {
		role = roleManifest
	}
	pattern := t.pattern(role)
	match := feed.NewMatcher(pattern, "")
	numbered := feed.Numbered(pattern)
	for _, dir := range t.places() {
		entries, err := srv.List(ctx, dir)
		if err != nil {
			return last, folderError(dir, err)
		}
		for _, e := range entries {
			seq, ok := match.Match(e.Name)
			if !ok || e.Dir || numbered && seq <= last.seq {
				continue
			}
			last = found{seq: seq, unnumbered: seq == 0, dir: dir, name: e.Name}
		}
	}
	if last.name == "" || numbered || role != roleManifest {
		return last, nil
	}
	return t.readManifest(ctx, srv, last)
}

// manifestOf reads the manifest of a publication that was found by its name.
func (t *Target) manifestOf(ctx context.Context, last found) (found, error) {
	if last.manifest != nil || !t.cfg.hasManifest() {
		return last, nil
	}
	srv, release := t.server()
	defer release()
	return t.readManifest(ctx, srv, last)
}

func (t *Target) readManifest(ctx context.Context, srv *client.Client, last found) (found, error) {
	var b bytes.Buffer
	if _, err := srv.Download(ctx, path.Join(last.dir, last.name), maxManifest, &b); err != nil {
		return last, err
	}
	m, err := feed.DecodeManifest(b.Bytes())
	if err != nil {
		return last, connector.Errorf(connector.CodeConfiguration, "%s: %w", path.Join(last.dir, last.name), err)
	}
	last.seq, last.manifest, last.hash = m.Sequence, &m, sum(b.Bytes())
	return last, nil
}

// trust is how long the folder is believed not to know more than the outbox. It is
// shorter than another node of the hub takes to begin when this one gives a connector
// up.
const trust = time.Second

// verify makes sure that the folder does not know more than the outbox: another node,
// with a state of its own, may have published since this one did.
func (t *Target) verify(ctx context.Context) error {
	t.mu.Lock()
	last := t.verified
	t.mu.Unlock()
	if time.Since(last) < trust {
		return nil
	}
	if err := t.compare(ctx); err != nil {
		return err
	}
	if last.IsZero() {
		t.dropTemporary(ctx)
	}
	t.trusted()
	return nil
}

// trusted notes that outbox and folder agree now.
func (t *Target) trusted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.verified = time.Now()
}

func (t *Target) compare(ctx context.Context) error {
	ours, _, err := t.box.Last(ctx, "")
	if err != nil {
		return stateError(err)
	}
	last, err := t.lastOnServer(ctx)
	if err != nil {
		return err
	}
	if last.seq > ours.Seq && last.seq > t.cfg.ContinueAfter {
		return notOurs(fmt.Sprintf("%s holds %s with number %d, and the last one known here is %d", last.dir, last.name, last.seq, ours.Seq))
	}
	return nil
}

// dropTemporary removes temporary files of ours that an earlier run left behind
// (QUIRKS FILE-1). That of the publication which is on its way is written over.
func (t *Target) dropTemporary(ctx context.Context) {
	srv, release := t.server()
	defer release()
	entries, err := srv.List(ctx, t.cfg.Folder)
	onItsWay, _, err2 := t.box.Unpublished(ctx)
	if err != nil || err2 != nil {
		return // the next start tries again
	}
	var matchers []*feed.Matcher
	for _, role := range t.roles() {
		matchers = append(matchers, feed.NewMatcher("."+t.pattern(role)+".{run}.tmp", ""))
	}
	for _, e := range entries {
		ours := slices.ContainsFunc(matchers, func(m *feed.Matcher) bool { _, ok := m.Match(e.Name); return ok })
		if !ours || e.Dir || onItsWay.Run != "" && strings.HasSuffix(e.Name, "."+onItsWay.Run+".tmp") {
			continue
		}
		if err := srv.Remove(ctx, t.remote(e.Name)); err != nil {
			t.log.WarnContext(ctx, "a temporary file of an earlier run cannot be removed", "file", e.Name, "error", err)
		}
	}
}

// roles are those of the files that the config asks for.
func (t *Target) roles() []string {
	out := []string{roleAccounts}
	if t.cfg.Memberships != nil {
		out = append(out, roleMemberships)
	}
	if t.cfg.hasManifest() {
		out = append(out, roleManifest)
	}
	if t.cfg.Done != "" {
		out = append(out, roleDone)
	}
	return out
}
