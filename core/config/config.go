// Package config is the only reader of the config file. It checks the file
// whole and lists all its faults at once, each with its line.
package config

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/lifecycle"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/schedule"
	"github.com/provhub/provhub/core/source/csvfile"
	"github.com/provhub/provhub/core/source/grouped"
	"github.com/provhub/provhub/core/source/ldapdir"
	"github.com/provhub/provhub/core/source/pickup"
	"github.com/provhub/provhub/core/source/scimapi"
	"github.com/provhub/provhub/core/store"
)

// Config is a config file that was read without faults.
type Config struct {
	Path       string // of the file
	Org        string
	State      State
	Sources    []Source
	Connectors []Connector
	Plugins    Plugins
	Secrets    []Secret
	Log        Log
	// Serve says how the daemon runs.
	Serve Serve
	// Retention says how long history is kept.
	Retention store.Retention
	// Alerts says when people are told that something is wrong, and how.
	Alerts Alerts
	// Tracing says where traces go.
	Tracing Tracing
	// Web are the pages for people; nil: none are served.
	Web *Web
}

// State says where the hub keeps its state.
type State struct {
	// URL is "sqlite:PATH" (relative to the config file) or "postgres://…".
	URL string
}

// Source is one authoritative source.
type Source struct {
	Name string
	Type string // "csv", "ldap", "scim"
	// Line is where the source begins in the file.
	Line int
	// CSV is set for type csv; its paths are absolute.
	CSV *csvfile.Config
	// Pickup is set for type csv with a folder in place of a path; CSV is set too.
	Pickup *pickup.Config
	// Groups says where the groups of people in files are; nil: they have none.
	Groups *grouped.Config
	// LDAP is set for type ldap; its secrets are not in it.
	LDAP *ldapdir.Config
	// SCIM is set for type scim; its secrets are not in it.
	SCIM *scimapi.Config
	// Secrets maps the source's secret names to names in Config.Secrets.
	Secrets map[string]string
	// With are other sources that own some of its people's attributes.
	With []With
	// NestedGroups: who is in a group is in the groups that this one is in, too.
	NestedGroups bool
	// Lifecycle says how a person's state follows from status and dates.
	Lifecycle lifecycle.Rules
	// Reference is the attribute that names a person's manager by anchor; "": none.
	Reference string
	// WholeEvery is how often the source is read whole although it tells what changed, or
	// that nothing has; 0: every 24 h.
	WholeEvery time.Duration
	// Poll is how often a source that tells what changed, and not by itself, is asked
	// while it is followed; 0: every 10 s, a service every minute.
	Poll time.Duration
	// Vanish bounds how many people may vanish or shrink away at once; zero: 10 %, at least 5.
	Vanish plan.Limit
	// Quality says what is suspicious about a reading; zero: the defaults.
	Quality quality.Rules
	// Schedule says when the daemon reads it; never nil.
	Schedule *Schedule
}

// With says what is taken from another source for the same people.
type With struct {
	Source string
	// Keys are pairs of our attribute and theirs, tried in order.
	Keys []struct{ Ours, Theirs string }
	// Take are the attributes that the other source owns.
	Take []string
}

// Connector is one configured target.
type Connector struct {
	Name   string
	Plugin string // type of the plugin, as in plugins.lock
	// Sources are the names of those it gets its people from, at least one.
	Sources []string
	// Config is what the plugin gets, as JSON with the keys as written.
	Config json.RawMessage
	// Secrets maps the plugin's secret names to names in Config.Secrets.
	Secrets map[string]string
	// Rules are the mapping of people, and of groups when the file has any.
	Rules  []mapping.Rules
	Policy plan.Policy // of people
	// GroupPolicy is the policy of groups, for a connector with rules for them.
	GroupPolicy plan.Policy
	Guards      plan.Guards
	Retry       Retry
	Quarantine  Quarantine
	// InFlight bounds the operations under way at once; 0: what the plugin says.
	InFlight int
	// Reconcile says when the target is compared with what we know, and what is done.
	Reconcile Reconcile
	// Maintenance are times in which nothing is sent to the target.
	Maintenance schedule.Windows
	// Line is where the connector begins in the file.
	Line int
}

// Retry says how often and how long an operation is tried.
type Retry struct {
	Attempts int           // 0: 8
	First    time.Duration // 0: 2 s
	Max      time.Duration // 0: 1 h
	Timeout  time.Duration // of one attempt; 0: 30 s
}

// Plugins says where plugins come from.
type Plugins struct {
	Dir  string // folder with the binaries; "": beside the provhub binary
	Lock string // plugins.lock beside the config file when not given
	Data string // folder in which each connector's plugin has one of its own
	// DevOverrides run a binary without a pin, by type; shown as long as it is on.
	DevOverrides map[string]string
}

// Secret says where one secret comes from: exactly one of Env and File.
type Secret struct {
	Name string
	Env  string
	File string // its whole content, one trailing line end taken off
}

// Log says what is logged.
type Log struct {
	Level  string // debug, info, warn, error; "": info
	Format string // text, json; "": text
}

// Source returns the source called name; nil when there is none.
func (cfg *Config) Source(name string) *Source {
	for i := range cfg.Sources {
		if cfg.Sources[i].Name == name {
			return &cfg.Sources[i]
		}
	}
	return nil
}

// FedBy reports whether people of source get accounts in c.
func (c *Connector) FedBy(source string) bool { return slices.Contains(c.Sources, source) }

// RulesFor returns c's rules for kind; nil when it has none.
func (c *Connector) RulesFor(kind identity.Kind) *mapping.Rules {
	for i := range c.Rules {
		if c.Rules[i].Kind == kind {
			return &c.Rules[i]
		}
	}
	return nil
}
