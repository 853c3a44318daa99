package source_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

func TestChecked(t *testing.T) {
	got, err := source.Attributes{{Name: "mail"}, {Name: "start", From: "hireDate", Type: source.Date}}.Checked("people", source.Text, source.Date)
	if err != nil {
		t.Fatal(err)
	}
	want := source.Attributes{{Name: "mail", From: "mail", Type: source.Text}, {Name: "start", From: "hireDate", Type: source.Date}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	_, err = source.Attributes{{Name: "a"}, {Name: "a"}, {Name: "b", Type: "dat"}, {Name: "c", Type: source.Number}}.Checked("people", source.Text, source.Date)
	faults := []string{
		`people: attribute "a" is there twice`,
		`people: attribute b: type "dat" is not known (did you mean "date"?); known are text, date`,
		`people: attribute c: type "number" is not known; known are text, date`,
	}
	if diff := cmp.Diff(faults, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestFieldsAreSortedByName(t *testing.T) {
	got := source.Attributes{{Name: "start", Type: source.Date}, {Name: "mail"}}.Fields()
	if diff := cmp.Diff([]source.Field{{Name: "mail", Type: source.Text}, {Name: "start", Type: source.Date}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFill(t *testing.T) {
	as := source.Attributes{{Name: "login", From: "uid", Required: true}, {Name: "phone", From: "phone"}}
	for _, tc := range []struct {
		name   string
		values []any
		err    error
		want   identity.Attributes
		fault  *source.Fault
	}{
		{name: "what is there is taken", values: []any{"jane", nil}, want: identity.Attributes{"login": "jane"}},
		{name: "what is required and missing is a fault", values: []any{nil, "1"},
			fault: &source.Fault{Position: "x/1", Anchor: "1", Field: "uid", Reason: "it has no uid, which is required"}},
		{name: "what cannot be read is a fault", values: []any{"jane", nil}, err: errors.New("the value is not text"),
			fault: &source.Fault{Position: "x/1", Anchor: "1", Field: "phone", Reason: "phone: the value is not text"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := source.Record{Anchor: "1", Position: func() string { return "x/1" }}
			got, ok := as.Fill(&rec, func(i int) (any, error) {
				if i == 1 {
					return tc.values[i], tc.err
				}
				return tc.values[i], nil
			})
			if ok != (tc.fault == nil) {
				t.Errorf("ok is %v", ok)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.fault, rec.Fault); diff != "" {
				t.Error(diff)
			}
		})
	}
}
