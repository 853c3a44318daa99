package connector_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
)

func TestValuesKeepTheirTypeThroughJSON(t *testing.T) {
	at := time.Date(2026, 3, 31, 1, 2, 3, 456789000, time.UTC)
	for _, tt := range []struct {
		name string
		in   connector.Values
		json string
	}{
		{"text", connector.Values{"a", "", `"<é`}, `["a","","\"\u003cé"]`},
		{"a number and a date that look like text", connector.Values{"1", "2026-03-31", "true"}, `["1","2026-03-31","true"]`},
		{"integers", connector.Values{int64(0), int64(math.MaxInt64), int64(math.MinInt64)}, `[0,9223372036854775807,-9223372036854775808]`},
		{"numbers", connector.Values{1.0, -0.5, math.MaxFloat64}, `[{"double":1},{"double":-0.5},{"double":1.7976931348623157e+308}]`},
		{"booleans", connector.Values{true, false}, `[true,false]`},
		{"a time", connector.Values{at}, `[{"timestamp":"2026-03-31T01:02:03.456789Z"}]`},
		{"dates", connector.Values{connector.Date("2026-03-31"), connector.Date("")}, `[{"date":"2026-03-31"},{"date":""}]`},
		{"bytes", connector.Values{[]byte{0, 255}, []byte{}}, `[{"bytes":"AP8="},{"bytes":""}]`},
		{"references", connector.Values{connector.Ref{Type: "user", ID: "7"}, connector.Ref{By: connector.Correlation{Attribute: "mail", Value: "x"}}, connector.Ref{}},
			`[{"ref":{"type":"user","id":"7"}},{"ref":{"by":{"attribute":"mail","value":"x"}}},{"ref":{}}]`},
		{"objects", connector.Values{map[string]any{"a": []any{1.5, nil, "x"}}, map[string]any{}}, `[{"object":{"a":[1.5,null,"x"]}},{"object":{}}]`},
		{"an object that looks tagged", connector.Values{map[string]any{"date": "x"}}, `[{"object":{"date":"x"}}]`},
		{"none", connector.Values{}, `[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := json.Marshal(tt.in)
			if err != nil || string(b) != tt.json {
				t.Fatalf("got %s, %v; want %s", b, err, tt.json)
			}
			var out connector.Values
			if err := json.Unmarshal(b, &out); err != nil || !reflect.DeepEqual(tt.in, out) {
				t.Errorf("came back as %#v, %v", out, err)
			}
		})
	}
}

func TestValuesThatAreNilComeBackEmpty(t *testing.T) {
	b, err := json.Marshal(connector.Values{[]byte(nil), map[string]any(nil), 7})
	if err != nil {
		t.Fatal(err)
	}
	var out connector.Values
	if err := json.Unmarshal(b, &out); err != nil || !reflect.DeepEqual(out, connector.Values{[]byte{}, map[string]any{}, int64(7)}) {
		t.Errorf("got %#v, %v", out, err)
	}
}

func TestWhatIsNoValueIsNotStored(t *testing.T) {
	for name, v := range map[string]connector.Value{
		"a secret": connector.NewSecret("hunter2"), "not a number": math.NaN(), "infinity": math.Inf(1), "nil": nil, "a byte": byte(1),
		"text in Latin-1": "Jos\xe9", "a date that is no text": connector.Date("\xff"), "a time of the year 12000": time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if b, err := json.Marshal(connector.Values{v}); err == nil {
			t.Errorf("%s was stored as %s", name, b)
		}
	}
	for _, s := range []string{`[null]`, `[1.5]`, `[{}]`, `[{"date":null}]`, `[[]]`, `{}`, `"x"`, `[99999999999999999999]`, `[{"timestamp":"yesterday"}]`} {
		var out connector.Values
		if err := json.Unmarshal([]byte(s), &out); err == nil {
			t.Errorf("%s was read as %#v", s, out)
		}
	}
}

func TestStoredValuesCompareEqual(t *testing.T) {
	value := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return append([]byte{}, b...) }),
		rapid.Map(rapid.Int64Range(-62135596800, 253402300799), func(n int64) any { return time.Unix(n, n&0x3fffffff%1e9).UTC() }),
		rapid.Map(rapid.String(), func(s string) any { return connector.Date(s) }),
		rapid.Map(rapid.String(), func(s string) any { return connector.Ref{Type: s, ID: s, Version: s} }),
		rapid.Map(rapid.String(), func(s string) any { return map[string]any{s: s, "n": 1.5, "l": []any{nil, true}} }),
	)
	rapid.Check(t, func(t *rapid.T) {
		in := connector.Attribute{Name: rapid.String().Draw(t, "name"), Values: rapid.SliceOfN(value, 1, 5).Draw(t, "values"), Incomplete: rapid.Bool().Draw(t, "incomplete")}
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var out connector.Attribute
		if err := json.Unmarshal(b, &out); err != nil || !reflect.DeepEqual(in, out) {
			t.Fatalf("%s came back as %#v, %v; sent %#v", b, out, err, in)
		}
	})
}

// FuzzValues reads arbitrary text: no panic, and what was read is stored and
// read again unchanged.
func FuzzValues(f *testing.F) {
	for _, s := range []string{`["a",1,true,{"date":"2026-03-31"},{"bytes":"AA=="}]`, `[{"object":{"a":1}},{"ref":{"id":"7"}}]`, `[{"double":1e300}]`, `[{"timestamp":"2026-03-31T00:00:00+02:00"}]`, `[null]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var one, two connector.Values
		if json.Unmarshal(b, &one) != nil {
			return
		}
		stored, err := json.Marshal(one)
		if err != nil {
			t.Fatalf("read but not stored: %v", err)
		}
		if err := json.Unmarshal(stored, &two); err != nil || !reflect.DeepEqual(one, two) {
			t.Errorf("%s: %#v became %#v, %v", stored, one, two, err)
		}
	})
}

