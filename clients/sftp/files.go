package sftp

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Stat describes the file or folder called name. NOT_FOUND when there is none.
func (c *Client) Stat(ctx context.Context, name string) (info Info, err error) {
	err = c.do(ctx, "look at "+name, func(s *session) error {
		i, err := s.Stat(name)
		if err == nil {
			info = infoOf(i)
			info.Name = path.Base(name)
		}
		return err
	})
	return info, err
}

// Exists reports whether there is something called name.
func (c *Client) Exists(ctx context.Context, name string) (bool, error) {
	_, err := c.Stat(ctx, name)
	if connector.IsCode(err, connector.CodeNotFound) {
		return false, nil
	}
	return err == nil, err
}

// List returns all entries of a folder, by name, or an error: never a part of
// them (QUIRKS FILE-20).
func (c *Client) List(ctx context.Context, dir string) (out []Info, err error) {
	err = c.do(ctx, "list "+dir, func(s *session) error {
		entries, err := s.ReadDirContext(ctx, dir)
		for _, e := range entries {
			out = append(out, infoOf(e))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Remove removes a file; one that is gone already is no error. When the
// connection breaks the outcome is unknown.
func (c *Client) Remove(ctx context.Context, name string) error {
	return c.write(ctx, "remove "+name, func(s *session) error {
		err := s.Remove(name)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
}

// Rename gives a file another name, in one step where the server can. A file
// that has the new name already is replaced. When the connection breaks the
// outcome is unknown.
func (c *Client) Rename(ctx context.Context, from, to string) error {
	return c.write(ctx, "rename "+from, func(s *session) error {
		_, err := s.replace(from, to)
		return err
	})
}

// MkdirAll makes a folder and those above it.
func (c *Client) MkdirAll(ctx context.Context, dir string) error {
	return c.do(ctx, "make "+dir, func(s *session) error { return s.MkdirAll(dir) })
}

// write runs a call that takes effect at once: without an answer it is unknown
// whether it did.
func (c *Client) write(ctx context.Context, what string, call func(*session) error) error {
	s, err := c.use(ctx)
	if err != nil {
		return err
	}
	return inDoubt(c.on(ctx, s, what, func() error { return call(s) }))
}

// replace renames from to to. atomic is false when a file of that name had to be
// removed first, because the server renames only to names that are free.
func (s *session) replace(from, to string) (atomic bool, err error) {
	if s.offers(extPosixRename) {
		err := s.PosixRename(from, to)
		if !isUnsupported(err) {
			return true, err
		}
	}
	if err = s.Client.Rename(from, to); err == nil || !isFailure(err) {
		return true, err
	}
	if _, there := s.Client.Stat(to); there != nil {
		return false, err // it was refused for another reason
	}
	if gone := s.Client.Remove(to); gone != nil {
		return false, gone
	}
	return false, s.Client.Rename(from, to)
}
