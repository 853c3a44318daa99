package sftp

import (
	"bytes"
	"context"
	"path"
	"slices"
	"time"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// responses looks for the receiver's answers and applies those that are whole
// (QUIRKS FILE-14). It does so at most once in a while, however many ask.
func (t *Target) responses(ctx context.Context) error {
	if t.cfg.Acks == nil || !t.lookNow() {
		return nil
	}
	unlock, err := t.box.Lock(ctx)
	if err != nil {
		return connector.AsError(err)
	}
	defer unlock()
	open, err := t.box.Unconfirmed(ctx)
	if err != nil {
		return stateError(err)
	}
	srv, release := t.server()
	defer release()
	for _, x := range open {
		if err := t.response(ctx, srv, x); err != nil {
			return err
		}
	}
	return nil
}

// lookNow reports whether it is time to look for responses again.
func (t *Target) lookNow() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.lookedAt) < orDefault(t.cfg.Acks.Poll, time.Minute)/2 {
		return false
	}
	t.lookedAt = time.Now()
	return true
}

func (t *Target) ackName(x outbox.Batch) (string, error) {
	return t.cfg.File.Fill(t.cfg.Acks.Name, feed.Facts{Seq: x.Seq, At: x.SealedAt, Run: x.Run, Mode: x.Mode, Rows: x.Rows, File: x.Files[0].Name})
}

// response applies the answer to one publication. It counts when it has been of
// one size at two looks in a row: it may still be being written.
func (t *Target) response(ctx context.Context, srv *client.Client, x outbox.Batch) error {
	name, err := t.ackName(x)
	if err != nil {
		return err
	}
	name = path.Join(t.cfg.Acks.Folder, name)
	info, err := srv.Stat(ctx, name)
	if connector.IsCode(err, connector.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size != x.AckSize {
		return stateError(t.box.SeeAck(ctx, x, info.Size, time.Now()))
	}
	var b bytes.Buffer
	if _, err := srv.Download(ctx, name, t.cfg.Acks.MaxBytes, &b); err != nil {
		if connector.IsCode(err, connector.CodeBusy) || connector.IsCode(err, connector.CodeNotFound) {
			return nil // it is being written, or replaced
		}
		return err
	}
	if t.cfg.Acks.Key == "" {
		return stateError(t.box.Confirm(ctx, x, time.Now()))
	}
	verdicts, err := t.verdicts(b.Bytes())
	if err != nil {
		return connector.Errorf(connector.CodeConfiguration, "the response %s cannot be read: %w", name, err)
	}
	if err := t.box.Respond(ctx, x, verdicts, t.render); err != nil {
		return stateError(err)
	}
	if t.cfg.Acks.Lists == "errors" {
		return stateError(t.box.Confirm(ctx, x, time.Now()))
	}
	return nil
}

// maxReason bounds what is kept of the receiver's words.
const maxReason = 500

// verdicts reads what the receiver says of each account.
func (t *Target) verdicts(b []byte) (out []outbox.Verdict, err error) {
	a := t.cfg.Acks
	file := t.cfg.File
	file.Leader, file.Trailer = "", ""
	if a.File != nil {
		file = a.File.file()
	}
	err = file.Records(bytes.NewReader(b), func(cells map[string]any) error {
		id, status := feed.Text(cells, a.Key), feed.Text(cells, a.Status)
		v := outbox.Verdict{ID: id}
		if a.Status != "" && !slices.Contains(a.OK, status) || a.Status == "" && a.Lists == "errors" {
			v.Refused, v.Code = true, int(connector.CodeInvalidValue)
			v.Message = "the receiver refuses the row"
			if status != "" {
				v.Message += " (" + clip(status) + ")"
			}
			if reason := feed.Text(cells, a.Message); a.Message != "" && reason != "" {
				v.Message += ": " + clip(reason)
			}
		}
		out = append(out, v)
		return nil
	})
	return out, err
}

func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return s[:maxReason] + "…"
}

// overdue counts the publications whose response should have come.
func (t *Target) overdue(open []outbox.Batch) (n int) {
	for _, x := range open {
		if t.cfg.Acks != nil && time.Since(x.PublishedAt) > orDefault(t.cfg.Acks.Wait, 24*time.Hour) {
			n++
		}
	}
	return n
}
