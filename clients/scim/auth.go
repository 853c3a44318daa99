package scim

import (
	"context"
	"encoding/base64"

	"github.com/provhub/provhub/connectors/connector"
)

// Auth signs requests. Make one with [Bearer], [Basic], [HeaderAuth] or
// [ClientCredentials]; it serves one client.
type Auth interface {
	// header returns the header line that signs a request.
	header(ctx context.Context) (name string, value connector.Secret, err error)
	// refused is told a value that the target answered with 401. It reports whether
	// another may be better: then the request is made once more.
	refused(value connector.Secret) bool
	// reach gives it the way to the network that the client itself takes.
	reach(t *transports)
}

// fixed signs with a header that stays.
type fixed struct {
	name  string
	value connector.Secret
}

func (f fixed) header(context.Context) (string, connector.Secret, error) { return f.name, f.value, nil }
func (f fixed) refused(connector.Secret) bool                            { return false }
func (f fixed) reach(*transports)                                        {}

// Bearer signs requests with a token (RFC 6750 §2.1).
func Bearer(token connector.Secret) Auth {
	return fixed{"Authorization", connector.NewSecret("Bearer " + token.Reveal())}
}

// Basic signs requests with a name and a password (RFC 7617).
func Basic(user string, password connector.Secret) Auth {
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password.Reveal()))
	return fixed{"Authorization", connector.NewSecret("Basic " + pair)}
}

// HeaderAuth signs requests with a header of the target's own, such as X-Api-Key.
func HeaderAuth(name string, value connector.Secret) Auth { return fixed{name, value} }
