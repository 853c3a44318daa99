package pickup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// memory is what is known of the reading before; it is stored with that reading, as
// its token.
type memory struct {
	// Base is the file that held everybody, Deltas those with changes that followed
	// it, in order: each was applied once.
	Base   taken     `json:"base"`
	Deltas []taken   `json:"deltas,omitempty"`
	At     time.Time `json:"at"`
}

// taken is a file that was read.
type taken struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`
	Order    int64     `json:"order"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	// Raw is the hash of the file as it was dropped, SHA256 that of the text in it.
	Raw    string    `json:"raw"`
	SHA256 string    `json:"sha256"`
	Dated  time.Time `json:"dated"`
}

func (m memory) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("pickup: a token has no JSON: %v", err)) // plain values
	}
	return b
}

func decodeMemory(token []byte) (m memory, err error) {
	if len(token) == 0 {
		return m, nil
	}
	err = json.Unmarshal(token, &m)
	return m, err
}

// comparable reports whether the files of p have an order with what was read.
func (m memory) comparable(p pattern) bool { return m.Base.Name != "" && m.Base.Kind == p.kind }

// top is the order of the newest file that was read.
func (m memory) top() int64 {
	if n := len(m.Deltas); n > 0 {
		return m.Deltas[n-1].Order
	}
	return m.Base.Order
}

// snapshot names all that was read.
func (m memory) snapshot() string {
	if len(m.Deltas) == 0 {
		return m.Base.SHA256
	}
	h := sha256.New()
	fmt.Fprintln(h, m.Base.SHA256)
	for _, d := range m.Deltas {
		fmt.Fprintln(h, d.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// is reports whether c looks as the file that was read did.
func (t taken) is(c candidate) bool {
	return t.Name == c.name && t.Size == c.size && t.Modified.Equal(c.modified)
}

// clockGrain is how long after a file was written it may be written again without
// its time telling: servers count in seconds.
const clockGrain = 3 * time.Second

// surely reports whether a file that looks the same cannot have been written again
// since. What is in the archive, nobody writes.
func (m memory) surely(c candidate) bool {
	return c.archived || m.At.Sub(c.modified) > clockGrain
}
