package fakescim

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Options say what the server is like. The zero value is a server that keeps to
// the RFCs, with TLS, a random bearer token and a port of its own.
type Options struct {
	// Addr to listen on; "": 127.0.0.1 and a free port.
	Addr string
	// BasePath of the service; "": /scim/v2.
	BasePath string
	// PlainHTTP leaves out TLS.
	PlainHTTP bool

	// Profile is the dialect; nil: none but the RFCs.
	Profile *scim.Profile
	// Extensions are schemas beside the enterprise user's.
	Extensions []Extension
	// Unique lists attributes beside userName that no two resources share:
	// User.externalId, Group.displayName, Group.externalId.
	Unique []string

	// Token that signs requests; "": a random one, see [Server.Token].
	Token string
	// Basic allows a name and password as well; zero: not.
	Basic Login
	// Client may fetch tokens at [Server.TokenURL] by the client credentials grant
	// (RFC 6749 §4.4); zero: nobody.
	Client Login
	// TokenLife is how long a fetched token is good for; 0: an hour.
	TokenLife time.Duration

	// Now is the server's clock; nil: [time.Now]. It rules tokens, cursors,
	// quotas, rates and blind lookups.
	Now func() time.Time
}

// Login is a name with its password or secret.
type Login struct{ Name, Password string }

// Extension is a schema (RFC 7643 §7) whose attributes resources of one type may
// have beside the usual ones.
type Extension struct {
	Type     string          // User or Group
	Document json.RawMessage // what is left out has the defaults of RFC 7643 §2.2
	Required bool
}

// cursorLife is how long a cursor may be used (RFC 9865 §4).
const cursorLife = time.Hour

// types returns the resource types with their extensions.
func (o Options) types() ([]*schema.Type, error) {
	types := []*schema.Type{schema.Users(), schema.Groups()}
	for _, e := range o.Extensions {
		d, err := schema.Parse(e.Document)
		if err != nil {
			return nil, err
		}
		found := false
		for _, t := range types {
			if t.Name == e.Type {
				t.Extensions = append(t.Extensions, schema.Extension{Document: d, Required: e.Required})
				found = true
			}
		}
		if !found {
			return nil, fmt.Errorf("extension %s: there is no resource type %q; there are User and Group", d.ID, e.Type)
		}
	}
	return types, nil
}
