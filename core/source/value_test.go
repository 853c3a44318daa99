package source_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/core/source"
)

func TestValue(t *testing.T) {
	forms := source.Forms{
		Bool: func(text string) (bool, error) {
			if text != "TRUE" && text != "FALSE" {
				return false, errors.New("the value is neither TRUE nor FALSE")
			}
			return text == "TRUE", nil
		},
		Date: func(text string) (string, error) {
			switch text {
			case "0":
				return "", nil
			case "130000000000000000":
				return "2012-12-14", nil
			}
			return "", errors.New("the value is no FILETIME")
		},
	}
	for _, tc := range []struct {
		name  string
		typ   source.Type
		texts []string
		want  any
		err   string
	}{
		{name: "nothing is no value", typ: source.List},
		{name: "a text is the first one", typ: source.Text, texts: []string{"b", "a"}, want: "b"},
		{name: "a list is sorted, and has each once", typ: source.List, texts: []string{"b", "a", "b"}, want: []string{"a", "b"}},
		{name: "an integer", typ: source.Integer, texts: []string{"-7"}, want: int64(-7)},
		{name: "no integer", typ: source.Integer, texts: []string{"7.5"}, err: "the value is no whole number"},
		{name: "a number", typ: source.Number, texts: []string{"7.5"}, want: 7.5},
		{name: "no number", typ: source.Number, texts: []string{"seven"}, err: "the value is no number"},
		{name: "false is a value", typ: source.Bool, texts: []string{"FALSE"}, want: false},
		{name: "no bool", typ: source.Bool, texts: []string{"no"}, err: "the value is neither TRUE nor FALSE"},
		{name: "a day", typ: source.Date, texts: []string{"130000000000000000"}, want: "2012-12-14"},
		{name: "a day that never comes is no value", typ: source.Date, texts: []string{"0"}},
		{name: "a name as the source has it", typ: source.Reference, texts: []string{"4711"}, want: "4711"},
		{name: "no day", typ: source.Date, texts: []string{"soon"}, err: "the value is no FILETIME"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := forms.Value(tc.typ, tc.texts)
			if text := errText(err); text != tc.err {
				t.Errorf("error %q, want %q", text, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
