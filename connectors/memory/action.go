package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// The actions.
const (
	actionProbe = "probe"
	actionEmpty = "empty"
)

// probeArguments are what probe takes.
type probeArguments struct {
	Write bool `json:"write,omitempty" doc:"Also make a user with the shortest password that is accepted, and delete it again"`
}

// emptyArguments are what empty takes.
type emptyArguments struct {
	Type string `json:"type" enum:"user,group,role" doc:"Which objects"`
}

var actions = []connector.Action{
	{Name: actionProbe, Description: "Measure what the target holds and accepts", Arguments: connector.SchemaFor[probeArguments]()},
	{Name: actionEmpty, Description: "Delete all objects of a type", Arguments: connector.SchemaFor[emptyArguments](), Destructive: true},
}

// probed is the result of probe.
type probed struct {
	// Profile holds the keys of the config as they were measured.
	Profile  map[string]int `json:"profile"`
	Evidence []evidence     `json:"evidence"`
}

// evidence is one thing that was measured, and whether it is as the config says.
type evidence struct {
	Name     string `json:"name"`
	Config   string `json:"config,omitempty"`
	Measured string `json:"measured"`
	By       string `json:"by"`
}

// Invoke implements [connector.Actor].
func (t *Target) Invoke(ctx context.Context, in connector.Invocation, progress func(connector.Progress)) (json.RawMessage, error) {
	fs, err := t.begin(ctx, occasion{call: callInvoke, key: in.Name})
	if err != nil {
		return nil, err
	}
	var result any
	switch in.Name {
	case actionProbe:
		result, err = t.probe(ctx, in, progress)
	case actionEmpty:
		result, err = t.empty(in)
	default:
		return nil, connector.Errorf(connector.CodeUnsupported, "there is no action %q", in.Name)
	}
	if err == nil {
		err = after(ctx, fs)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}

func (t *Target) probe(ctx context.Context, in connector.Invocation, progress func(connector.Progress)) (probed, error) {
	var args probeArguments
	if err := decode(in, &args); err != nil {
		return probed{}, err
	}
	out := probed{Profile: map[string]int{"page_size": max(1, t.cfg.PageSize)}}
	for i, typ := range schema {
		progress(connector.Progress{Done: int64(i), Total: int64(len(schema)), Message: "counting every " + typ.Name})
		n := 0
		_, err := t.List(ctx, connector.ListQuery{Type: typ.Name}, func(connector.Object) error { n++; return nil })
		if err != nil {
			return probed{}, err
		}
		out.Evidence = append(out.Evidence, evidence{Name: typ.Name + "s", Measured: fmt.Sprint(n), By: "listed"})
	}
	if !args.Write {
		return out, nil
	}
	least, err := t.shortestPassword(ctx, in)
	if err != nil {
		return probed{}, err
	}
	out.Profile["min_password"] = least
	out.Evidence = append(out.Evidence, evidence{Name: "min_password", Config: fmt.Sprint(t.cfg.MinPassword),
		Measured: fmt.Sprint(least), By: "made a user with each length, and deleted it"})
	return out, nil
}

// shortestPassword tries passwords of growing length.
func (t *Target) shortestPassword(ctx context.Context, in connector.Invocation) (int, error) {
	const longest = 64
	for n := 1; ; n++ {
		call := connector.Call{ID: in.ID, Key: fmt.Sprintf("%s/%d", in.ID, n), Attempt: 1}
		ref, err := t.Create(ctx, connector.Create{Call: call, Type: typeUser, Credential: connector.NewSecret(strings.Repeat("x", n)),
			Attributes: connector.Attributes{{Name: keys[typeUser], Values: connector.Values{"probe-" + in.ID}}}})
		switch {
		case err == nil:
			return n, t.Delete(ctx, connector.Delete{Call: call, Target: ref})
		case !connector.IsCode(err, connector.CodePolicy) || n == longest:
			return 0, err
		}
	}
}

// empty deletes all objects of a type, in one transaction.
func (t *Target) empty(in connector.Invocation) (result struct {
	Deleted int `json:"deleted"`
}, err error) {
	var args emptyArguments
	if err := decode(in, &args); err != nil {
		return result, err
	}
	err = t.store.do(func(tx *tx) error {
		all := tx.s.after(args.Type, "", -1, nil)
		for _, r := range all {
			tx.effect(connector.Call{ID: in.ID}, connector.VerbDelete, r, nil, "")
		}
		result.Deleted = len(all)
		return nil
	})
	return result, err
}

func decode(in connector.Invocation, into any) error {
	if len(in.Arguments) == 0 {
		return nil
	}
	if err := json.Unmarshal(in.Arguments, into); err != nil {
		return connector.Errorf(connector.CodeInvalidValue, "the arguments of %s: %w", in.Name, err)
	}
	return nil
}
