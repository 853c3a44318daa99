package connector

import (
	"encoding/json"
	"fmt"
	"time"
)

// Value is one value of an attribute: a string, int64, float64, bool,
// [time.Time], [Date], []byte, [Ref], [Secret] or map[string]any (a JSON
// object, whose numbers are float64). nil is not a value; an attribute without a
// value has no Values.
type Value = any

// Date is a calendar date without time and zone in the form of RFC 3339
// full-date, "2026-03-31". As plain text it sorts by date.
type Date string

// Values are the values of one attribute. nil and empty mean "no value"; there
// is no null. Its JSON form keeps every Go type, so that what was stored
// compares equal to what was planned: strings, booleans and integers are bare,
// the rest is tagged, as {"date":"2026-03-31"}.
type Values []Value

// Attribute is a named list of values.
type Attribute struct {
	Name   string `json:"name"`
	Values Values `json:"values,omitempty"`
	// Incomplete is set when the target cut the list short (reads only).
	Incomplete bool `json:"incomplete,omitempty"`
}

// Attributes is an ordered list of attributes; each name appears once. Names
// compare exactly; a connector folds case where its target does.
type Attributes []Attribute

// Get returns the values of the attribute called name, nil when it has none.
func (as Attributes) Get(name string) Values {
	for i := range as {
		if as[i].Name == name {
			return as[i].Values
		}
	}
	return nil
}

// Text returns the first value of the attribute called name as text, "" when
// there is none.
func (as Attributes) Text(name string) string {
	if vs := as.Get(name); len(vs) > 0 {
		return Text(vs[0])
	}
	return ""
}

// Text renders one value for people and for text-only targets: times in
// RFC 3339, bytes in base64 by way of JSON, a [Secret] as "***".
func Text(v Value) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case Date:
		return string(x)
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case Ref:
		return x.String()
	case bool, int64, float64, Secret:
		return fmt.Sprint(x)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
