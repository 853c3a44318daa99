package naive

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/provhub/provhub/connectors/connector"
)

// Effect is one write that took effect: a line of the journal.
type Effect struct {
	Verb connector.Verb `json:"verb"`
	// ID is the account; a create makes it.
	ID string `json:"id"`
	// Anchor is the externalId, of a create.
	Anchor      string               `json:"anchor,omitempty"`
	Attributes  connector.Attributes `json:"attributes,omitempty"`
	Enabled     connector.Enabled    `json:"enabled,omitempty"`
	Entitlement string               `json:"entitlement,omitempty"`
	Operation   string               `json:"operation"`
	Attempt     int                  `json:"attempt"`
}

// Read returns the effects in the journal at path, none when there is no file.
func Read(path string) ([]Effect, error) { return lines[Effect](path, new(int64)) }

// Accounts is what the target holds after effects, by id.
func Accounts(effects []Effect) map[string]*connector.Object {
	out := map[string]*connector.Object{}
	for _, e := range effects {
		o := out[e.ID]
		switch e.Verb {
		case connector.VerbCreate:
			o = &connector.Object{Ref: connector.Ref{Type: "user", ID: e.ID}, Grants: []connector.Ref{}, Attributes: e.Attributes, Enabled: e.Enabled}
			out[e.ID] = o
		case connector.VerbUpdate:
			for _, a := range e.Attributes {
				o.Attributes = slices.DeleteFunc(slices.Clone(o.Attributes), func(x connector.Attribute) bool { return x.Name == a.Name })
				if len(a.Values) > 0 {
					o.Attributes = append(o.Attributes, a)
				}
			}
		case connector.VerbEnable, connector.VerbDisable:
			o.Enabled = e.Enabled
		case connector.VerbGrant:
			o.Grants = append(o.Grants, connector.Ref{Type: "role", ID: e.Entitlement, Name: e.Entitlement})
		case connector.VerbRevoke:
			o.Grants = slices.DeleteFunc(o.Grants, func(r connector.Ref) bool { return r.ID == e.Entitlement })
		case connector.VerbDelete:
			delete(out, e.ID)
		}
	}
	return out
}

// journal is a file of effects, as far as it is known.
type journal struct {
	path string

	mu      sync.Mutex
	effects []Effect
	read    int64
}

// locked runs f with the effects so far, alone among all processes, and appends
// what f returns.
func (j *journal) locked(f func([]Effect) (*Effect, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	file, err := os.OpenFile(j.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close() // and with it the lock
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	more, err := lines[Effect](j.path, &j.read)
	if err != nil {
		return err
	}
	j.effects = append(j.effects, more...)
	e, err := f(j.effects)
	if err != nil || e == nil {
		return err
	}
	return write(file, e)
}

// lines returns what was appended to a file of JSON lines since offset from, and
// moves from on. A file that is not there has no lines.
func lines[T any](path string, from *int64) (out []T, err error) {
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(*from, io.SeekStart); err != nil {
		return nil, err
	}
	for r := bufio.NewReader(file); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil // the rest of a line is read when it is whole
		}
		if err != nil {
			return out, err
		}
		var x T
		if err := json.Unmarshal(line, &x); err != nil {
			return out, fmt.Errorf("%s, byte %d: %w", path, *from, err)
		}
		*from += int64(len(line))
		out = append(out, x)
	}
}

// write appends a line in one call of the system.
func write(file *os.File, x any) error {
	line, err := json.Marshal(x)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return err
}
