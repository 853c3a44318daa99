package csvfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// codec is one encoding of a file.
type codec struct {
	// text makes UTF-8 of the file; nil: it is UTF-8 already and is passed on as
	// it is, bytes that are no UTF-8 included.
	text encoding.Encoding
	// size tells how many bytes of the file the decoded text b came from.
	size func(b []byte) int
}

var encodings = map[string]codec{
	"utf-8":        {nil, func(b []byte) int { return len(b) }},
	"utf-16le":     {unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), utf16Size},
	"utf-16be":     {unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), utf16Size},
	"windows-1252": {charmap.Windows1252, utf8.RuneCount},
	"iso-8859-1":   {charmap.ISO8859_1, utf8.RuneCount},
	"iso-8859-15":  {charmap.ISO8859_15, utf8.RuneCount},
}

// utf16Size: two bytes a character, four outside the basic plane, which are
// those that take four bytes in UTF-8 too.
func utf16Size(b []byte) int {
	n := 2 * utf8.RuneCount(b)
	for _, c := range b {
		if c >= 0xf0 {
			n += 2
		}
	}
	return n
}

func encodingNames() string {
	return strings.Join(slices.Sorted(maps.Keys(encodings)), ", ")
}

// marks are the byte order marks that a file may begin with.
var marks = []struct {
	encoding string
	mark     []byte
}{
	{"utf-8", []byte{0xef, 0xbb, 0xbf}},
	{"utf-16le", []byte{0xff, 0xfe}},
	{"utf-16be", []byte{0xfe, 0xff}},
}

// decoded is a file as text.
type decoded struct {
	io.Reader // UTF-8, without the byte order mark
	codec
	name  string
	mark  int        // length of the byte order mark
	watch *utf8Watch // nil: not needed
}

// decode returns src as text. A byte order mark of another encoding than name
// is an error.
func decode(src io.Reader, name string) (*decoded, error) {
	b := bufio.NewReaderSize(src, bufferSize)
	d := &decoded{Reader: b, codec: encodings[name], name: name}
	head, err := b.Peek(3)
	if err != nil && err != io.EOF {
		return nil, err
	}
	for _, m := range marks {
		if !bytes.HasPrefix(head, m.mark) {
			continue
		}
		if m.encoding != name {
			return nil, fmt.Errorf("the file begins with the byte order mark of %s, and the config says %s: set encoding: %s", m.encoding, name, m.encoding)
		}
		d.mark = len(m.mark)
		_, _ = b.Discard(d.mark) // peeked above
	}
	if _, singleByte := d.text.(*charmap.Charmap); singleByte {
		d.watch = &utf8Watch{}
		d.Reader = io.TeeReader(b, d.watch)
	}
	if d.text != nil {
		d.Reader = transform.NewReader(d.Reader, d.text.NewDecoder())
	}
	return d, nil
}

// check refuses a file that was read in the wrong encoding without a fault.
func (d *decoded) check() error {
	if d.watch != nil && d.watch.is() {
		return fmt.Errorf("the file is utf-8, and the config says %s, which would garble every name with an accent: set encoding: utf-8", d.name)
	}
	return nil
}

// explain says where in the file the character stands that could not be read.
func (d *decoded) explain(offset int64, bad []byte) error {
	offset += int64(d.mark)
	switch {
	case d.text != nil:
		return fmt.Errorf("is not %s text at byte %d of the file", d.name, offset)
	case len(bad) > 1:
		return fmt.Errorf("%w; at byte %d of the file", errLost, offset)
	}
	return fmt.Errorf("is not utf-8: 0x%02X at byte %d of the file; if the file is windows-1252, say so as its encoding", bad, offset)
}

// utf8Watch tells whether what is written to it is UTF-8 and more than ASCII.
// Text in a single-byte encoding is so only by a freak: an accented capital
// would have to stand before a sign each time.
type utf8Watch struct {
	tail        []byte // the beginning of a character
	seen, isNot bool
}

// Write implements [io.Writer].
func (w *utf8Watch) Write(p []byte) (int, error) {
	if w.isNot {
		return len(p), nil
	}
	b := append(w.tail, p...)
	for len(b) > 0 && utf8.FullRune(b) {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError {
			w.isNot = true
			return len(p), nil
		}
		w.seen = w.seen || size > 1
		b = b[size:]
	}
	w.tail = append(w.tail[:0], b...)
	return len(p), nil
}

func (w *utf8Watch) is() bool { return w.seen && !w.isNot && len(w.tail) == 0 }
