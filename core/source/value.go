package source

import (
	"errors"
	"slices"
	"strconv"
)

// Forms reads texts in the forms of one protocol.
type Forms struct {
	Bool func(text string) (bool, error)
	// Date returns the day, as 2026-03-31; "" for one that never comes.
	Date func(text string) (string, error)
	// Reference returns the name that the text means, as [Record.Name] has it; nil: as
	// it is.
	Reference func(text string) (string, error)
}

// Value turns the texts of an attribute into its value: the first one, or all of a
// list, sorted and each once. It is nil when there is none. texts is sorted in
// place; errors do not repeat them.
func (f Forms) Value(t Type, texts []string) (any, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	switch first := texts[0]; t {
	case List:
		slices.Sort(texts)
		return slices.Compact(texts), nil
	case Integer:
		n, err := strconv.ParseInt(first, 10, 64)
		return orNil(n, err, "the value is no whole number")
	case Number:
		n, err := strconv.ParseFloat(first, 64)
		return orNil(n, err, "the value is no number")
	case Bool:
		b, err := f.Bool(first)
		if err != nil {
			return nil, err
		}
		return b, nil
	case Date:
		day, err := f.Date(first)
		if err != nil || day == "" {
			return nil, err
		}
		return day, nil
	case Reference:
		if f.Reference == nil {
			return first, nil
		}
		name, err := f.Reference(first)
		if err != nil {
			return nil, err
		}
		return name, nil
	default:
		return first, nil
	}
}

// orNil is v, or an error in words without the value.
func orNil(v any, err error, fault string) (any, error) {
	if err != nil {
		return nil, errors.New(fault)
	}
	return v, nil
}
