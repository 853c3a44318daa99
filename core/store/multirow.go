package store

import (
	"math/bits"
	"slices"
	"strings"
)

// eachChunk cuts n rows of the given width into chunks for one statement each.
// Their sizes are powers of two, so that few different statements come up and
// each stays prepared.
func (d dialect) eachChunk(n, width int, fn func(from, to int) error) error {
	most := 1 << (bits.Len(uint(max(d.argsMax/width, 1))) - 1)
	for from := 0; from < n; {
		size := min(most, 1<<(bits.Len(uint(n-from))-1))
		if err := fn(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

// tuples returns n times "(?,?,?)" with the given width, separated by commas.
func tuples(n, width int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(one+",", n), ",")
}

// values returns "VALUES (…),(…)" with n rows of arguments of the given types;
// PostgreSQL takes the types from the first row.
func values(n int, types ...string) string {
	first := "VALUES (CAST(? AS " + strings.Join(types, "), CAST(? AS ") + "))"
	if n == 1 {
		return first
	}
	return first + ", " + tuples(n-1, len(types))
}

// insert writes rows of equal width with head + VALUES + tail.
func (t *tx) insert(head string, rows [][]any, tail string) error {
	_, err := t.insertCount(head, rows, tail)
	return err
}

// insertCount is insert, and counts the rows that were written.
func (t *tx) insertCount(head string, rows [][]any, tail string) (written int64, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	width := len(rows[0])
	err = t.s.dialect.eachChunk(len(rows), width, func(from, to int) error {
		args := make([]any, 0, (to-from)*width)
		for _, r := range rows[from:to] {
			args = append(args, r...)
		}
		n, err := t.exec(head+" VALUES "+tuples(to-from, width)+" "+tail, args...)
		written += n
		return err
	})
	return written, err
}

// list returns "?,?,?" and the arguments for an IN, padded to a power of two by
// repeating the last value.
func list[T ~string](vs []T) (marks string, args []any) {
	size := 1
	for size < len(vs) {
		size *= 2
	}
	args = make([]any, 0, size)
	for i := range size {
		args = append(args, string(vs[min(i, len(vs)-1)]))
	}
	return strings.TrimSuffix(strings.Repeat("?,", size), ","), args
}

// inChunks calls fn with the marks and arguments of an IN for some of vs at a
// time; not at all for none.
func (d dialect) inChunks(vs []string, fn func(marks string, args []any) error) error {
	for chunk := range slices.Chunk(vs, 1<<(bits.Len(uint(d.argsMax))-1)) {
		marks, args := list(chunk)
		if err := fn(marks, args); err != nil {
			return err
		}
	}
	return nil
}

// update changes many rows of table at once. The first column of columns is the
// key, the others are set; types are those of the values; set is added to what is
// set, and where ties the row to the values, which are called v.
func (t *tx) update(table, columns string, types []string, rows [][]any, set, where string, whereArgs ...any) error {
	names := strings.Split(strings.ReplaceAll(strings.ReplaceAll(columns, "\n", ""), " ", ""), ",")
	sets := make([]string, 0, len(names))
	for _, n := range names[1:] {
		sets = append(sets, n+" = v."+n)
	}
	return t.s.dialect.eachChunk(len(rows), len(types), func(from, to int) error {
		var args []any
		for _, r := range rows[from:to] {
			args = append(args, r...)
		}
		_, err := t.exec(`WITH v(`+columns+`) AS (`+values(to-from, types...)+`) UPDATE `+table+` SET `+strings.Join(sets, ", ")+set+
			` FROM v WHERE `+where, append(args, whereArgs...)...)
		return err
	})
}
