package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Manifest says what was published: SFTP has no checksums of its own (QUIRKS
// FILE-4).
type Manifest struct {
	Run      string    `json:"run"`
	Sequence int64     `json:"sequence"`
	Mode     string    `json:"mode"`
	Created  time.Time `json:"created"`
	// Previous is the SHA-256 of the manifest before, "" in the first: a chain in
	// which nothing can be missing unnoticed.
	Previous string    `json:"previous,omitempty"`
	Files    []Written `json:"files"`
}

// Written is one file of a publication.
type Written struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

// Encode returns the manifest's bytes, always the same ones.
func (m Manifest) Encode() []byte {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // text, numbers and times always encode
	}
	return append(b, '\n')
}

// DecodeManifest reads a manifest; a part of one is an error.
func DecodeManifest(b []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	if m.Sequence <= 0 || len(m.Files) == 0 || m.Mode == "" {
		return m, errors.New("the manifest does not say what was published")
	}
	return m, nil
}
