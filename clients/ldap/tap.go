package ldap

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
)

// tap stands between the wire and go-ldap on one connection, and takes the entries out
// that a listing waits for: go-ldap makes a tree of packets of every value, which costs
// ten times what the entry does. All other messages pass as they are.
type tap struct {
	net.Conn
	in      *bufio.Reader
	message []byte // the one that go-ldap reads now
	rest    []byte // what it has not read of it

	mu      sync.Mutex
	taking  bool
	entries []rawEntry
	err     error // an entry that is none
}

const (
	// tapBuffer holds some hundred entries.
	tapBuffer = 64 << 10
	// messageMax bounds one message; groups with a million members fit.
	messageMax = 1 << 30
)

func newTap(nc net.Conn) *tap { return &tap{Conn: nc, in: bufio.NewReaderSize(nc, tapBuffer)} }

// take has entries be taken from now on.
func (t *tap) take() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taking, t.entries, t.err = true, nil, nil
}

// taken returns the entries that came since take, and ends it.
func (t *tap) taken() ([]rawEntry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	entries, err := t.entries, t.err
	t.taking, t.entries = false, nil
	return entries, err
}

// Read implements [net.Conn].
func (t *tap) Read(p []byte) (int, error) {
	for len(t.rest) == 0 {
		if err := t.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// next reads one message, and keeps it for go-ldap unless it is an entry that is taken.
func (t *tap) next() error {
	size, err := t.size()
	if err != nil {
		return err
	}
	if cap(t.message) < size {
		t.message = make([]byte, size)
	}
	t.message = t.message[:size]
	if _, err := io.ReadFull(t.in, t.message); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.taking || !isEntry(t.message) {
		t.rest = t.message
		return nil
	}
	e, err := readEntry(string(t.message))
	if err != nil {
		t.err = err
		return nil
	}
	t.entries = append(t.entries, e)
	return nil
}

// size returns the length of the next message with its header (X.690 §8.1.3; RFC 4511
// §5.1: definite lengths only).
func (t *tap) size() (int, error) {
	head, err := t.in.Peek(2)
	if err != nil {
		if errors.Is(err, io.EOF) && len(head) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	more := 0
	if head[1] > 0x80 {
		more = int(head[1] & 0x7f)
	}
	if more > 4 || head[1] == 0x80 {
		return 0, errors.New("the server sends what is no LDAP message")
	}
	if head, err = t.in.Peek(2 + more); err != nil {
		return 0, err
	}
	n := int(head[1])
	if more > 0 {
		n = 0
		for _, b := range head[2:] {
			n = n<<8 | int(b)
		}
	}
	if n > messageMax {
		return 0, errors.New("the server sends a message of more than 1 GiB")
	}
	return 2 + more + n, nil
}
