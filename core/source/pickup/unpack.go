package pickup

import (
	"compress/gzip"
	"fmt"
	"io"
)

// ratioFrom is how much is unpacked before the ratio counts: short files of
// repetitions are no bombs.
const ratioFrom = 1 << 20

// gunzip unpacks within limits (QUIRKS FILE-19). The checksum at the end, and that
// nothing follows it, are checked by package gzip.
func (r *Reader) gunzip(in io.Reader, size int64, out io.Writer) error {
	z, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("is no gzip file: %w", err)
	}
	l := &limited{w: out, most: r.c.MaxBytes, why: "max_bytes"}
	if by := max(size*r.c.MaxRatio, ratioFrom); by < l.most {
		l.most, l.why = by, fmt.Sprintf("max_ratio %d of %d bytes packed", r.c.MaxRatio, size)
	}
	if _, err := io.Copy(l, z); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	return z.Close()
}

// limited stops what grows without end.
type limited struct {
	w    io.Writer
	n    int64
	most int64
	why  string
}

func (l *limited) Write(p []byte) (int, error) {
	if l.n += int64(len(p)); l.n > l.most {
		return 0, fmt.Errorf("it becomes larger than %d bytes (%s): a bomb, or raise the limit", l.most, l.why)
	}
	return l.w.Write(p)
}
