package connector_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

type options struct {
	URL     string             `json:"url"`
	Wait    connector.Duration `json:"wait,omitempty" default:"30s"`
	Retries int                `json:"retries,omitempty" default:"3"`
	TLS     bool               `json:"tls,omitempty" default:"true"`
	Tables  []table            `json:"tables,omitempty"`
	Section table              `json:"section,omitzero"`
	ByName  map[string]table   `json:"by_name,omitempty"`
	Big     int64              `json:"big,omitempty"`
}

type table struct {
	Name string `json:"name,omitempty"`
	Mode string `json:"mode,omitempty" default:"upsert"`
}

// opened runs a config through a definition.
func opened(t *testing.T, config string) (got options, err error) {
	t.Helper()
	d := connector.Define(connector.Spec[options]{Type: "x", Open: func(_ context.Context, o options, _ connector.Instance) (connector.Target, error) {
		got = o
		return creates{}, nil
	}})
	if d.MaxInFlight != 16 {
		t.Errorf("in flight: %d", d.MaxInFlight)
	}
	_, err = d.Open(t.Context(), json.RawMessage(config), connector.Instance{})
	return got, err
}

func TestDefaultsStandWhereTheConfigIsSilent(t *testing.T) {
	got, err := opened(t, `{"url":"u","retries":0,"tables":[{"name":"a"},{"mode":"insert"}],"by_name":{"x":{}},"big":9007199254740993}`)
	if err != nil {
		t.Fatal(err)
	}
	if time.Duration(got.Wait) != 30*time.Second || !got.TLS || got.Tables[0].Mode != "upsert" || got.Tables[1].Mode != "insert" || got.ByName["x"].Mode != "upsert" {
		t.Errorf("got %+v", got)
	}
	if got.Retries != 0 {
		t.Error("what the config says was overridden")
	}
	if got.Section != (table{}) {
		t.Error("a section that is left out came into being")
	}
	if got.Big != 9007199254740993 {
		t.Errorf("a number lost its last digit: %d", got.Big)
	}
}

func TestAConfigThatDoesNotFitIsRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{"url":"u","retry":1}`:  `unknown field "retry"`,
		`{"url":7}`:              "options.url of type string",
		`{"url":"u","wait":"x"}`: `"x" is not a duration such as 30s or 5m`,
		`{"url":`:                "unexpected EOF",
		`[]`:                     "cannot unmarshal array",
	} {
		_, err := opened(t, config)
		if !connector.IsCode(err, connector.CodeConfiguration) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v; want %q", config, err, want)
		}
	}
	if _, err := opened(t, ``); err != nil {
		t.Errorf("no config at all: %v", err)
	}
}

func TestValidateFindsWhatTheSchemaCannot(t *testing.T) {
	d := connector.Define(connector.Spec[options]{Type: "x", Validate: func(o options) []connector.Finding {
		return []connector.Finding{{Path: "/url", Summary: "seen " + o.URL}}
	}})
	if fs := d.Validate([]byte(`{"url":"u"}`)); len(fs) != 1 || fs[0].Summary != "seen u" {
		t.Errorf("got %+v", fs)
	}
	if fs := d.Validate([]byte(`{"x":1}`)); len(fs) != 1 || !strings.Contains(fs[0].Summary, `unknown field "x"`) {
		t.Errorf("got %+v", fs)
	}
}

func TestAConfigThatIsNotValidIsNotOpened(t *testing.T) {
	opened := 0
	d := connector.Define(connector.Spec[options]{Type: "x",
		Validate: func(o options) []connector.Finding {
			fs := []connector.Finding{{Path: "/tls", Summary: "is off", Warning: true}}
			if o.URL == "bad" {
				fs = append(fs, connector.Finding{Path: "/url", Summary: "is no address"}, connector.Finding{Path: "/wait", Summary: "is too short"})
			}
			return fs
		},
		Open: func(context.Context, options, connector.Instance) (connector.Target, error) {
			opened++
			return creates{}, nil
		}})
	_, err := d.Open(t.Context(), []byte(`{"url":"bad"}`), connector.Instance{})
	if !connector.IsCode(err, connector.CodeConfiguration) || !strings.Contains(err.Error(), "/url: is no address; /wait: is too short") || opened != 0 {
		t.Errorf("got %v, opened %d times", err, opened)
	}
	if _, err := d.Open(t.Context(), []byte(`{"url":"good"}`), connector.Instance{}); err != nil || opened != 1 {
		t.Errorf("a warning: %v, opened %d times", err, opened)
	}
}

func TestAConfigThatNoSchemaCanDescribeIsABug(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was accepted")
		}
	}()
	connector.SchemaFor[struct{ C chan int }]()
}

func TestDurationsAreWrittenAsText(t *testing.T) {
	b, err := json.Marshal(connector.Duration(90 * time.Second))
	if string(b) != `"1m30s"` || err != nil {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestRefsAndSchemasAreFoundByName(t *testing.T) {
	s := connector.Schema{{Name: "user", Attributes: []connector.Attr{{Name: "mail", Unique: true}}}}
	typ, ok := s.Type("user")
	if a, found := typ.Attr("mail"); !ok || !found || !a.Unique {
		t.Errorf("got %+v", typ)
	}
	if _, ok := s.Type("User"); ok {
		t.Error("names fold case")
	}
	for want, ref := range map[string]connector.Ref{"Ann": {Name: "Ann", ID: "7"}, "7": {ID: "7"}, "x": {By: connector.Correlation{Attribute: "a", Value: "x"}}, "?": {}} {
		if ref.String() != want {
			t.Errorf("got %q; want %q", ref, want)
		}
	}
	if connector.EnabledIf(true) != connector.IsEnabled || connector.EnabledIf(false) != connector.IsDisabled {
		t.Error("EnabledIf is wrong")
	}
}
