package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// micros stores a time; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros reads a time that micros stored.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// flag stores a bool.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// encode gives the JSON of v as it is stored; "" for nil.
func encode(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // so that FindIdentities finds "R&D"
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("encode for the database: %w", err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// decode reads what encode wrote; "" leaves v alone.
func decode(text string, v any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("a stored %T cannot be read: %w", v, err)
	}
	return nil
}
