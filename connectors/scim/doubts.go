package scim

import (
	"sync"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// doubts remembers since when creates are in doubt, by their key: a product that
// shows what was written only after a while must not be believed before
// (QUIRKS SCIM-34). What a process forgets when it ends costs a longer wait.
type doubts struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// raise notes that a create may have been made now.
func (d *doubts) raise(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since == nil || len(d.since) >= doubtsMax {
		d.since = map[string]time.Time{}
	}
	d.since[key] = time.Now()
}

// doubtsMax bounds what is remembered.
const doubtsMax = 10_000

// settled forgets a create whose outcome is known.
func (d *doubts) settled(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.since, key)
}

// unseen returns nil when a lookup that found nothing can be believed, else an
// unknown outcome: the product may not show yet what was made.
func (d *doubts) unseen(key string, p *client.Profile) error {
	window := time.Duration(p.ReadAfterWrite)
	if window == 0 {
		return nil
	}
	d.mu.Lock()
	at, known := d.since[key]
	d.mu.Unlock()
	if !known {
		d.raise(key)
		at = time.Now()
	}
	left := time.Until(at.Add(window))
	if left <= 0 {
		return nil
	}
	e := connector.Errorf(connector.CodeBusy, "an earlier try may have made it, and the product takes %v to show what was written", window)
	e.RetryAfter = left
	return connector.Unknown(e)
}
