package config

import (
	"encoding/json"

	"go.yaml.in/yaml/v3"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/source"
)

// The raw types are the file as written; build turns them into a [Config].

// text is a scalar that remembers its line.
type text struct {
	value string
	line  int
}

// UnmarshalYAML implements [yaml.Unmarshaler].
func (t *text) UnmarshalYAML(n *yaml.Node) error {
	t.line = n.Line
	return n.Decode(&t.value)
}

type rawConfig struct {
	Org        string                       `yaml:"org"`
	State      struct{ URL text }           `yaml:"state"`
	Log        Log                          `yaml:"log"`
	Plugins    rawPlugins                   `yaml:"plugins"`
	Secrets    []rawSecret                  `yaml:"secrets"`
	Tables     map[string]map[string]string `yaml:"tables"`
	Sources    []rawSource                  `yaml:"sources"`
	Connectors []rawConnector               `yaml:"connectors"`
	Serve      rawServe                     `yaml:"serve"`
	Retention  rawRetention                 `yaml:"retention"`
	Web        *rawWeb                      `yaml:"web"`
	Tracing    rawTracing                   `yaml:"tracing"`
	Alerts     *rawAlerts                   `yaml:"alerts"`
}

type rawPlugins struct {
	Dir  string            `yaml:"dir"`
	Lock string            `yaml:"lock"`
	Data string            `yaml:"data"`
	Dev  map[string]string `yaml:"dev"`
}

type rawSecret struct {
	Name text   `yaml:"name"`
	Env  string `yaml:"env"`
	File string `yaml:"file"`
}

type rawSource struct {
	Name      text         `yaml:"name"`
	Type      string       `yaml:"type"`
	Path      string       `yaml:"path"`
	Encoding  string       `yaml:"encoding"`
	Delimiter string       `yaml:"delimiter"`
	Comment   string       `yaml:"comment"`
	Anchor    text         `yaml:"anchor"`
	Columns   []rawColumn  `yaml:"columns"`
	Sentinels []string     `yaml:"sentinels"`
	Zone      text         `yaml:"zone"`
	Trailer   *rawTrailer  `yaml:"trailer"`
	Manifest  string       `yaml:"manifest"`
	MaxBad    float64      `yaml:"max_bad_percent"`
	MaxAge    text         `yaml:"max_age"`
	Reference text         `yaml:"reference"`
	Vanish    rawLimit     `yaml:"vanish"`
	Lifecycle rawLifecycle `yaml:"lifecycle"`
	With      []rawWith    `yaml:"with"`
	Quality   rawQuality   `yaml:"quality"`

	Groups     *rawGrouped     `yaml:"groups"`
	Pickup     *rawPickup      `yaml:"pickup"`
	LDAP       *rawLDAP        `yaml:"ldap"`
	SCIM       *rawSCIM        `yaml:"scim"`
	Secrets    map[string]text `yaml:"secrets"`
	WholeEvery text            `yaml:"whole_every"`
	Poll       text            `yaml:"poll"`
	Schedule   *rawSchedule    `yaml:"schedule"`
}

// source returns the first source of that name; nil when there is none.
func (c *rawConfig) source(name string) *rawSource {
	for i := range c.Sources {
		if c.Sources[i].Name.value == name {
			return &c.Sources[i]
		}
	}
	return nil
}

// references are the attributes of people that name others as the source does.
func (r *rawSource) references() (names []string) {
	var all []rawDirAttribute
	if r.LDAP != nil {
		all = r.LDAP.People.Attributes
	}
	if r.SCIM != nil {
		all = r.SCIM.Users.Attributes
	}
	for _, a := range all {
		if a.Type == string(source.Reference) {
			names = append(names, a.Name.value)
		}
	}
	return names
}

type rawLDAP struct {
	URLs           []string       `yaml:"urls"`
	CAFile         string         `yaml:"tls_ca_file"`
	CertFile       string         `yaml:"tls_cert_file"`
	AllowPlaintext []string       `yaml:"allow_plaintext"`
	AllowInsecure  []string       `yaml:"allow_insecure"`
	BindDN         string         `yaml:"bind_dn"`
	External       bool           `yaml:"sasl_external"`
	Directory      string         `yaml:"directory"`
	Overrides      map[string]any `yaml:"directory_overrides"`
	People         rawKind        `yaml:"people"`
	Groups         *rawKind       `yaml:"groups"`
	Incremental    string         `yaml:"incremental"`
	Overlap        text           `yaml:"overlap"`
	Timeout        text           `yaml:"timeout"`
}

type rawSCIM struct {
	BaseURL         string         `yaml:"base_url"`
	Dialect         string         `yaml:"dialect"`
	Overrides       map[string]any `yaml:"overrides"`
	Auth            rawSignIn      `yaml:"auth"`
	CertificateFile string         `yaml:"certificate_file"`
	CAFile          string         `yaml:"tls_ca_file"`
	AllowInsecure   []string       `yaml:"allow_insecure"`
	PageSize        int            `yaml:"page_size"`
	Users           rawKind        `yaml:"users"`
	Groups          *rawKind       `yaml:"groups"`
	Incremental     string         `yaml:"incremental"`
	Overlap         text           `yaml:"overlap"`
}

type rawSignIn struct {
	Kind         string            `yaml:"kind"`
	TokenURL     string            `yaml:"token_url"`
	ClientID     string            `yaml:"client_id"`
	Scopes       []string          `yaml:"scopes"`
	Parameters   map[string]string `yaml:"parameters"`
	SecretInBody bool              `yaml:"secret_in_body"`
	User         string            `yaml:"user"`
	Header       string            `yaml:"header"`
}