func TestTextIsForPeople(t *testing.T) {
	for want, v := range map[string]connector.Value{
		"": nil, "x": "x", "2026-03-31": connector.Date("2026-03-31"), "7": int64(7), "1.5": 1.5, "true": true, "***": connector.NewSecret("hunter2"),
		"2026-03-30T23:00:00Z": time.Date(2026, 3, 31, 1, 0, 0, 0, time.FixedZone("", 7200)), "Ann": connector.Ref{ID: "7", Name: "Ann"}, `"AA=="`: []byte{0}, `{"a":1}`: map[string]any{"a": 1},
	} {
		if got := connector.Text(v); got != want {
			t.Errorf("%#v: got %q; want %q", v, got, want)
		}
	}
	as := connector.Attributes{{Name: "mail", Values: connector.Values{"a", "b"}}, {Name: "none"}}
	if as.Text("mail") != "a" || as.Text("none") != "" || as.Text("other") != "" || as.Get("other") != nil {
		t.Errorf("got %q, %q, %q", as.Text("mail"), as.Text("none"), as.Text("other"))
	}
}

// Plain text takes a short way; it must be that of the library.
func TestTextStandsInJSONAsTheLibraryWritesIt(t *testing.T) {
	for r := rune(0); r < 0x180; r++ {
		for _, s := range []string{string(r), "a" + string(r), string(r) + `"]`} {
			want, err := json.Marshal([]string{s})
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(connector.Values{s})
			if err != nil || string(got) != string(want) {
				t.Errorf("%q: got %s, %v; want %s", s, got, err, want)
			}
			var out connector.Values
			if err := json.Unmarshal(got, &out); err != nil || !reflect.DeepEqual(out, connector.Values{s}) {
				t.Errorf("%q came back as %#v, %v", s, out, err)
			}
		}
	}
}
