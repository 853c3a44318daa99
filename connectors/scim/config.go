package scim

import "github.com/provhub/provhub/connectors/connector"

// Config is the config of one SCIM service.
type Config struct {
	BaseURL   string         `json:"base_url" endpoint:"true" doc:"Address of the SCIM service, without /Users: https://app.example.org/scim/v2"`
	Dialect   string         `json:"dialect,omitempty" default:"rfc7644" doc:"What the product does differently: the name of a profile that comes with provhub, or the full path of a file (.yaml)"`
	Overrides map[string]any `json:"overrides,omitempty" doc:"Single columns of the profile that are otherwise here, such as {\"page_max\": 50}"`

	Auth            Auth     `json:"auth,omitzero" doc:"How the connector signs in"`
	CertificateFile string   `json:"certificate_file,omitempty" doc:"PEM file with the client certificate for mutual TLS, full path; its key is the secret client_key"`
	TLSCAFile       string   `json:"tls_ca_file,omitempty" doc:"PEM file with the authority of the server's certificate; the system's authorities when left out"`
	AllowInsecure   []string `json:"allow_insecure,omitempty" doc:"Hosts, by name, that are spoken to without TLS or without checking their certificate"`

	Users  Users  `json:"users,omitzero" doc:"Accounts"`
	Groups Groups `json:"groups,omitzero" doc:"Groups"`

	Lookup            string             `json:"lookup,omitempty" enum:"auto,always,never" default:"auto" doc:"Whether a create looks for the account first. auto: when the target itself does not keep the value unique by which it is found, or an earlier try may have gone through; never: only then"`
	ConsistencyWindow connector.Duration `json:"consistency_window,omitempty" doc:"How long the target takes to show what was written; the profile's when left out"`
	Bulk              string             `json:"bulk,omitempty" enum:"auto,never" default:"auto" doc:"Whether creates that come at the same time go out in bulk requests (RFC 7644 section 3.7). auto: where the service announces it, or the profile says so"`
	Concurrency       int                `json:"concurrency,omitempty" doc:"Most requests at once; the profile's when left out"`
	Timeout           connector.Duration `json:"timeout,omitempty" doc:"Longest time for one request; the profile's when left out"`
	PageSize          int                `json:"page_size,omitempty" doc:"Objects asked for per page of a listing; the profile's when left out"`
}

// Auth says how the connector signs in.
type Auth struct {
	Kind         string            `json:"kind,omitempty" enum:"bearer,oauth2,basic,header,mtls" default:"bearer" doc:"bearer: secret token; oauth2: client credentials, secret client_secret; basic: secret password; header: secret header_value; mtls: certificate_file alone"`
	TokenURL     string            `json:"token_url,omitempty" doc:"oauth2: address that gives tokens"`
	ClientID     string            `json:"client_id,omitempty" doc:"oauth2: the client's id"`
	Scopes       []string          `json:"scopes,omitempty" doc:"oauth2: scopes to ask for"`
	Parameters   map[string]string `json:"parameters,omitempty" doc:"oauth2: further parameters of the request for a token, such as audience or account_id"`
	SecretInBody bool              `json:"secret_in_body,omitempty" doc:"oauth2: send client id and secret in the body of that request rather than in a Basic header"`
	User         string            `json:"user,omitempty" doc:"basic: name to sign in with"`
	Header       string            `json:"header,omitempty" doc:"header: name of the header that carries the secret"`
}

// Objects is what users and groups have in common.
type Objects struct {
	Type       string      `json:"type,omitempty" doc:"Name of the object type; user or group when left out"`
	Attributes []Attribute `json:"attributes,omitempty" doc:"Attributes besides the usual ones, or in place of those of the same name"`
	LeaveOut   []string    `json:"leave_out,omitempty" doc:"Usual attributes, by name, that the hub is not to see"`
	Anchor     string      `json:"anchor,omitempty" doc:"Attribute with the immutable anchor, the proof that an object is ours; externalId for users when left out"`
	Protected  []Protected `json:"protected,omitempty" doc:"Objects that are never changed, disabled or deleted, such as break-glass accounts"`

	AllowIrreversibleDelete bool `json:"allow_irreversible_delete,omitempty" doc:"Let deletes through that the product cannot undo; without it they are not offered"`
}

// Users is how accounts are seen.
type Users struct {
	Objects
	Passwords      *bool `json:"passwords,omitempty" doc:"Whether passwords can be set; what the service says when left out"`
	RandomPassword bool  `json:"random_password,omitempty" doc:"Give each new account a random password that nobody learns, for products that insist on one"`
}

// Groups is how groups are seen.
type Groups struct {
	Objects
	Kind string `json:"kind,omitempty" enum:"group,entitlement,none" default:"group" doc:"group: the hub also creates and deletes them; entitlement: they are only granted; none: the product has no groups"`
}

// Attribute ties an attribute to a place in the SCIM resource.
type Attribute struct {
	Name      string   `json:"name" doc:"Name of the attribute"`
	Path      string   `json:"path,omitempty" doc:"SCIM path: title, name.givenName, emails[type eq \"work\"].value, urn:…:User:department; the name when left out"`
	Type      string   `json:"type,omitempty" enum:"string,integer,double,bool,timestamp,reference,object" doc:"Type of the values; what the service's schema says when left out"`
	RefersTo  string   `json:"refers_to,omitempty" doc:"With type reference: the object type whose id it holds; users when left out"`
	Multi     *bool    `json:"multi,omitempty" doc:"Whether it has several values; what the service's schema says when left out"`
	CaseExact *bool    `json:"case_exact,omitempty" doc:"Whether Jane and jane differ; what the service's schema says when left out"`
	Required  *bool    `json:"required,omitempty" doc:"Whether a create must give it; what the profile and the service's schema say when left out"`
	ReadOnly  bool     `json:"read_only,omitempty" doc:"The service sets it; it is read and never written"`
	Unique    bool     `json:"unique,omitempty" doc:"No two objects share a value"`
	MaxLength int      `json:"max_length,omitempty" doc:"Most characters"`
	Canonical []string `json:"canonical,omitempty" doc:"The only values that are accepted"`
}

// Protected tells objects that the product owns: those whose attribute has one
// of the values.
type Protected struct {
	Attribute string   `json:"attribute" doc:"Name of the attribute, or id"`
	Values    []string `json:"values" doc:"Values, compared without regard to case; * stands for any text"`
}

func (u *Users) typeName() string  { return orElse(u.Type, "user") }
func (g *Groups) typeName() string { return orElse(g.Type, "group") }

// anchor is the attribute that ties an account to its identity.
func (u *Users) anchor() string { return orElse(u.Anchor, "externalId") }

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}