type rawKind struct {
	Base       string            `yaml:"base"`
	Filter     string            `yaml:"filter"`
	Anchor     string            `yaml:"anchor"`
	Attributes []rawDirAttribute `yaml:"attributes"`
	Member     string            `yaml:"member"`
	Nested     bool              `yaml:"nested"`
}

type rawDirAttribute struct {
	Name     text   `yaml:"name"`
	From     string `yaml:"from"`
	Type     string `yaml:"type"`
	Required bool   `yaml:"required"`
}

type rawQuality struct {
	Segments  []text         `yaml:"segments"`
	Lost      rawFinding     `yaml:"lost"`
	Emptied   rawFinding     `yaml:"emptied"`
	Swapped   rawFinding     `yaml:"swapped"`
	Exchanged rawFinding     `yaml:"exchanged"`
	Circles   quality.Action `yaml:"circles"`
	Managers  quality.Action `yaml:"managers"`
	Bad       rawFinding     `yaml:"bad"`
}

type rawFinding struct {
	Percent float64        `yaml:"percent"`
	Min     int            `yaml:"min"`
	Then    quality.Action `yaml:"then"`
}

type rawWith struct {
	Source text     `yaml:"source"`
	Match  []rawKey `yaml:"match"`
	Take   []text   `yaml:"take"`
}

type rawKey struct {
	Ours   text `yaml:"ours"`
	Theirs text `yaml:"theirs"`
}

type rawTrailer struct {
	Prefix string `yaml:"prefix"`
	Field  int    `yaml:"field"`
}

type rawColumn struct {
	Name      text     `yaml:"name"`
	From      []string `yaml:"from"`
	Type      string   `yaml:"type"`
	Format    []string `yaml:"format"`
	Separator string   `yaml:"separator"`
	Required  bool     `yaml:"required"`
	Optional  bool     `yaml:"optional"`
}

type rawLifecycle struct {
	Status      text     `yaml:"status"`
	Active      []string `yaml:"active"`
	Suspended   []string `yaml:"suspended"`
	Leaver      []string `yaml:"leaver"`
	Start       text     `yaml:"start"`
	End         text     `yaml:"end"`
	Zone        text     `yaml:"zone"`
	Contractor  text     `yaml:"contractor"`
	Contractors []string `yaml:"contractors"`
	EndRequired bool     `yaml:"end_required"`
}

type rawLimit struct {
	Max           int     `yaml:"max"`
	Percent       float64 `yaml:"percent"`
	MinPopulation int     `yaml:"min_population"`
}

type rawConnector struct {
	Name          text            `yaml:"name"`
	Plugin        string          `yaml:"plugin"`
	Sources       []text          `yaml:"sources"`
	Config        yaml.Node       `yaml:"config"`
	Secrets       map[string]text `yaml:"secrets"`
	Scope         text            `yaml:"scope"`
	Attributes    []rawAttribute  `yaml:"attributes"`
	Grants        []rawGrant      `yaml:"grants"`
	Match         *rawMatch       `yaml:"match"`
	On            rawReactions    `yaml:"on"`
	Recreate      bool            `yaml:"recreate"`
	PreCreate     bool            `yaml:"pre_create"`
	RevokeOnLeave *bool           `yaml:"revoke_on_leave"`
	DeleteAfter   text            `yaml:"delete_after"`
	Forbid        []plan.Kind     `yaml:"forbid"`
	Protect       []string        `yaml:"protect"`
	Guards        rawGuards       `yaml:"guards"`
	Retry         rawRetry        `yaml:"retry"`
	Quarantine    rawQuarantine   `yaml:"quarantine"`
	InFlight      int             `yaml:"in_flight"`
	Maintenance   []rawWindow     `yaml:"maintenance"`
	Reconcile     rawReconcile    `yaml:"reconcile"`
	Groups        *rawGroupRules  `yaml:"groups"`
}

type rawGroupRules struct {
	Scope      text           `yaml:"scope"`
	Attributes []rawAttribute `yaml:"attributes"`
	Match      *rawMatch      `yaml:"match"`
	Gone       plan.Reaction  `yaml:"gone"`
	OutOfScope plan.Reaction  `yaml:"out_of_scope"`
	Recreate   bool           `yaml:"recreate"`
	Forbid     []plan.Kind    `yaml:"forbid"`
	Protect    []string       `yaml:"protect"`
}

type rawAttribute struct {
	To      text     `yaml:"to"`
	From    text     `yaml:"from"`
	Apply   string   `yaml:"apply"`
	Reserve []string `yaml:"reserve"`
}

type rawGrant struct {
	Entitlement text `yaml:"entitlement"`
	From        text `yaml:"from"`
	When        text `yaml:"when"`
}

type rawMatch struct {
	By   []string `yaml:"by"`
	Then string   `yaml:"then"`
}

type rawReactions struct {
	Leave      plan.Reaction `yaml:"leave"`
	Suspend    plan.Reaction `yaml:"suspend"`
	OutOfScope plan.Reaction `yaml:"out_of_scope"`
}

type rawGuards struct {
	Day map[string]rawLimit `yaml:"day"`
	Run map[string]rawLimit `yaml:",inline"`
}

type rawRetry struct {
	Attempts int  `yaml:"attempts"`
	First    text `yaml:"first"`
	Max      text `yaml:"max"`
	Timeout  text `yaml:"timeout"`
}

// toJSON turns a YAML node into JSON with the keys as written. Settings readers
// that fold keys to lower case would break attribute names.
func toJSON(n *yaml.Node) (json.RawMessage, error) {
	if n.IsZero() {
		return json.RawMessage("{}"), nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}
