package pickup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Committed implements [source.Committer]: what was read, and what is older, goes
// into the archive. A file that is not the one that was seen stays where it is.
func (r *Reader) Committed(ctx context.Context) error {
	return r.archive(ctx, func(c candidate) bool { return c.order <= r.kept.Base.Order }, r.full)
}

// archive moves the files that are done with, and their companions before them: a
// file without its trigger is never read again, a trigger without its file might be
// taken for that of the next.
func (r *Reader) archive(ctx context.Context, done func(candidate) bool, patterns ...pattern) error {
	if r.c.Archive == "" || r.kept.Base.Name == "" || !r.has(r.kept.Base.Name) {
		return nil
	}
	if err := r.dir.mkdir(ctx, r.c.Archive); err != nil {
		return fmt.Errorf("pickup: archive %s: %w", r.c.Archive, err)
	}
	var errs []error
	for _, e := range r.looked {
		if r.isCompanion(e.name) {
			continue
		}
		for _, p := range patterns {
			if c, ok, err := r.candidate(p, e); ok && err == nil && done(c) {
				errs = append(errs, r.putAway(ctx, e))
				break
			}
		}
	}
	return errors.Join(append(errs, r.tidy(ctx, patterns))...)
}

func (r *Reader) putAway(ctx context.Context, e entry) error {
	now, err := r.dir.stat(ctx, r.dir.join(r.c.Folder, e.name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !now.same(e) {
		return fmt.Errorf("pickup: %s was written again since it was read, and stays in the folder", e.name)
	}
	for _, name := range append(r.companionsOf(e.name), e.name) {
		if err == nil {
			err = r.moveOne(ctx, name, e)
		}
	}
	if err != nil {
		return fmt.Errorf("pickup: %s is not in the archive %s: %w", e.name, r.c.Archive, err)
	}
	return nil
}

// companionsOf are those that a file has.
func (r *Reader) companionsOf(name string) []string {
	var out []string
	for _, p := range r.c.companions() {
		if c := companion(p, name); r.has(c) {
			out = append(out, c)
		}
	}
	return out
}

// moveOne never replaces what is in the archive: there a second file of one name gets
// its time behind it.
func (r *Reader) moveOne(ctx context.Context, name string, of entry) error {
	from := r.dir.join(r.c.Folder, name)
	err := r.dir.move(ctx, from, r.dir.join(r.c.Archive, name))
	if errors.Is(err, fs.ErrExist) {
		err = r.dir.move(ctx, from, r.dir.join(r.c.Archive, second(name, of)))
	}
	return err
}

const secondTime = "20060102T150405"

func second(name string, of entry) string {
	return name + "." + of.modified.UTC().Format(secondTime)
}

// find looks for a file that was read before.
func (r *Reader) find(ctx context.Context, t taken) (candidate, bool, error) {
	if r.c.Archive == "" {
		return candidate{}, false, nil
	}
	of := entry{name: t.Name, size: t.Size, modified: t.Modified}
	for _, name := range []string{t.Name, second(t.Name, of)} {
		path := r.dir.join(r.c.Archive, name)
		e, err := r.dir.stat(ctx, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return candidate{}, false, fmt.Errorf("pickup: archive: %w", err)
		}
		if e.size == t.Size && e.modified.Equal(t.Modified) {
			e.name = t.Name
			return candidate{entry: e, kind: t.Kind, order: t.Order, numbered: t.Kind == byNumber, dated: t.Dated,
				sums: []string{t.Raw}, sumOf: "the reading before", path: path, archived: true}, true, nil
		}
	}
	return candidate{}, false, nil
}

// tidy removes what has been in the archive for long enough. Files of other names,
// and the one that was read last, stay.
func (r *Reader) tidy(ctx context.Context, patterns []pattern) error {
	if r.c.Keep == 0 {
		return nil
	}
	there, err := r.dir.list(ctx, r.c.Archive)
	if err != nil {
		return fmt.Errorf("pickup: archive %s: %w", r.c.Archive, err)
	}
	names := map[string]bool{}
	for _, e := range there {
		names[e.name] = true
	}
	var errs []error
	for _, e := range there {
		if r.now().Sub(e.modified) <= r.c.Keep || r.kept.Base.is(candidate{entry: e}) || !matchesAny(patterns, e) {
			continue
		}
		for _, p := range append(r.c.companions(), "{file}") {
			if name := companion(p, e.name); names[name] {
				names[name] = false
				errs = append(errs, r.dir.remove(ctx, r.dir.join(r.c.Archive, name)))
			}
		}
	}
	return errors.Join(errs...)
}

// matchesAny reports whether a file of the archive has one of the names we give.
func matchesAny(patterns []pattern, e entry) bool {
	for _, p := range patterns {
		if p.name.MatchString(e.name) || p.name.MatchString(strings.TrimSuffix(e.name, "."+e.modified.UTC().Format(secondTime))) {
			return true
		}
	}
	return false
}
