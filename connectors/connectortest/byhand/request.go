// Package byhand turns what a person writes on a command line into operations:
// one call to a connector, to try it out.
package byhand

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Request is one operation in words.
type Request struct {
	Verb connector.Verb
	// Type of the object; "": the only type of accounts there is.
	Type string
	// ID of the object, or By ("attribute=value") to find it.
	ID, By string
	// Attributes are "name=value", once for each value; "name=" clears it. Add and
	// Remove change single values of an update.
	Attributes, Add, Remove []string
	// Entitlement to grant or revoke: "type/id", or the id where accounts can hold
	// one type only.
	Entitlement string
	// Name and Container are where a rename leads.
	Name, Container string
	Password        connector.Secret

	Disabled, Adopt, MaybeApplied, DryRun bool
	Key, IfVersion                        string
	Timeout                               time.Duration
}

// Verbs are what a request can ask for, in alphabetical order.
func Verbs() []string { return slices.Sorted(maps.Keys(makers)) }

// makers build the operation of each verb.
var makers = map[string]func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error){
	string(connector.VerbCreate): Request.create,
	string(connector.VerbUpdate): Request.update,
	string(connector.VerbEnable): func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error) {
		ref, err := r.ref(t)
		return connector.SetEnabled{Call: c, Target: ref, Enabled: true}, err
	},
	string(connector.VerbDisable): func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error) {
		ref, err := r.ref(t)
		return connector.SetEnabled{Call: c, Target: ref}, err
	},
	string(connector.VerbDelete): func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error) {
		ref, err := r.ref(t)
		return connector.Delete{Call: c, Target: ref}, err
	},
	string(connector.VerbGrant): func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error) {
		who, what, err := r.edge(t)
		return connector.Grant{Call: c, Principal: who, Entitlement: what}, err
	},
	string(connector.VerbRevoke): func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error) {
		who, what, err := r.edge(t)
		return connector.Revoke{Call: c, Principal: who, Entitlement: what}, err
	},
	string(connector.VerbSetCredential): func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error) {
		ref, err := r.ref(t)
		if err == nil && r.Password.IsZero() {
			err = fmt.Errorf("set_credential needs a password")
		}
		return connector.SetCredential{Call: c, Target: ref, Credential: r.Password}, err
	},
	string(connector.VerbRename): func(r Request, t connector.ObjectType, c connector.Call) (connector.Operation, error) {
		ref, err := r.ref(t)
		if err == nil && r.Name == "" && r.Container == "" {
			err = fmt.Errorf("rename needs a new name or container")
		}
		return connector.Rename{Call: c, Target: ref, NewName: r.Name, NewContainer: r.Container}, err
	},
}

// Operation makes the operation, with the values in the types that the schema
// gives them. The error says which part of the request cannot be understood.
func (r Request) Operation(s connector.Schema) (connector.Operation, error) {
	make, ok := makers[string(r.Verb)]
	if !ok {
		return nil, fmt.Errorf("there is no operation %q; there are %s", r.Verb, strings.Join(Verbs(), ", "))
	}
	t, err := TypeOf(s, r.Type)
	if err != nil {
		return nil, err
	}
	id := "by-hand-" + strings.ToLower(rand.Text())
	c := connector.Call{ID: id, Key: r.Key, Attempt: 1, MaybeApplied: r.MaybeApplied, DryRun: r.DryRun, IfVersion: r.IfVersion, Timeout: r.Timeout}
	if c.Key == "" {
		c.Key = id
	}
	return make(r, t, c)
}

// TypeOf returns the object type called name, "" for the only type of accounts.
func TypeOf(s connector.Schema, name string) (connector.ObjectType, error) {
	var names, accounts []string
	for _, t := range s {
		names = append(names, t.Name)
		if t.Kind == connector.KindAccount {
			accounts = append(accounts, t.Name)
		}
	}
	if name == "" && len(accounts) == 1 {
		name = accounts[0]
	}
	t, ok := s.Type(name)
	switch {
	case ok:
		return t, nil
	case name == "":
		return t, fmt.Errorf("say which object type: %s", strings.Join(names, ", "))
	}
	return t, fmt.Errorf("there is no object type %q; there are %s", name, strings.Join(names, ", "))
}

// Ref returns the object of a type that is named by id or by "attribute=value".
func Ref(t connector.ObjectType, id, by string) (connector.Ref, error) {
	ref := connector.Ref{Type: t.Name, ID: id}
	if id != "" {
		return ref, nil
	}
	name, value, ok := strings.Cut(by, "=")
	switch {
	case by == "":
		return ref, fmt.Errorf("say which %s: by its id, or by a unique attribute such as %s=VALUE", t.Name, example(t))
	case !ok || !slices.Contains(t.Correlation, name):
		return ref, fmt.Errorf("a %s cannot be found by %q; it can by %s", t.Name, name, strings.Join(t.Correlation, ", "))
	}
	ref.By = connector.Correlation{Attribute: name, Value: value}
	return ref, nil
}

func example(t connector.ObjectType) string {
	if len(t.Correlation) == 0 {
		return "NAME"
	}
	return t.Correlation[0]
}

func (r Request) ref(t connector.ObjectType) (connector.Ref, error) { return Ref(t, r.ID, r.By) }

// edge returns an account and what it is to hold.
func (r Request) edge(t connector.ObjectType) (who, what connector.Ref, err error) {
	if who, err = r.ref(t); err != nil {
		return who, what, err
	}
	if len(t.Grants) == 0 {
		return who, what, fmt.Errorf("a %s can hold nothing that could be granted", t.Name)
	}
	typ, id, ok := strings.Cut(r.Entitlement, "/")
	if !ok && len(t.Grants) == 1 {
		typ, id = t.Grants[0], r.Entitlement
	}
	if id == "" || !slices.Contains(t.Grants, typ) {
		return who, what, fmt.Errorf("say what to %s as TYPE/ID; a %s can hold: %s", r.Verb, t.Name, strings.Join(t.Grants, ", "))
	}
	return who, connector.Ref{Type: typ, ID: id}, nil
}
