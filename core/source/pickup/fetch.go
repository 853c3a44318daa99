package pickup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/source/csvfile"
)

// fetched is a file of our own, checked and ready to be read.
type fetched struct {
	of     candidate
	text   *private
	raw    string // hash of the file as it was dropped
	sha256 string // hash of text
}

func (f *fetched) close() {
	if f != nil {
		f.text.close()
	}
}

func (f *fetched) file() csvfile.File {
	return csvfile.File{Name: f.of.name, Content: f.text.reader(), Dated: f.of.dated, Rows: f.of.rows}
}

func (f *fetched) taken(c candidate) taken {
	return taken{Name: c.name, Kind: c.kind, Order: c.order, Size: c.size, Modified: c.modified, Raw: f.raw, SHA256: f.sha256, Dated: c.dated}
}

// fetch copies a file and checks it; r.one keeps the copy until the next.
func (r *Reader) fetch(ctx context.Context, c candidate) (*fetched, error) {
	if r.one != nil && r.one.of.path == c.path && r.one.of.same(c.entry) {
		r.one.of = c
		return r.one, nil
	}
	r.one.close()
	r.one = nil
	f, err := r.copy(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	r.one = f
	return f, nil
}

// copy fetches, checks, decrypts and unpacks. No row is read before all of that is
// done.
func (r *Reader) copy(ctx context.Context, c candidate) (*fetched, error) {
	if c.size == 0 {
		return nil, errors.New("is empty (0 bytes): refusing to take everybody as gone")
	}
	raw, err := newPrivate()
	if err != nil {
		return nil, err
	}
	f := &fetched{of: c, text: raw}
	if err := r.download(ctx, c, raw); err != nil {
		raw.close()
		return nil, err
	}
	f.raw, f.sha256 = raw.hash(), raw.hash()
	steps, err := r.steps(c.name)
	for _, step := range steps {
		if err != nil {
			break
		}
		err = f.through(ctx, step)
	}
	if err == nil {
		err = c.verify(f)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (r *Reader) download(ctx context.Context, c candidate, to *private) error {
	if err := r.dir.fetch(ctx, c.path, r.c.MaxBytes, to); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("it was there, and is gone: %w", err)
		}
		return err
	}
	if to.size != c.size {
		return fmt.Errorf("%d bytes of %d arrived: it was cut, or is still being written", to.size, c.size)
	}
	return nil
}

// verify compares the hashes with what manifest and checksum say, which may be about
// the file as dropped or the text in it.
func (c candidate) verify(f *fetched) error {
	if len(c.sums) == 0 {
		return nil
	}
	if slices.ContainsFunc(c.sums, func(s string) bool { return strings.EqualFold(s, f.raw) || strings.EqualFold(s, f.sha256) }) {
		return nil
	}
	return fmt.Errorf("it is not the file that %s describes (sha256 %s, expected %s): it was cut or changed on the way, or one of the two is older", c.sumOf, f.raw, c.sums[0])
}

// step turns one form of a file into another.
type step func(in io.Reader, size int64, out io.Writer) error

// steps returns what a file of that name needs: .pgp, .gpg and .asc are decrypted,
// .gz is unpacked. Where encryption is configured, a file without is refused.
func (r *Reader) steps(name string) ([]step, error) {
	var out []step
	encrypted := false
	for {
		at := strings.LastIndexByte(name, '.')
		if at < 0 {
			break
		}
		switch strings.ToLower(name[at:]) {
		case ".pgp", ".gpg", ".asc":
			if r.pgp == nil {
				return nil, errors.New("is encrypted, and pgp is not configured")
			}
			encrypted = true
			out = append(out, r.pgp.open)
		case ".gz":
			out = append(out, r.gunzip)
		default:
			at = -1
		}
		if at < 0 {
			break
		}
		name = name[:at]
	}
	if r.pgp != nil && !encrypted {
		return nil, errors.New("is not encrypted (.pgp, .gpg or .asc), and pgp is configured: anybody could have written it")
	}
	return out, nil
}

// through puts the text through one step, into another private file.
func (f *fetched) through(ctx context.Context, s step) error {
	next, err := newPrivate()
	if err != nil {
		return err
	}
	if err := s(cancelled{ctx, f.text.reader()}, f.text.size, next); err != nil {
		next.close()
		return err
	}
	f.text.close()
	f.text, f.sha256 = next, next.hash()
	return nil
}

// hashing counts and hashes what is written.
type hashing struct {
	sum  hash.Hash
	size int64
}

func (h *hashing) add(p []byte) {
	h.sum.Write(p)
	h.size += int64(len(p))
}

func (h *hashing) hash() string { return hex.EncodeToString(h.sum.Sum(nil)) }

func newHashing() hashing { return hashing{sum: sha256.New()} }
