package plan

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func TestConvert(t *testing.T) {
	noon := time.Date(2026, 3, 31, 12, 0, 0, 0, time.FixedZone("", 7200))
	tests := []struct {
		typ  connector.ValueType
		in   any
		want any // an error's text, as error; nil: no value
	}{
		{connector.TypeString, " a ", "a"},
		{connector.TypeString, " ", nil},
		{connector.TypeString, int64(7), "7"},
		{connector.TypeString, 7, "7"},
		{connector.TypeString, true, "true"},
		{connector.TypeString, connector.Date("2026-03-31"), "2026-03-31"},
		{connector.TypeString, connector.Ref{ID: "u1", Name: "jane"}, "u1"},
		{connector.TypeString, connector.NewSecret("x"), fmt.Errorf("not text")},
		{"", "a", "a"},
		{connector.TypeInteger, "42", int64(42)},
		{connector.TypeInteger, " 42 ", int64(42)},
		{connector.TypeInteger, 42.0, int64(42)},
		{connector.TypeInteger, 42.5, fmt.Errorf("not a whole number")},
		{connector.TypeInteger, 1e30, fmt.Errorf("not a whole number")},
		{connector.TypeInteger, "4,2", fmt.Errorf("not a whole number")},
		{connector.TypeInteger, true, fmt.Errorf("not a whole number")},
		{connector.TypeDouble, "4.5", 4.5},
		{connector.TypeDouble, int64(4), 4.0},
		{connector.TypeDouble, "NaN", fmt.Errorf("not a number")},
		{connector.TypeDouble, math.Inf(1), fmt.Errorf("not a number")},
		{connector.TypeBool, "Yes", true},
		{connector.TypeBool, "0", false},
		{connector.TypeBool, int64(1), true},
		{connector.TypeBool, int64(2), fmt.Errorf("neither true nor false")},
		{connector.TypeBool, "maybe", fmt.Errorf("neither true nor false")},
		{connector.TypeTimestamp, noon, noon.UTC()},
		{connector.TypeTimestamp, "2026-03-31T12:00:00+02:00", noon.UTC()},
		{connector.TypeTimestamp, "2026-03-31", fmt.Errorf("not a time in the form of RFC 3339, 2026-03-31T08:00:00Z")},
		{connector.TypeDate, "2026-03-31", connector.Date("2026-03-31")},
		{connector.TypeDate, connector.Date("2026-02-30"), fmt.Errorf("not a date in the form 2026-03-31")},
		{connector.TypeDate, int64(20260331), fmt.Errorf("not a date in the form 2026-03-31")},
		{connector.TypeBytes, []byte{1}, []byte{1}},
		{connector.TypeBytes, "AQ==", fmt.Errorf("not bytes")},
		{connector.TypeObject, map[string]any{"a": true}, map[string]any{"a": true}},
		{connector.TypeObject, "a", fmt.Errorf("not an object")},
		{connector.TypeReference, "1001", "1001"},
		{connector.TypeReference, connector.Ref{ID: "u1"}, connector.Ref{ID: "u1"}},
		{connector.TypeReference, int64(1), fmt.Errorf("not a reference")},
	}
	for _, tt := range tests {
		got, err := convert(tt.typ, tt.in)
		if want, ok := tt.want.(error); ok {
			require.EqualError(t, err, want.Error(), "%s %v", tt.typ, tt.in)
			continue
		}
		require.NoError(t, err, "%s %v", tt.typ, tt.in)
		require.Equal(t, tt.want, got, "%s %v", tt.typ, tt.in)
	}
}

