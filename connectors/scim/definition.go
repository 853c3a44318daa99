package scim

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// Definition is the connector type "scim".
var Definition = connector.Define(connector.Spec[Config]{
	Type: "scim", DisplayName: "SCIM 2.0 service", Version: "0.1.0",
	Secrets:     secretSpecs,
	Idempotency: connector.IdempotencyNatural,
	// Far more than go out at once: grants gather into few requests while others
	// are under way.
	MaxInFlight: 128,
	Actions:     []connector.Action{probeAction},
	Validate:    validate,
	Open: func(_ context.Context, cfg Config, in connector.Instance) (connector.Target, error) {
		t, err := open(cfg, in)
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
	connector.Checker
	connector.Closer
	connector.Creator
	connector.Credentialer
	connector.Deleter
	connector.Enabler
	connector.Getter
	connector.Granter
	connector.Lister
	connector.Planner
	connector.Renamer
	connector.Rotator
	connector.Updater
} = (*Target)(nil)
