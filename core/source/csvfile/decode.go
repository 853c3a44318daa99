package csvfile

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"

	"github.com/provhub/provhub/core/source"
)

// Decode implements [source.Decoder]: raw holds cells by the names of the header.
// They are read as a row of the file would be, formats and required columns
// included.
func (r *Reader) Decode(ctx context.Context, raw map[string]any, yield func(*source.Record) error) error {
	header := slices.Sorted(maps.Keys(raw))
	cells := make([]string, len(header))
	for i, name := range header {
		switch v := raw[name].(type) {
		case nil:
		case string:
			cells[i] = v
		case bool, float64, int, int64:
			cells[i] = fmt.Sprint(v)
		default:
			return fmt.Errorf("%q holds a %T; a cell is text, a number or true and false", name, v)
		}
	}
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	w.Comma = r.comma
	_ = w.WriteAll([][]string{header, cells}) // memory does not fail
	row := *r
	row.name, row.comment = "record", 0
	row.c.Encoding, row.c.Trailer = "utf-8", nil
	_, err := row.read(ctx, &file, yield)
	return err
}
