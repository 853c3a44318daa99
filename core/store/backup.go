package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrNotSQLite: only SQLite databases are backed up by provhub.
var ErrNotSQLite = errors.New("the state is a PostgreSQL database; back it up and restore it with its own means, such as pg_dump")

// Backup writes the database as it is at one moment to path, checks the copy, and
// returns its size in bytes. Others work on meanwhile. A file that is there stays
// as it is: [fs.ErrExist]. [ErrNotSQLite] on PostgreSQL.
func (s *Store) Backup(ctx context.Context, path string) (size int64, err error) {
	if s.gate == nil {
		return 0, ErrNotSQLite
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return 0, errors.Join(err, fmt.Errorf("%s: %w; give another name", path, fs.ErrExist))
	}
	part := path + ".part"
	if err := errors.Join(removeDatabase(part), makePrivate(part)); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("back up to %s: %w", path, err), removeDatabase(part))
		}
	}()
	if _, err := s.staging.ExecContext(ctx, `VACUUM INTO ?`, part); err != nil {
		return 0, s.explain(err)
	}
	if err := check(ctx, part); err != nil {
		return 0, fmt.Errorf("the copy is not sound: %w", err)
	}
	return settle(part, path)
}

// check opens a copy and reads it whole.
func check(ctx context.Context, path string) error {
	c, err := Open(ctx, "sqlite:"+path)
	if err != nil {
		return err
	}
	defer c.Close()
	var verdict string
	if err := c.reader.GetContext(ctx, &verdict, `PRAGMA quick_check(1)`); err != nil {
		return c.explain(err)
	}
	if verdict != "ok" {
		return errors.New(verdict)
	}
	return c.eachOrg(ctx, func(o *Org) error {
		_, err := o.AuditVerify(ctx)
		return err
	})
}

// settle gives a finished file its name. When it returns, the file is on disk.
func settle(part, path string) (size int64, err error) {
	f, err := os.OpenFile(part, os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	for _, suffix := range walSuffixes { // of the check, empty
		if err := removeIfThere(part + suffix); err != nil {
			return 0, err
		}
	}
	if err := os.Rename(part, path); err != nil {
		return 0, err
	}
	return info.Size(), syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// walSuffixes end the names of the files that belong to an open database.
var walSuffixes = []string{"-wal", "-shm"}

func removeDatabase(path string) error {
	var errs []error
	for _, suffix := range append([]string{"", ".migrate.lock"}, walSuffixes...) {
		errs = append(errs, removeIfThere(path+suffix))
	}
	return errors.Join(errs...)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Restore puts a backup in the place of the SQLite database at url. What was there
// is kept beside it under the name that is returned, "" when there was nothing.
// [ErrBusy] while another provhub works on it: nothing may be open there.
func Restore(ctx context.Context, from, url, org string, now time.Time) (kept string, err error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return "", ErrNotSQLite
	}
	part := path + ".restore"
	if err := copyFile(from, part); err != nil {
		return "", fmt.Errorf("restore from %s: %w", from, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDatabase(part))
		}
	}()
	if err := check(ctx, part); err != nil {
		return "", fmt.Errorf("%s is no sound backup of provhub: %w", from, err)
	}
	lock, held, err := tryLockFile(workLock(path, org))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if !held {
		holder, err := io.ReadAll(io.LimitReader(lock, 512))
		return "", errors.Join(busy(string(holder)), err)
	}
	kept, err = setAside(path, now)
	if err != nil {
		return "", err
	}
	_, err = settle(part, path)
	return kept, err
}

// setAside renames a database with all its files.
func setAside(path string, now time.Time) (kept string, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	kept = path + ".before-" + now.UTC().Format("20060102T150405Z")
	for _, suffix := range append([]string{""}, walSuffixes...) {
		if err := os.Rename(path+suffix, kept+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return kept, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := removeDatabase(to); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// eachOrg calls fn for each org that the database has anything of.
func (s *Store) eachOrg(ctx context.Context, fn func(*Org) error) error {
	var ids []string
	if err := s.reader.SelectContext(ctx, &ids, `SELECT org_id FROM org_state UNION SELECT org_id FROM audit_head ORDER BY org_id`); err != nil {
		return s.explain(err)
	}
	for _, id := range ids {
		if err := fn(s.Org(id)); err != nil {
			return fmt.Errorf("org %s: %w", id, err)
		}
	}
	return nil
}
