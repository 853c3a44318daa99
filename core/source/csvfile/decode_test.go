package csvfile

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/source"
)

func TestDecodeReadsARecordAsARowOfTheFile(t *testing.T) {
	r, err := New(Config{Path: "hr.csv", Delimiter: ";", Comment: "#", Encoding: "utf-16le", Anchor: "id", Trailer: &Trailer{Prefix: "END", Field: 2}, Columns: []Column{
		{Name: "id", From: []string{"EmployeeID"}, Required: true}, {Name: "name", Required: true},
		{Name: "end", Type: "date", Format: []string{"DD.MM.YYYY"}, Optional: true},
	}})
	require.NoError(t, err)
	var hash string
	decode := func(raw map[string]any) (got map[string]any, err error) {
		err = r.Decode(t.Context(), raw, func(rec *source.Record) error {
			hash = hex.EncodeToString(rec.Hash[:])
			if rec.Fault != nil {
				return errors.New(rec.Fault.Reason)
			}
			got = rec.Attributes()
			require.Equal(t, "#17", rec.Anchor)
			return nil
		})
		return got, err
	}
	got, err := decode(map[string]any{"employeeid": "#17", "name": "Ann; \"A\"\n", "end": "31.12.2026", "other": 5.0})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"id": "#17", "name": `Ann; "A"`, "end": "2026-12-31"}, got)
	first := hash
	_, err = decode(map[string]any{"EmployeeID": "#17", "name": `Ann; "A"`, "end": "31.12.2026"})
	require.NoError(t, err)
	require.Equal(t, first, hash, "as it would be in the file")

	_, err = decode(map[string]any{"EmployeeID": "#17", "name": "Ann", "end": "2026-12-31"})
	require.ErrorContains(t, err, `"end"`)
	_, err = decode(map[string]any{"EmployeeID": "#17"})
	require.ErrorContains(t, err, `the column "name" is missing`)
	_, err = decode(map[string]any{"EmployeeID": "#17", "name": []any{"a"}})
	require.ErrorContains(t, err, `"name" holds a`)
}
