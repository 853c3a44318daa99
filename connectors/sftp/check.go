package sftp

import (
	"context"
	"errors"
	"fmt"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
)

// Check implements [connector.Target].
func (t *Target) Check(ctx context.Context) error {
	steps, _ := t.CheckSteps(ctx)
	return connector.CheckFailure(steps)
}

// CheckSteps implements [connector.Checker]: login, server, folders, state, files.
// The first failure ends it.
func (t *Target) CheckSteps(ctx context.Context) (steps []connector.CheckStep, product string) {
	srv, release := t.server()
	defer release()
	c := &check{t: t, srv: srv}
	c.Step(ctx, "login", c.login)
	c.Step(ctx, "server", c.server)
	c.Step(ctx, "folders", c.folders)
	c.Step(ctx, "state", c.state)
	c.Step(ctx, "files", c.files)
	return c.Steps(), c.product
}

// check is one check under way.
type check struct {
	connector.CheckRun
	t       *Target
	srv     *client.Client
	about   client.Server
	product string
}

func (c *check) login(ctx context.Context) (string, error) {
	if err := c.srv.Connect(ctx); err != nil {
		return "", err
	}
	return c.srv.Addr() + " shows a key that is pinned and accepts the login", nil
}

func (c *check) server(ctx context.Context) (message string, err error) {
	if c.about, err = c.srv.Server(ctx); err != nil {
		return "", err
	}
	c.product = c.about.Version
	switch {
	case !c.about.PosixRename:
		return c.Warn(c.about.Version + " cannot replace a file in one step: let names hold {seq}, so that none is replaced"), nil
	case !c.about.Fsync:
		return c.about.Version + ", which cannot be asked to force files to its disk", nil
	}
	return c.about.Version, nil
}

func (c *check) folders(ctx context.Context) (string, error) {
	dirs := c.t.places()
	if a := c.t.cfg.Acks; a != nil {
		dirs = append(dirs, a.Folder)
	}
	for _, dir := range dirs {
		if _, err := c.srv.List(ctx, dir); err != nil {
			return "", folderError(dir, err)
		}
	}
	return fmt.Sprintf("%d folders can be listed; whether files can be made shows with the first one", len(dirs)), nil
}

// state tells whether the outbox fits what is on the server. It changes nothing:
// an outbox that would have to be made anew is told as such.
func (c *check) state(ctx context.Context) (string, error) {
	empty, err := c.t.box.Empty(ctx)
	if err != nil {
		return "", stateError(err)
	}
	last, err := c.t.lastOnServer(ctx)
	if err != nil {
		return "", err
	}
	ours, _, err := c.t.box.Last(ctx, "")
	if err != nil {
		return "", stateError(err)
	}
	switch {
	case empty && last.seq == 0 && !last.unnumbered:
		return "nothing was published yet", nil
	case empty && c.t.cfg.ContinueAfter >= max(last.seq, 1):
		return c.Warn(fmt.Sprintf("the state is empty and goes on after number %d, as continue_after says", c.t.cfg.ContinueAfter)), nil
	case empty:
		return c.restorable(ctx, last)
	case last.seq > max(ours.Seq, c.t.cfg.ContinueAfter):
		return "", notOurs(fmt.Sprintf("%s holds number %d, and the last one known here is %d", last.dir, last.seq, ours.Seq))
	}
	return fmt.Sprintf("the last publication is number %d", ours.Seq), nil
}

// restorable tells whether an empty state can be made anew.
func (c *check) restorable(ctx context.Context, last found) (string, error) {
	last, err := c.t.manifestOf(ctx, last)
	if err != nil {
		return "", err
	}
	if why := c.t.cannotRestore(last); why != "" {
		return "", c.t.lost(last, why)
	}
	return c.Warn(fmt.Sprintf("the state is empty; it will be made anew from the full file number %d", last.seq)), nil
}

// files tells what waits, what is in doubt, and whether the guard holds.
func (c *check) files(ctx context.Context) (string, error) {
	t := c.t
	x, unpublished, err := t.box.Unpublished(ctx)
	open, err2 := t.box.Unconfirmed(ctx)
	rows, err3 := t.box.Count(ctx)
	if err := errors.Join(err, err2, err3); err != nil {
		return "", stateError(err)
	}
	if t.cfg.Mode == modeFull {
		if err := t.guard(ctx, modeFull, rows, sealOptions{}); err != nil {
			return "", err
		}
	}
	w := t.box.Waiting()
	message := fmt.Sprintf("%d accounts, %d changes wait", rows, w.Changes)
	if unpublished {
		message = c.Warn(message + fmt.Sprintf("; publication %d was begun and is not complete", x.Seq))
	}
	if late := t.overdue(open); late > 0 {
		message = c.Warn(message + fmt.Sprintf("; %d publications are without a response for longer than acks.wait", late))
	} else if len(open) > 0 {
		message += fmt.Sprintf("; %d publications wait for a response", len(open))
	}
	return message, nil
}
