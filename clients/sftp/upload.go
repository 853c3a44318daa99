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
	Size int64 // From must give exactly so many bytes; -1 for [Client.Stage]: any
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
func (c *Client) Upload(ctx context.Context, u Upload) (Uploaded, error) {
	st, err := c.Stage(ctx, u)
	if err != nil {
		return Uploaded{}, err
	}
	return c.Commit(ctx, st)
}

// Staged is a file that is on the server under its temporary name, whole.
type Staged struct {
	Name   string
	Size   int64
	temp   string
	synced bool
}

// Stage is the first half of [Client.Upload]: all but the rename. With a Size of -1
// it takes what From gives. Its errors are failed; what it leaves behind is written
// over by the same Name and Run.
func (c *Client) Stage(ctx context.Context, u Upload) (st Staged, err error) {
	s, err := c.use(ctx)
	if err != nil {
		return st, err
	}
	st = Staged{Name: u.Name, temp: TempName(u.Name, u.Run)}
	if err := c.on(ctx, s, "write "+st.temp, func() error { return s.fill(&st, u) }); err != nil {
		c.discard(ctx, s, st.temp)
		return st, folderMissing(err, path.Dir(u.Name))
	}
	return st, nil
}

// Commit is the second half: the file gets its name. It may take place over another
// connection than Stage.
func (c *Client) Commit(ctx context.Context, st Staged) (done Uploaded, err error) {
	s, err := c.use(ctx)
	if err != nil {
		return done, err
	}
	done.Synced = st.synced
	err = c.on(ctx, s, "rename "+st.temp+" to "+path.Base(st.Name), func() error {
		atomic, err := s.replace(st.temp, st.Name)
		done.Replaced = !atomic
		return err
	})
	if err != nil && s.alive() {
		c.discard(ctx, s, st.temp)
	}
	return done, inDoubt(err)
}

// Discard removes a staged file that is not to be published.
func (c *Client) Discard(ctx context.Context, st Staged) error { return c.Remove(ctx, st.temp) }

// fill writes all of u under the temporary name and proves it.
func (s *session) fill(st *Staged, u Upload) error {
	f, err := s.OpenFile(st.temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	err = s.fillOpen(f, st, u)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	info, err := s.Client.Stat(st.temp)
	if err == nil && info.Size() != st.Size {
		err = &connector.Error{Code: connector.CodeUnavailable,
			Message: fmt.Sprintf("the server holds %d of the %d bytes it confirmed; is its disk full?", info.Size(), st.Size)}
	}
	return err
}

func (s *session) fillOpen(f *sftp.File, st *Staged, u Upload) (err error) {
	from := &source{Reader: u.From}
	if u.Size >= 0 {
		from.Reader = io.LimitReader(u.From, u.Size+1)
	}
	// Many writes are under way at once, so an error can leave holes. They do no
	// harm: a file with an error never gets its name (QUIRKS FILE-4).
	st.Size, err = f.ReadFromWithConcurrency(from, inFlight)
	switch {
	case from.err != nil:
		return connector.Errorf(connector.CodeInternal, "the file to send cannot be read to its end; nothing was published: %w", from.err)
	case err != nil:
		return err
	case u.Size >= 0 && st.Size != u.Size:
		return connector.Errorf(connector.CodeInternal, "the file to send is not of %d bytes as announced; nothing was published", u.Size)
	case !s.offers(extFsync):
		return nil
	}
	err = f.Sync()
	if isUnsupported(err) {
		return nil
	}
	st.synced = err == nil
	return err
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
