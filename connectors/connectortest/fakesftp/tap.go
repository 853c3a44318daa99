package fakesftp

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// tap stands between a client and the request server and looks at every packet
// of the client's.
type tap struct {
	s      *Server
	conn   net.Conn
	ch     ssh.Channel
	faults *faults

	in *io.PipeReader // what the request server reads
	to *io.PipeWriter

	mu   sync.Mutex
	lose map[uint32]bool // requests whose answer is to be lost
	buf  []byte          // an answer that is not whole yet
	wg   sync.WaitGroup
}

func newTap(s *Server, conn net.Conn, ch ssh.Channel, fs *faults) *tap {
	t := &tap{s: s, conn: conn, ch: ch, faults: fs, lose: map[uint32]bool{}}
	t.in, t.to = io.Pipe()
	t.wg.Go(func() { _ = t.to.CloseWithError(t.pump()) })
	return t
}

// Read, Write and Close are what the request server uses.
func (t *tap) Read(p []byte) (int, error) { return t.in.Read(p) }
func (t *tap) Close() error               { _ = t.in.Close(); return t.ch.Close() }

func (t *tap) wait() {
	_ = t.Close()
	t.wg.Wait()
}

var errCut = errors.New("cut by a fault")

// pump passes packets on, as far as the faults let it.
func (t *tap) pump() error {
	for {
		p, err := readPacket(t.ch)
		if err != nil {
			return err
		}
		about := t.look(p)
		t.s.count(about.kind)
		f, ok := t.faults.meets(about)
		if !ok {
			if _, err := t.to.Write(p.raw); err != nil {
				return err
			}
			continue
		}
		if err := t.apply(f, p); err != nil {
			return err
		}
	}
}

func (t *tap) apply(f Fault, p *frame) error {
	switch f.Do {
	case Cut:
		_ = t.conn.Close()
		return errCut
	case Hang:
		return nil
	case Refuse:
		return t.answer(p.id, f)
	case LoseReply:
		t.mu.Lock()
		t.lose[p.id] = true
		t.mu.Unlock()
	case Slow:
		time.Sleep(f.Wait)
	}
	_, err := t.to.Write(p.raw)
	return err
}

// answer sends SSH_FXP_STATUS in the request server's place.
func (t *tap) answer(id uint32, f Fault) error {
	b := []byte{0, 0, 0, 0, fxpStatus}
	b = binary.BigEndian.AppendUint32(b, id)
	b = binary.BigEndian.AppendUint32(b, f.Code)
	b = appendString(appendString(b, f.Message), "en")
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := t.ch.Write(b)
	return err
}

// Write passes answers on, whole ones.
func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	for len(t.buf) >= 9 {
		n := 4 + int(binary.BigEndian.Uint32(t.buf))
		if len(t.buf) < n {
			break
		}
		if id := binary.BigEndian.Uint32(t.buf[5:]); t.lose[id] && t.buf[4] != fxpVersion {
			_ = t.conn.Close()
			return 0, errCut
		}
		if _, err := t.ch.Write(t.buf[:n]); err != nil {
			return 0, err
		}
		t.buf = append(t.buf[:0], t.buf[n:]...)
	}
	return len(p), nil
}
