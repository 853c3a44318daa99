package naive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
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
func Read(path string) ([]Effect, error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Effect
	for r := bufio.NewScanner(bytes.NewReader(b)); r.Scan(); {
		var e Effect
		if err := json.Unmarshal(r.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(out)+1, err)
		}
		out = append(out, e)
	}
	return out, nil
}

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

// locked runs f with the effects so far, alone among all processes, and appends
// what f returns.
func locked(path string, f func([]Effect) (*Effect, error)) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close() // and with it the lock
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	effects, err := Read(path)
	if err != nil {
		return err
	}
	e, err := f(effects)
	if err != nil || e == nil {
		return err
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return err
}
