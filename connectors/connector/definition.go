package connector

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
)

// Spec describes a connector type whose config is a C. The JSON Schema of the
// config comes from C's field tags: `json:"name"`, `doc:"what it is"`,
// `enum:"a,b"`, `default:"x"`; a field without omitempty is required. A default
// stands where the config leaves the field out.
type Spec[C any] struct {
	// Type is the catalog's key: [a-z][a-z0-9-]{1,31}.
	Type, DisplayName, Version string
	Secrets                    []SecretSpec
	Idempotency                Idempotency // "": none
	MaxInFlight                int         // 0: 16
	PreferredBatch             int
	Exclusive                  bool
	// Actions are what the target's [Actor] can do; none: it need not be one.
	Actions []Action
	// Validate finds what the schema cannot, offline. nil: nothing.
	Validate func(C) []Finding
	// Open makes the target from a config in which Validate found nothing, warnings
	// excepted. It must not write to the target system; it may connect later.
	Open func(ctx context.Context, config C, in Instance) (Target, error)
}

// Instance is what a target gets besides its config.
type Instance struct {
	ID      string
	Secrets map[string]Secret
	Log     *slog.Logger
	// DataDir is a private writable folder, "" when there is none.
	DataDir string
	// SecretReplaced tells the hub that the target replaced a secret by itself,
	// such as a refresh token that is good once. nil when nobody listens.
	SecretReplaced func(name string, value Secret)
}

// Secret returns the secret called name; the zero Secret when it is not there.
func (in Instance) Secret(name string) Secret { return in.Secrets[name] }

// Finding is one fault of a config.
type Finding struct {
	Path    string // JSON Pointer into the config; "secrets/NAME" for a secret
	Summary string // what is wrong, one line
	Detail  string // what to do
	Warning bool   // usable all the same
}

// Definition is a [Spec] with its config type erased: what the SDK serves.
type Definition struct {
	Type, DisplayName, Version string
	Secrets                    []SecretSpec
	Idempotency                Idempotency
	MaxInFlight                int
	PreferredBatch             int
	Exclusive                  bool
	Actions                    []Action
	// ConfigSchema is a closed JSON Schema, draft 2020-12.
	ConfigSchema json.RawMessage
	// Validate reports every finding of a config, schema faults excepted.
	Validate func(config json.RawMessage) []Finding
	// Open decodes config, validates it and opens the target. A config that cannot be
	// used is a CONFIGURATION error that lists what is wrong.
	Open func(ctx context.Context, config json.RawMessage, in Instance) (Target, error)
}

// Define erases the config type of a spec. It panics when C cannot be described
// by a JSON Schema, which is a bug in the connector.
func Define[C any](s Spec[C]) *Definition {
	d := &Definition{
		Type: s.Type, DisplayName: s.DisplayName, Version: s.Version, Secrets: s.Secrets,
		Idempotency: s.Idempotency, MaxInFlight: s.MaxInFlight, PreferredBatch: s.PreferredBatch,
		Exclusive: s.Exclusive, Actions: s.Actions, ConfigSchema: SchemaFor[C](),
	}
	if d.MaxInFlight == 0 {
		d.MaxInFlight = 16
	}
	d.Validate = func(raw json.RawMessage) []Finding {
		var c C
		if err := decodeConfig(raw, &c); err != nil {
			return []Finding{{Path: "", Summary: err.Error()}}
		}
		if s.Validate == nil {
			return nil
		}
		return s.Validate(c)
	}
	d.Open = func(ctx context.Context, raw json.RawMessage, in Instance) (Target, error) {
		var c C
		if err := decodeConfig(raw, &c); err != nil {
			return nil, &Error{Code: CodeConfiguration, Message: err.Error(), Cause: err}
		}
		if s.Validate != nil {
			if err := refused(s.Validate(c)); err != nil {
				return nil, err
			}
		}
		return s.Open(ctx, c, in)
	}
	return d
}

// refused is the error of a config that is not usable, nil when it is.
func refused(fs []Finding) error {
	var faults []string
	for _, f := range fs {
		if !f.Warning {
			faults = append(faults, f.Path+": "+f.Summary)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &Error{Code: CodeConfiguration, Message: strings.Join(faults, "; ")}
}
