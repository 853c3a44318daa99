package ldap

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
)

// tap stands between the wire and go-ldap on one connection, and lets a taker have what
// comes before go-ldap does: go-ldap makes a tree of packets of every value, which costs
// ten times what the entry does, and drops the controls of some answers.
type tap struct {
	net.Conn
	in      *bufio.Reader
	message []byte // the one that go-ldap reads now
	rest    []byte // what it has not read of it

	mu    sync.Mutex
	taker taker // nil: everything is go-ldap's
}

// taker sees all messages of a connection, in their order, on the goroutine that reads it.
type taker interface {
	// take reports whether it keeps a message; one that it does not keep is go-ldap's.
	// op is the tag of its operation. The bytes are good until take returns.
	take(op byte, message []byte) bool
	// pause is called before a message goes to go-ldap, and when none has come yet.
	pause()
}

const (
	// tapBuffer holds some hundred entries.
	tapBuffer = 64 << 10
	// messageMax bounds one message; groups with a million members fit.
	messageMax = 1 << 30
)

func newTap(nc net.Conn) *tap { return &tap{Conn: nc, in: bufio.NewReaderSize(nc, tapBuffer)} }

// give lets a taker have what comes from now on.
func (t *tap) give(to taker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taker = to
}

func (t *tap) to() taker {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.taker
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

// next reads one message, and keeps it for go-ldap unless it is taken.
func (t *tap) next() error {
	if to := t.to(); to != nil && t.in.Buffered() == 0 {
		to.pause()
	}
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
	if to := t.to(); to != nil {
		if to.take(operationOf(t.message), t.message) {
			return nil
		}
		to.pause()
	}
	t.rest = t.message
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
