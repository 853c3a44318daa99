package sftp

import (
	"context"
	"fmt"
	"io"

	"github.com/provhub/provhub/connectors/connector"
)

// Download writes the file called name to w and returns how many bytes there
// were. A file larger than limit is TOO_LARGE before anything is read; limit 0
// is none. One that changes while it is read is BUSY, so that a file which is
// still being written is never taken for whole.
func (c *Client) Download(ctx context.Context, name string, limit int64, w io.Writer) (n int64, err error) {
	err = c.do(ctx, "read "+name, func(s *session) error {
		f, err := s.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		before, err := f.Stat()
		if err != nil {
			return err
		}
		if limit > 0 && before.Size() > limit {
			return connector.Errorf(connector.CodeTooLarge, "%s has %d bytes; at most %d are read", name, before.Size(), limit)
		}
		if n, err = io.Copy(w, io.LimitReader(f, before.Size()+1)); err != nil {
			return err
		}
		after, err := s.Client.Stat(name)
		if err != nil {
			return err
		}
		if n != before.Size() || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
			return &connector.Error{Code: connector.CodeBusy,
				Message: fmt.Sprintf("%s changed while it was read (%d bytes, then %d); it may still be being written", name, before.Size(), after.Size())}
		}
		return nil
	})
	return n, err
}
