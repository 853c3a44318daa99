package fakesftp

import (
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"
)

// errTaken is how a server without posix-rename refuses a name that is taken: as
// OpenSSH does, by SSH_FX_FAILURE and nothing else.
var errTaken = errors.New("failure")

// handlers serve requests from an [FS].
type handlers struct{ fs *FS }

// Fileread implements [sftp.FileReader].
func (h handlers) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	x := h.fs.files[r.Filepath]
	if x == nil {
		return nil, os.ErrNotExist
	}
	return x, nil
}

// Filewrite implements [sftp.FileWriter].
func (h handlers) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if !h.fs.dirs[path.Dir(r.Filepath)] {
		return nil, os.ErrNotExist
	}
	x := h.fs.files[r.Filepath]
	if x == nil || r.Pflags().Trunc {
		x = &file{modified: time.Now()}
		h.fs.files[r.Filepath] = x
	}
	return x, nil
}

// Filecmd implements [sftp.FileCmder].
func (h handlers) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Rename":
		return h.fs.rename(r.Filepath, r.Target, false)
	case "Remove":
		h.fs.mu.Lock()
		defer h.fs.mu.Unlock()
		if h.fs.files[r.Filepath] == nil {
			return os.ErrNotExist
		}
		delete(h.fs.files, r.Filepath)
		return nil
	case "Mkdir":
		h.fs.Mkdir(r.Filepath)
		return nil
	case "Setstat":
		return nil
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename implements [sftp.PosixRenameFileCmder].
func (h handlers) PosixRename(r *sftp.Request) error {
	return h.fs.rename(r.Filepath, r.Target, true)
}

// Filelist implements [sftp.FileLister].
func (h handlers) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	switch r.Method {
	case "Stat":
		if x := h.fs.files[r.Filepath]; x != nil {
			return entries{x.entry(r.Filepath)}, nil
		}
		if h.fs.dirs[r.Filepath] {
			return entries{entry{name: path.Base(r.Filepath), dir: true}}, nil
		}
		return nil, os.ErrNotExist
	case "List":
		if !h.fs.dirs[r.Filepath] {
			return nil, os.ErrNotExist
		}
		return h.fs.list(r.Filepath), nil
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

func (f *FS) list(dir string) (out entries) {
	for name, x := range f.files {
		if path.Dir(name) == dir {
			out = append(out, x.entry(name))
		}
	}
	for d := range f.dirs {
		if d != "/" && path.Dir(d) == dir {
			out = append(out, entry{name: path.Base(d), dir: true})
		}
	}
	slices.SortFunc(out, func(a, b os.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

func (x *file) entry(name string) entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	return entry{name: path.Base(name), size: int64(len(x.data)), modified: x.modified}
}

// entry implements [os.FileInfo].
type entry struct {
	name     string
	size     int64
	modified time.Time
	dir      bool
}

func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return e.size }
func (e entry) ModTime() time.Time { return e.modified }
func (e entry) IsDir() bool        { return e.dir }
func (e entry) Sys() any           { return nil }

func (e entry) Mode() os.FileMode {
	if e.dir {
		return os.ModeDir | 0o755
	}
	return 0o644
}

// entries implements [sftp.ListerAt].
type entries []os.FileInfo

// ListAt copies entries from offset on.
func (es entries) ListAt(to []os.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(es)) {
		return 0, io.EOF
	}
	n := copy(to, es[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}
