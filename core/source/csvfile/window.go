package csvfile

import (
	"bytes"
	"errors"
	"io"
)

const (
	// bufferSize is what is read from the file at once.
	bufferSize = 64 << 10
	// maxRow bounds one row, so that a quote which is never closed does not take
	// the rest of the file into memory.
	maxRow = 1 << 20
)

var errRowTooLong = errors.New("the row is longer than 1 MiB")

// window hands decoded text on and keeps what was handed on since the beginning
// of the current row, so that a damaged row can be read again line by line.
// Offsets count bytes of the decoded text from its beginning.
type window struct {
	src  io.Reader
	err  error            // of src, returned once buf is used up
	size func([]byte) int // see codec

	buf   []byte
	start int64 // offset of buf[0]
	raw   int64 // bytes of the file before buf[0]
	next  int64 // offset of what Read hands on next
	keep  int64 // offset from which on text is kept
	// bareCR: lines end with CR alone, as old Macs write them; it becomes LF.
	bareCR bool
}

// Read implements [io.Reader]. errRowTooLong when more than maxRow is kept.
func (w *window) Read(p []byte) (int, error) {
	for w.next == w.end() {
		if w.err != nil {
			return 0, w.err
		}
		if w.end()-w.keep > maxRow {
			return 0, errRowTooLong
		}
		w.fill()
	}
	n := copy(p, w.buf[w.next-w.start:])
	w.next += int64(n)
	return n, nil
}

func (w *window) end() int64 { return w.start + int64(len(w.buf)) }

// fill reads once from src and drops what need not be kept.
func (w *window) fill() {
	if done := int(w.keep - w.start); done > 0 {
		w.raw += int64(w.size(w.buf[:done]))
		w.buf = w.buf[:copy(w.buf, w.buf[done:])]
		w.start = w.keep
	}
	used := len(w.buf)
	if cap(w.buf)-used < bufferSize {
		w.buf = append(w.buf, make([]byte, bufferSize)...)
	}
	n, err := w.src.Read(w.buf[used : used+bufferSize])
	w.buf, w.err = w.buf[:used+n], err
	if w.bareCR {
		bareCRToLF(w.buf[used:])
	}
}

// peek returns what comes next, the first n bytes of it if there are so many.
func (w *window) peek(n int) []byte {
	for w.end()-w.next < int64(n) && w.err == nil {
		w.fill()
	}
	b := w.buf[w.next-w.start:]
	return b[:min(n, len(b))]
}

// release gives up everything before offset.
func (w *window) release(offset int64) { w.keep = offset }

// rewind goes back, or on, to offset, which must not have been released.
func (w *window) rewind(offset int64) { w.keep, w.next = offset, offset }

// text returns what lies between two offsets, until the next Read.
func (w *window) text(from, to int64) []byte { return w.buf[from-w.start : to-w.start] }

// fileOffset returns where the text at offset lies in the file, from 0, a byte
// order mark not counted.
func (w *window) fileOffset(offset int64) int64 {
	return w.raw + int64(w.size(w.buf[:offset-w.start]))
}

// sniffLineEnds looks at the first line: when it ends with CR alone, all do.
func (w *window) sniffLineEnds() {
	head := w.peek(bufferSize)
	i := bytes.IndexAny(head, "\r\n")
	if i >= 0 && head[i] == '\r' && i+1 < len(head) && head[i+1] != '\n' {
		w.bareCR = true
		bareCRToLF(head)
	}
}

func bareCRToLF(b []byte) {
	for i := range b {
		if b[i] == '\r' {
			b[i] = '\n'
		}
	}
}
