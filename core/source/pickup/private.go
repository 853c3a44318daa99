package pickup

import (
	"fmt"
	"io"
	"os"
)

// private is a file that holds what nobody else may see (QUIRKS FILE-18). It lies in
// the folder for temporary files (TMPDIR), has mode 0600 and, where the system lets
// it, no name: then it is gone with the process, however that ends.
type private struct {
	hashing
	f    *os.File
	name string // "": it has none any more
}

func newPrivate() (*private, error) {
	f, err := os.CreateTemp("", "provhub-pickup-") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("a private copy: %w", err)
	}
	p := &private{hashing: newHashing(), f: f}
	if err := os.Remove(f.Name()); err != nil {
		p.name = f.Name() // removed when it is closed
	}
	return p, nil
}

// Write implements [io.Writer].
func (p *private) Write(b []byte) (int, error) {
	n, err := p.f.Write(b)
	p.add(b[:n])
	if err != nil {
		return n, fmt.Errorf("a private copy in %s: %w", os.TempDir(), err)
	}
	return n, nil
}

// reader reads it from the beginning, each one on its own.
func (p *private) reader() io.Reader { return io.NewSectionReader(p.f, 0, p.size) }

func (p *private) close() {
	_ = p.f.Close() // nothing is to be kept
	if p.name != "" {
		_ = os.Remove(p.name) // likewise
	}
}