func TestCanonical(t *testing.T) {
	user := schema[0]
	got, err := Canonical(user, connector.Attributes{
		{Name: "userName", Values: connector.Values{" Jane "}},
		{Name: "phones", Values: connector.Values{"b", "A", " a", ""}},
		{Name: "ranked", Values: connector.Values{"b", "A", "b"}},
		{Name: "title", Values: connector.Values{" "}},
		{Name: "type", Values: connector.Values{"CONTRACTOR"}},
		{Name: "unlisted", Values: connector.Values{"as it is"}},
	})
	require.NoError(t, err)
	require.Equal(t, connector.Attributes{
		{Name: "phones", Values: connector.Values{"A", "b"}},
		{Name: "ranked", Values: connector.Values{"b", "A", "b"}},
		{Name: "type", Values: connector.Values{"Contractor"}},
		{Name: "unlisted", Values: connector.Values{"as it is"}},
		{Name: "userName", Values: connector.Values{"Jane"}},
	}, got)
	again, err := Canonical(user, got)
	require.NoError(t, err)
	require.Equal(t, got, again)

	for name, values := range map[string]connector.Values{
		`attribute "title": longer than the 12 characters the target takes`:              {"ÄÖÜ a very long title"},
		`attribute "type": not one of the values the target takes: Employee, Contractor`: {"Visitor"},
		`attribute "mail": holds one value, and the rule gives several`:                  {"first@x.test", "second@x.test"},
		`attribute "level": not a whole number`:                                          {"secret value"},
	} {
		attribute := ""
		_, err := fmt.Sscanf(name, "attribute %q:", &attribute)
		require.NoError(t, err)
		_, err = Canonical(user, connector.Attributes{{Name: attribute, Values: values}})
		require.EqualError(t, err, name)
		require.NotContains(t, err.Error(), values[0], "an error holds no values")
	}
	twelve := connector.Values{"ÄÖÜäöüÄÖÜäöü"}
	_, err = Canonical(user, connector.Attributes{{Name: "title", Values: twelve}})
	require.NoError(t, err, "a length is counted in characters, not bytes")
}

func TestSame(t *testing.T) {
	multi, exact := connector.Attr{Multi: true}, connector.Attr{CaseExact: true}
	day := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	require.True(t, Same(multi, connector.Values{"a", "B"}, connector.Values{"b", "A", "a"}))
	require.False(t, Same(multi, connector.Values{"a"}, connector.Values{"a", "b"}))
	require.False(t, Same(exact, connector.Values{"a"}, connector.Values{"A"}))
	require.True(t, Same(connector.Attr{Type: connector.TypeTimestamp}, connector.Values{day}, connector.Values{day.In(time.FixedZone("", 3600))}))
	require.True(t, Same(connector.Attr{Type: connector.TypeBytes}, connector.Values{[]byte{1}}, connector.Values{[]byte{1}}))
	require.True(t, Same(connector.Attr{Type: connector.TypeReference}, connector.Values{connector.Ref{ID: "u1", Name: "Jane"}}, connector.Values{connector.Ref{ID: "u1", Version: "2"}}))
	require.True(t, Same(connector.Attr{Type: connector.TypeObject}, connector.Values{map[string]any{"a": "b"}}, connector.Values{map[string]any{"a": "b"}}))
	require.False(t, Same(connector.Attr{Type: connector.TypeInteger}, connector.Values{"x"}, connector.Values{"x"}), "what does not fit is the same as nothing")
}

// Canonical must not fail, nor change its mind, whatever text comes in.
func FuzzCanonicalText(f *testing.F) {
	f.Add("Jane", "jane ")
	f.Add("\u00e9", "e\u0301")
	f.Add("\xff", "\x00")
	user := schema[0]
	f.Fuzz(func(t *testing.T, a, b string) {
		first, err := Canonical(user, connector.Attributes{{Name: "phones", Values: connector.Values{a, b}}})
		if err != nil {
			t.Fatal(err)
		}
		second, err := Canonical(user, connector.Attributes{{Name: "phones", Values: connector.Values{b, a}}})
		if err != nil {
			t.Fatal(err)
		}
		at, _ := user.Attr("phones")
		if !Same(at, first.Get("phones"), second.Get("phones")) {
			t.Fatalf("%v and %v", first, second)
		}
	})
}
