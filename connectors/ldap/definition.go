package ldap

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// The names of the secrets.
const (
	secretPassword = "bind_password"
	secretKey      = "client_key"
)

// Definition is the connector type "ldap".
var Definition = connector.Define(connector.Spec[Config]{
	Type: "ldap", DisplayName: "LDAP directory", Version: "0.1.0",
	Secrets: []connector.SecretSpec{
		{Name: secretPassword, Rotatable: true, Description: "Password of bind_dn, for a simple bind"},
		{Name: secretKey, Rotatable: true, Description: "Private key of tls_cert_file in PEM form"},
	},
	Idempotency: connector.IdempotencyNatural,
	MaxInFlight: 256,
	Validate:    validate,
	Open: func(_ context.Context, cfg Config, in connector.Instance) (connector.Target, error) {
		t, err := open(cfg, in.Secrets, in.Log)
		if err != nil {
			return nil, err
		}
		return t, nil
	},
})

// What a target of this type can do.
var _ interface {
	connector.Target
	connector.Creator
	connector.Updater
	connector.Enabler
	connector.Deleter
	connector.Granter
	connector.Credentialer
	connector.Renamer
	connector.Getter
	connector.Lister
	connector.Planner
	connector.Checker
	connector.Rotator
	connector.Closer
} = (*Target)(nil)
