package sql

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// Definition is the connector type "sql".
var Definition = connector.Define(connector.Spec[Config]{
	Type: "sql", DisplayName: "SQL database", Version: "0.1.0",
	Secrets: []connector.SecretSpec{{Name: "dsn", Required: true, Rotatable: true,
		Description: "Connection string with the password: postgres://…, mysql://…, sqlite:PATH"}},
	Idempotency: connector.IdempotencyNatural,
	MaxInFlight: 512, PreferredBatch: 128,
	Validate: validate,
	Open: func(_ context.Context, cfg Config, in connector.Instance) (connector.Target, error) {
		t, err := open(cfg, in.Secret("dsn"), in.Log)
		if err != nil {
			return nil, err
		}
		return t, nil
	},
})

// What a target of this type can do.
var _ interface {
	connector.Target
	connector.Batcher
	connector.Checker
	connector.Closer
	connector.Getter
	connector.Lister
	connector.Planner
	connector.Rotator
} = (*Target)(nil)
