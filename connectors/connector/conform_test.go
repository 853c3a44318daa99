package connector_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

var person = connector.ObjectType{Name: "user", Attributes: []connector.Attr{
	{Name: "login", Required: true, MaxLength: 8},
	{Name: "id", ReadOnly: true},
	{Name: "origin", CreateOnly: true},
	{Name: "kind", Canonical: []string{"staff", "guest"}},
	{Name: "phone", Multi: true},
	{Name: "born", Type: connector.TypeDate},
	{Name: "pin", Secret: true},
}}

func TestCreatesAndUpdatesAreHeldAgainstTheSchema(t *testing.T) {
	create := func(more ...connector.Attribute) error {
		return person.CheckCreate(connector.Create{Attributes: append(connector.Attributes{{Name: "login", Values: connector.Values{"ann"}}}, more...)})
	}
	with := func(name string, vs ...connector.Value) connector.Attribute {
		return connector.Attribute{Name: name, Values: vs}
	}
	update := func(cs ...connector.Change) error { return person.CheckUpdate(connector.Update{Changes: cs}) }
	for _, tt := range []struct {
		name string
		err  error
		at   string // the attribute at fault; "": none
	}{
		{"a good create", create(with("phone", "1", "2"), with("born", connector.Date("2000-02-29")), with("kind", "STAFF"), with("pin", connector.NewSecret("1234")), with("origin", "hr")), ""},
		{"without what is required", person.CheckCreate(connector.Create{}), "login"},
		{"an unknown attribute", create(with("shoe", "43")), "shoe"},
		{"one that the target sets", create(with("id", "7")), "id"},
		{"two values", create(with("kind", "staff", "guest")), "kind"},
		{"a value outside the list", create(with("kind", "boss")), "kind"},
		{"a wrong type", create(with("born", "2000-01-01")), "born"},
		{"a day that does not exist", create(with("born", connector.Date("2001-02-29"))), "born"},
		{"too long", create(with("login", "ännchen-x")), "login"},
		{"a secret where none goes", create(with("phone", connector.NewSecret("x"))), "phone"},
		{"a good update", update(connector.Change{Name: "login", Replace: connector.Values{"bob"}}, connector.Change{Name: "kind"}), ""},
		{"a swap of the only value", update(connector.Change{Name: "login", Delta: true, Add: connector.Values{"bob"}, Remove: connector.Values{"ann"}}), ""},
		{"clearing what is required", update(connector.Change{Name: "login"}), "login"},
		{"changing what stays", update(connector.Change{Name: "origin", Replace: connector.Values{"x"}}), "origin"},
		{"adding a wrong type", update(connector.Change{Name: "phone", Delta: true, Add: connector.Values{int64(1)}}), "phone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.at == "" {
				if tt.err != nil {
					t.Errorf("got %v", tt.err)
				}
				return
			}
			if !connector.IsCode(tt.err, connector.CodeInvalidValue) || !slices.Equal(connector.AsError(tt.err).Attributes, []string{tt.at}) || !strings.Contains(tt.err.Error(), tt.at) {
				t.Errorf("got %v; want one that names %s", tt.err, tt.at)
			}
		})
	}
}

func TestEveryTypeTakesItsOwnValuesOnly(t *testing.T) {
	values := map[connector.ValueType]connector.Value{
		connector.TypeString: "x", connector.TypeInteger: int64(1), connector.TypeDouble: 1.5, connector.TypeBool: true, connector.TypeTimestamp: time.Now(),
		connector.TypeDate: connector.Date("2026-01-01"), connector.TypeBytes: []byte{1}, connector.TypeReference: connector.Ref{ID: "7"}, connector.TypeObject: map[string]any{},
	}
	for typ := range values {
		for of, v := range values {
			err := connector.Attr{Name: "a", Type: typ}.CheckValues(connector.Values{v})
			if (err == nil) != (typ == of) {
				t.Errorf("%s and a %s: %v", typ, of, err)
			}
		}
	}
	if (connector.Attr{}).CheckValues(connector.Values{struct{}{}}) == nil {
		t.Error("something that is no value was taken")
	}
}

func TestAChangeIsMadeOnWhatIsThere(t *testing.T) {
	a, exact := connector.Attr{Name: "phone", Multi: true}, connector.Attr{Name: "phone", Multi: true, CaseExact: true}
	have := connector.Values{"a", "B"}
	for _, tt := range []struct {
		name string
		attr connector.Attr
		c    connector.Change
		want connector.Values
	}{
		{"replace", a, connector.Change{Replace: connector.Values{"z"}}, connector.Values{"z"}},
		{"clear", a, connector.Change{}, nil},
		{"add and remove", a, connector.Change{Delta: true, Add: connector.Values{"c"}, Remove: connector.Values{"A", "x"}}, connector.Values{"B", "c"}},
		{"add what is there", a, connector.Change{Delta: true, Add: connector.Values{"b"}}, connector.Values{"a", "B"}},
		{"add in another case", exact, connector.Change{Delta: true, Add: connector.Values{"b"}}, connector.Values{"a", "B", "b"}},
		{"remove and add the same", a, connector.Change{Delta: true, Add: connector.Values{"A"}, Remove: connector.Values{"a"}}, connector.Values{"B", "A"}},
	} {
		if got := tt.c.On(tt.attr, have); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v; want %v", tt.name, got, tt.want)
		}
	}
	if !reflect.DeepEqual(have, connector.Values{"a", "B"}) {
		t.Errorf("what was there became %v", have)
	}
	refs := connector.Change{Delta: true, Remove: connector.Values{connector.Ref{ID: "7", Name: "x"}}}
	if got := refs.On(a, connector.Values{connector.Ref{ID: "7"}, connector.Ref{ID: "8"}}); len(got) != 1 {
		t.Errorf("references: got %v", got)
	}
}
