package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/pkg/sftp"

	"github.com/provhub/provhub/connectors/connector"
)

// Upload is one file to be put on the server.
type Upload struct {
	Name string // path it will have
	// Run names the attempt in the temporary name. The same Run again writes over
	// what an earlier attempt left.
	Run  string
	Size int64 // From must give exactly so many bytes
	From io.Reader
}

// Uploaded says how an upload went.
type Uploaded struct {
	// Replaced: a file of that name was there and the server cannot replace it in
	// one step, so that for a moment there was none.
	Replaced bool
	// Synced: the server wrote it to disk before the rename.
	Synced bool
}

// TempName returns the name under which Upload writes before it renames.
func TempName(name, run string) string {
	dir, base := path.Split(name)
	return dir + "." + base + "." + run + ".tmp"
}

// Upload writes a file under a temporary name in the same folder, makes sure that
// every byte is there, and renames it (QUIRKS FILE-1, FILE-3). Until the rename
// nothing is under the name, and any error is failed; when the rename was sent
// and not answered the outcome is unknown, to be settled with [Client.Stat].
func (c *Client) Upload(ctx context.Context, u Upload) (done Uploaded, err error) {
	s, err := c.use(ctx)
	if err != nil {
		return done, err
	}
	temp := TempName(u.Name, u.Run)
	if err := c.on(ctx, s, "write "+temp, func() (err error) {
		done.Synced, err = s.fill(temp, u)
		return err
	}); err != nil {
		c.discard(ctx, s, temp)
		return done, folderMissing(err, path.Dir(u.Name))
	}
	err = c.on(ctx, s, "rename "+temp+" to "+path.Base(u.Name), func() error {
		atomic, err := s.replace(temp, u.Name)
		done.Replaced = !atomic
		return err
	})
	if err != nil && s.alive() {
		c.discard(ctx, s, temp)
	}
	return done, inDoubt(err)
}

// fill writes all of u under the temporary name and proves it.
func (s *session) fill(temp string, u Upload) (synced bool, err error) {
	f, err := s.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return false, err
	}
	synced, err = s.fillOpen(f, u)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return synced, err
	}
	info, err := s.Client.Stat(temp)
	if err == nil && info.Size() != u.Size {
		err = &connector.Error{Code: connector.CodeUnavailable,
			Message: fmt.Sprintf("the server holds %d of the %d bytes it confirmed; is its disk full?", info.Size(), u.Size)}
	}
	return synced, err
}

func (s *session) fillOpen(f *sftp.File, u Upload) (synced bool, err error) {
	// Many writes are under way at once, so an error can leave holes. They do no
	// harm: a file with an error never gets its name (QUIRKS FILE-4).
	from := &source{Reader: io.LimitReader(u.From, u.Size+1)}
	n, err := f.ReadFromWithConcurrency(from, inFlight)
	switch {
	case from.err != nil:
		return false, connector.Errorf(connector.CodeInternal, "the file to send cannot be read to its end; nothing was published: %w", from.err)
	case err != nil:
		return false, err
	case n != u.Size:
		return false, connector.Errorf(connector.CodeInternal, "the file to send is not of %d bytes as announced; nothing was published", u.Size)
	}
	if !s.offers(extFsync) {
		return false, nil
	}
	err = f.Sync()
	if isUnsupported(err) {
		return false, nil
	}
	return err == nil, err
}

// source tells its own errors from those of the connection.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// discard removes a temporary file if that is still possible. What stays is
// written over by the next attempt.
func (c *Client) discard(ctx context.Context, s *session, temp string) {
	if ctx.Err() == nil && s.alive() {
		_ = s.during(ctx, c.cfg.Stall, func() error { return s.Client.Remove(temp) })
	}
}
