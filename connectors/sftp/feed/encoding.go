package feed

import (
	"errors"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// charsets are the encodings by name; nil is UTF-8.
var charsets = map[string]encoding.Encoding{
	"": nil, "utf-8": nil, "utf-8-bom": nil,
	"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "utf-16be": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"windows-1252": charmap.Windows1252, "iso-8859-1": charmap.ISO8859_1, "iso-8859-15": charmap.ISO8859_15,
}

// marks are the byte order marks that files begin with.
var marks = map[string]string{"utf-8-bom": "\xEF\xBB\xBF", "utf-16le": "\xFF\xFE", "utf-16be": "\xFE\xFF"}

var errCharacter = errors.New("not a character of this encoding")

// encode turns text into the file's characters, with an error in place of a
// substitute.
func (l *Layout) encode(text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, errCharacter
	}
	cs := charsets[l.File.Encoding]
	if cs == nil {
		return []byte(text), nil
	}
	return cs.NewEncoder().Bytes([]byte(text))
}
