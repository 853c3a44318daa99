package sftp

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// Definition is the connector type "sftp".
var Definition = connector.Define(connector.Spec[Config]{
	Type: "sftp", DisplayName: "Files over SFTP", Version: "0.1.0",
	Secrets:     secrets,
	Idempotency: connector.IdempotencyKeyed,
	MaxInFlight: 512, PreferredBatch: 256, Exclusive: true,
	Actions:  actions,
	Validate: validate,
	Open: func(ctx context.Context, cfg Config, in connector.Instance) (connector.Target, error) {
		t, err := open(ctx, cfg, in)
		if err != nil {
			return nil, err
		}
		return t, nil
	},
})

// What a target of this type can do.
var _ interface {
	connector.Target
	connector.Actor
	connector.Batcher
	connector.Checker
	connector.Closer
	connector.Getter
	connector.Lister
	connector.Planner
	connector.Rotator
} = (*Target)(nil)
