package sftp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// decodeRow reads an account as the outbox keeps it; nil is none.
func decodeRow(b []byte) (*feed.Row, error) {
	if b == nil {
		return nil, nil
	}
	r := &feed.Row{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("an account in the outbox cannot be read: %w", err)
	}
	return r, nil
}

// encodeRow is its counterpart. Attributes are kept by name, so that the same
// account is always the same bytes.
func encodeRow(r *feed.Row) []byte {
	if r == nil {
		return nil
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // what was checked against the schema always encodes
	}
	return b
}

// record renders an account: as it is kept, and its lines of a full file.
// INVALID_VALUE when a file cannot hold it.
func (t *Target) record(id string, r *feed.Row) (outbox.Record, error) {
	out := outbox.Record{ID: id, Want: encodeRow(r)}
	if r == nil {
		return out, nil
	}
	// A delta file has no full line, and still must be able to hold the values.
	line, err := t.layout.Line(id, r, feed.Update)
	if err != nil {
		return out, err
	}
	if t.layout.Shows(r) {
		out.Line = line
	}
	if t.layout.Memberships == nil || out.Line == nil {
		return out, nil
	}
	for _, g := range r.Groups {
		line, err := t.layout.MemberLine(id, g, false, false)
		if err != nil {
			return out, err
		}
		out.Members = append(out.Members, line...)
		out.Groups++
	}
	return out, nil
}

// render is record for an account that is kept as b.
func (t *Target) render(id string, b []byte) (outbox.Record, error) {
	r, err := decodeRow(b)
	if err != nil {
		return outbox.Record{}, err
	}
	return t.record(id, r)
}

// visible returns r unless it is gone to the hub.
func visible(r *feed.Row) *feed.Row {
	if r == nil || r.State == feed.Deleted {
		return nil
	}
	return r
}

// object is an account as the hub sees it.
func (t *Target) object(id string, r *feed.Row, attributes []string) connector.Object {
	o := connector.Object{Ref: connector.Ref{Type: t.cfg.typeName(), ID: id, Version: version(r)}, Enabled: connector.EnabledIf(r.State == feed.Enabled)}
	for _, a := range r.Attributes {
		if attributes == nil || slices.Contains(attributes, a.Name) {
			o.Attributes = append(o.Attributes, a)
		}
	}
	if g := t.cfg.Groups; g != nil {
		o.Grants = []connector.Ref{}
		for _, name := range r.Groups {
			o.Grants = append(o.Grants, connector.Ref{Type: g.name(), ID: name, Name: name})
		}
	}
	return o
}

// version names the content of an account.
func version(r *feed.Row) string {
	sum := sha256.Sum256(encodeRow(r))
	return hex.EncodeToString(sum[:8])
}
