package fakesftp

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// The packet types that matter here (draft-ietf-secsh-filexfer-02 §3).
const (
	fxpInit     = 1
	fxpVersion  = 2
	fxpRename   = 18
	fxpStatus   = 101
	fxpExtended = 200
)

var kinds = map[byte]string{
	fxpInit: "init", 3: "open", 4: "close", 5: "read", 6: "write", 7: "lstat", 8: "fstat", 9: "setstat", 10: "fsetstat",
	11: "opendir", 12: "readdir", 13: "remove", 14: "mkdir", 15: "rmdir", 16: "realpath", 17: "stat", fxpRename: "rename",
	19: "readlink", 20: "symlink",
}

const maxPacket = 1 << 20

// frame is one packet of a client.
type frame struct {
	raw  []byte
	typ  byte
	id   uint32
	body []byte // after the id
}

func readPacket(r io.Reader) (*frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 5 || n > maxPacket {
		return nil, errors.New("not an SFTP packet")
	}
	p := &frame{raw: make([]byte, 4+n)}
	copy(p.raw, head[:])
	if _, err := io.ReadFull(r, p.raw[4:]); err != nil {
		return nil, err
	}
	p.typ, p.id, p.body = p.raw[4], binary.BigEndian.Uint32(p.raw[5:]), p.raw[9:]
	return p, nil
}

// cutString takes a length-prefixed string off b.
func cutString(b []byte) (s string, rest []byte) {
	if len(b) < 4 {
		return "", nil
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(len(b)) < 4+uint64(n) {
		return "", nil
	}
	return string(b[4 : 4+n]), b[4+n:]
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// look says what a packet is about. That of a handle is not known; faults on
// writes have no name.
func (t *tap) look(p *frame) packet {
	kind, ok := kinds[p.typ]
	body := p.body
	if p.typ == fxpExtended {
		var name string
		name, body = cutString(body)
		kind, _, _ = strings.Cut(name, "@")
	} else if !ok {
		kind = "other"
	}
	first, rest := cutString(body)
	switch kind {
	case "rename", "posix-rename":
		second, _ := cutString(rest)
		return packet{kind, second}
	case "open", "opendir", "stat", "lstat", "setstat", "remove", "mkdir", "rmdir", "realpath":
		return packet{kind, first}
	}
	return packet{kind: kind}
}
