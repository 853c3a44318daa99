package pickup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// folder is where files are dropped. A missing file is [fs.ErrNotExist].
type folder interface {
	// list returns the files of dir; what is no plain file is left out.
	list(ctx context.Context, dir string) ([]entry, error)
	stat(ctx context.Context, path string) (entry, error)
	// fetch writes a file of at most limit bytes to w. One that changes meanwhile is
	// an error.
	fetch(ctx context.Context, path string, limit int64, w io.Writer) error
	// move never replaces what has the new name.
	move(ctx context.Context, from, to string) error
	remove(ctx context.Context, path string) error
	mkdir(ctx context.Context, dir string) error
	join(dir, name string) string
	close()
}

// entry is one file in a folder.
type entry struct {
	name     string
	size     int64
	modified time.Time
}

func (e entry) same(f entry) bool {
	return e.name == f.name && e.size == f.size && e.modified.Equal(f.modified)
}

func openFolder(s *SFTP, secrets map[string]connector.Secret) (folder, error) {
	if s == nil {
		return local{}, nil
	}
	return dial(*s, secrets)
}

// local are folders of this machine. Symbolic links are not followed: whoever drops
// files must not choose which other file is read.
type local struct{}

func (local) join(dir, name string) string { return filepath.Join(dir, name) }
func (local) close()                       {}

func (local) list(_ context.Context, dir string) ([]entry, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since
		}
		if err != nil {
			return nil, err
		}
		out = append(out, entryOf(info))
	}
	return out, nil
}

func entryOf(info fs.FileInfo) entry {
	return entry{name: info.Name(), size: info.Size(), modified: info.ModTime()}
}

func (local) stat(_ context.Context, path string) (entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return entry{}, err
	}
	if !info.Mode().IsRegular() {
		return entry{}, fmt.Errorf("%s is no plain file", path)
	}
	return entryOf(info), nil
}

func (l local) fetch(ctx context.Context, path string, limit int64, w io.Writer) error {
	if _, err := l.stat(ctx, path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if before.Size() > limit {
		return tooLarge(before.Size(), limit)
	}
	if _, err := io.Copy(w, cancelled{ctx, io.LimitReader(f, before.Size()+1)}); err != nil {
		return err
	}
	// The name is looked up again: a file that was put in its place is another.
	after, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(before, after) || !entryOf(after).same(entryOf(before)) {
		return errChanged
	}
	return nil
}

var errChanged = errors.New("it was changed or replaced while it was fetched: it may still be being written")

func tooLarge(size, limit int64) error {
	return fmt.Errorf("it has %d bytes, and max_bytes is %d", size, limit)
}

// cancelled stops reading when ctx ends.
type cancelled struct {
	ctx context.Context
	io.Reader
}

func (c cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}

func (local) move(_ context.Context, from, to string) error {
	// Link fails where the name is taken; Rename would replace what is there.
	if err := os.Link(from, to); err != nil {
		return err
	}
	return os.Remove(from)
}

func (local) remove(_ context.Context, path string) error { return os.Remove(path) }

// mkdir keeps others out: the archive holds everybody's data.
func (local) mkdir(_ context.Context, dir string) error { return os.MkdirAll(dir, 0o700) }
