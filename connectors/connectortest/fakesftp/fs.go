package fakesftp

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Delivery is one file that got a name which does not begin with a dot.
type Delivery struct {
	Name   string // path
	Size   int64
	SHA256 string // in hexadecimal
}

// FS are the server's files.
type FS struct {
	mu        sync.Mutex
	files     map[string]*file
	dirs      map[string]bool
	delivered []Delivery
	consumers []consumer
}

// file is the content of one file. Its bytes have a lock of their own: one that
// is written to is not written to by others.
type file struct {
	mu       sync.Mutex
	data     []byte
	modified time.Time
}

// consumer is a receiver that takes files away.
type consumer struct{ pattern, to string }

func newFS(dirs []string) *FS {
	f := &FS{files: map[string]*file{}, dirs: map[string]bool{"/": true}}
	for _, d := range dirs {
		f.Mkdir(d)
	}
	return f
}

// Mkdir makes a folder and those above it.
func (f *FS) Mkdir(dir string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for d := path.Clean("/" + dir); !f.dirs[d]; d = path.Dir(d) {
		f.dirs[d] = true
	}
}

// Put writes a file as the receiver would, such as a response.
func (f *FS) Put(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[path.Clean("/"+name)] = &file{data: slices.Clone(data), modified: time.Now()}
}

// Get returns a file's content; ok is false when there is none.
func (f *FS) Get(name string) (data []byte, ok bool) {
	f.mu.Lock()
	x := f.files[path.Clean("/"+name)]
	f.mu.Unlock()
	if x == nil {
		return nil, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.data), true
}

// Remove removes a file.
func (f *FS) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.files, path.Clean("/"+name))
}

// Names returns the paths of all files, sorted.
func (f *FS) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]string, 0, len(f.files))
	for name := range f.files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Deliveries returns every file that got a name, in order, also those that were
// taken away since.
func (f *FS) Deliveries() []Delivery {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.delivered)
}

// Consume has files whose last part of the name matches pattern moved to a folder
// the moment they get their name; to "" deletes them.
func (f *FS) Consume(pattern, to string) {
	if to != "" {
		f.Mkdir(to)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.consumers = append(f.consumers, consumer{pattern, to})
}

// rename gives a file another name. replace says whether a file of that name
// makes room.
func (f *FS) rename(from, to string, replace bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.files[from]
	switch {
	case x == nil || !f.dirs[path.Dir(to)]:
		return os.ErrNotExist
	case !replace && f.files[to] != nil:
		return errTaken
	}
	delete(f.files, from)
	f.files[to] = x
	f.arrived(to, x)
	return nil
}

// arrived notes a file under its name, and lets the receiver have it.
func (f *FS) arrived(name string, x *file) {
	base := path.Base(name)
	if strings.HasPrefix(base, ".") {
		return
	}
	x.mu.Lock()
	sum := sha256.Sum256(x.data)
	f.delivered = append(f.delivered, Delivery{Name: name, Size: int64(len(x.data)), SHA256: hex.EncodeToString(sum[:])})
	x.mu.Unlock()
	for _, c := range f.consumers {
		if ok, _ := path.Match(c.pattern, base); !ok {
			continue
		}
		delete(f.files, name)
		if c.to != "" {
			f.files[path.Join(c.to, base)] = x
		}
		return
	}
}

// WriteAt implements [io.WriterAt].
func (x *file) WriteAt(p []byte, off int64) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if end := off + int64(len(p)); end > int64(len(x.data)) {
		x.data = slices.Grow(x.data, int(end)-len(x.data))[:end]
	}
	x.modified = time.Now()
	return copy(x.data[off:], p), nil
}

// ReadAt implements [io.ReaderAt].
func (x *file) ReadAt(p []byte, off int64) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if off >= int64(len(x.data)) {
		return 0, io.EOF
	}
	n := copy(p, x.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
