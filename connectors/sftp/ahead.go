package sftp

import (
	"context"
	"errors"
	"io"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// place is one file of a publication.
type place struct {
	batch int64
	at    int
}

// sendAhead begins to bring a file to the server, under its temporary name, while
// it is still being written on this machine. That saves time and nothing else:
// when it does not work the file is sent from the spool once it is sealed.
func (t *Target) sendAhead(ctx context.Context, x outbox.Batch, at int, name string) *ahead {
	r, w := io.Pipe()
	a := &ahead{t: t, place: place{x.Number, at}, pipe: w, staged: make(chan client.Staged, 1)}
	go func() {
		srv, release := t.server()
		defer release()
		st, err := srv.Stage(ctx, client.Upload{Name: t.remote(name), Run: x.Run, Size: -1, From: r})
		_ = r.CloseWithError(errors.Join(errAhead, err)) // whoever still writes goes on without
		if err == nil {
			a.staged <- st
		}
		close(a.staged)
	}()
	return a
}

var errAhead = errors.New("nothing is sent ahead any more")

// ahead is the writing side.
type ahead struct {
	t      *Target
	place  place
	pipe   *io.PipeWriter
	staged chan client.Staged
	failed bool
}

// Write passes bytes on as long as that works. It never fails.
func (a *ahead) Write(p []byte) (int, error) {
	if !a.failed {
		_, err := a.pipe.Write(p)
		a.failed = err != nil
	}
	return len(p), nil
}

// finish waits for the server to have the file, and keeps it for deliver when it is
// of the size that was written here.
func (a *ahead) finish(size int64) {
	_ = a.pipe.Close()
	if st, ok := <-a.staged; ok && st.Size == size {
		a.t.mu.Lock()
		a.t.staged[a.place] = st
		a.t.mu.Unlock()
	}
}

// stop ends it without a result; after finish it does nothing.
func (a *ahead) stop() {
	_ = a.pipe.CloseWithError(errAhead)
	<-a.staged
}

// dropStaged removes what was sent ahead of a publication that is given up.
func (t *Target) dropStaged(ctx context.Context, x outbox.Batch) {
	srv, release := t.server()
	defer release()
	for at := range t.roles() {
		if st, ok := t.stagedFile(x, at); ok {
			if err := srv.Discard(ctx, st); err != nil {
				t.log.WarnContext(ctx, "a temporary file stays on the server until the next start", "file", st.Name, "error", err)
			}
		}
	}
}

// stagedFile returns the file that was sent ahead, once.
func (t *Target) stagedFile(x outbox.Batch, at int) (client.Staged, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	st, ok := t.staged[place{x.Number, at}]
	delete(t.staged, place{x.Number, at})
	return st, ok
}
