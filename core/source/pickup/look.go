package pickup

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/source/csvfile"
)

// companionBytes bounds manifests and checksums.
const companionBytes = 1 << 20

// candidate is a file that may be read.
type candidate struct {
	entry
	kind     string
	order    int64 // the greater, the newer
	numbered bool  // the order says nothing about the date
	dated    time.Time
	rows     *int     // what the manifest says; nil: nothing
	sums     []string // hex SHA-256 of which one must be the file's; none: none is known
	sumOf    string   // who says so
	path     string
	archived bool
}

// look lists the folder once for all that follows.
func (r *Reader) look(ctx context.Context) (err error) {
	if r.looked, err = r.dir.list(ctx, r.c.Folder); err != nil {
		return fmt.Errorf("pickup: folder %s: %w", r.where(), err)
	}
	return nil
}

// candidates returns the files that match p, the newest last.
func (r *Reader) candidates(ctx context.Context, p pattern, text string) ([]candidate, error) {
	var out []candidate
	for _, e := range r.looked {
		if r.isCompanion(e.name) {
			continue
		}
		c, ok, err := r.candidate(p, e)
		if err != nil {
			r.note("%s matches %s and was not read: %v", e.name, text, err)
			continue
		}
		if !ok {
			continue
		}
		c.path = r.dir.join(r.c.Folder, e.name)
		out = append(out, c)
	}
	sortCandidates(out)
	return out, ctx.Err()
}

func sortCandidates(cs []candidate) {
	slices.SortFunc(cs, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.order, b.order), strings.Compare(a.name, b.name))
	})
}

func (r *Reader) candidate(p pattern, e entry) (candidate, bool, error) {
	order, dated, ok, err := p.match(e.name, r.zone())
	c := candidate{entry: e, kind: p.kind, order: order, dated: dated, numbered: p.kind == byNumber}
	if dated.IsZero() {
		c.dated = e.modified
	}
	if p.kind == byTime {
		c.order = e.modified.UnixNano()
	}
	return c, ok, err
}

func (r *Reader) zone() *time.Location {
	if r.c.CSV.Zone != nil {
		return r.c.CSV.Zone
	}
	return time.UTC
}

// isCompanion reports whether a file belongs to another one of the folder.
func (r *Reader) isCompanion(name string) bool {
	return slices.ContainsFunc(r.looked, func(e entry) bool {
		return slices.ContainsFunc(r.c.companions(), func(p string) bool { return e.name != name && companion(p, e.name) == name })
	})
}

// companion returns the name of what comes with a file.
func companion(pattern, file string) string {
	base, _, _ := strings.Cut(file, ".")
	return strings.NewReplacer("{file}", file, "{base}", base).Replace(pattern)
}

// complete returns those of all that are whole, in the same order, and notes which
// are not (QUIRKS FILE-6). was needs no second look.
func (r *Reader) complete(ctx context.Context, all []candidate, was memory) ([]candidate, error) {
	var out []candidate
	for _, c := range all {
		missing := slices.IndexFunc(r.c.companions(), func(p string) bool { return !r.has(companion(p, c.name)) })
		if missing >= 0 {
			r.note("%s was not read: %s, which tells that it is complete, is not there yet", c.name, companion(r.c.companions()[missing], c.name))
			continue
		}
		if err := r.readCompanions(ctx, &c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	sortCandidates(out)
	if len(r.c.companions()) > 0 {
		return out, nil
	}
	return r.stable(ctx, out, was)
}

func (r *Reader) has(name string) bool {
	return slices.ContainsFunc(r.looked, func(e entry) bool { return e.name == name })
}

// readCompanions reads what is said of a file.
func (r *Reader) readCompanions(ctx context.Context, c *candidate) error {
	if r.c.Manifest != "" {
		name := companion(r.c.Manifest, c.name)
		text, err := r.small(ctx, name)
		if err != nil {
			return err
		}
		sum, rows, dated, err := csvfile.ParseManifest(name, text, r.zone())
		if err != nil {
			return err
		}
		c.rows = rows
		if sum != "" {
			c.sums, c.sumOf = append(c.sums, sum), name
		}
		if !dated.IsZero() && c.kind == byTime {
			c.order, c.dated = dated.UnixNano(), dated
		}
		if !dated.IsZero() && c.kind == byNumber {
			c.dated = dated
		}
	}
	if r.c.Checksum != "" {
		name := companion(r.c.Checksum, c.name)
		text, err := r.small(ctx, name)
		if err != nil {
			return err
		}
		sum, err := parseChecksum(name, c.name, text)
		if err != nil {
			return err
		}
		if len(c.sums) > 0 && !strings.EqualFold(c.sums[0], sum) {
			return fmt.Errorf("%s and %s say different things of %s: one of them belongs to another file", c.sumOf, name, c.name)
		}
		c.sums, c.sumOf = []string{sum}, name
	}
	return nil
}

func (r *Reader) small(ctx context.Context, name string) ([]byte, error) {
	var b bytes.Buffer
	if err := r.dir.fetch(ctx, r.dir.join(r.c.Folder, name), companionBytes, &b); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b.Bytes(), nil
}

// parseChecksum reads what sha256sum writes: the hash, and the name of the file.
func parseChecksum(name, file string, text []byte) (string, error) {
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || len(f) > 1 && strings.TrimPrefix(f[1], "*") != file {
			continue
		}
		if b, err := hex.DecodeString(f[0]); err != nil || len(b) != 32 {
			return "", fmt.Errorf("%s holds no SHA-256: %d characters where 64 hexadecimal ones are expected", name, len(f[0]))
		}
		return f[0], nil
	}
	return "", fmt.Errorf("%s says nothing of %s: a line of it is the SHA-256, two blanks, and the name", name, file)
}

// stable drops what grows or changes while we look.
func (r *Reader) stable(ctx context.Context, all []candidate, was memory) ([]candidate, error) {
	if !slices.ContainsFunc(all, func(c candidate) bool { return !was.has(c) }) {
		return all, nil
	}
	for range r.c.Looks - 1 {
		t := time.NewTimer(r.c.Every)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, ctx.Err()
		case <-t.C:
		}
		all = slices.DeleteFunc(all, func(c candidate) bool {
			now, err := r.dir.stat(ctx, c.path)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				r.note("%s was not read: it is gone again", c.name)
			case err != nil:
				r.note("%s was not read: %v", c.name, err)
			case !now.same(c.entry):
				r.note("%s was not read: it is still being written (%d bytes, then %d)", c.name, c.size, now.size)
			default:
				return false
			}
			return true
		})
	}
	return all, nil
}

// has reports whether c looks as one of the files that were read did.
func (m memory) has(c candidate) bool {
	return m.Base.is(c) || slices.ContainsFunc(m.Deltas, func(t taken) bool { return t.is(c) })
}
