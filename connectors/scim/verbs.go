package scim

import (
	"slices"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// userVerbs returns what can be done with accounts, grants apart.
func userVerbs(cfg *Config, p *client.Profile, canSetPassword bool) []connector.Verb {
	verbs := []connector.Verb{connector.VerbCreate}
	if p.UserUpdate != client.UpdateNone {
		verbs = append(verbs, connector.VerbUpdate)
		if name := (client.Path{Attr: "userName"}); !in(p.Immutable, name) && !in(p.Ignored, name) {
			verbs = append(verbs, connector.VerbRename)
		}
	}
	if p.UserUpdate != client.UpdateNone || p.Disable == client.DisableDelete {
		verbs = append(verbs, connector.VerbEnable, connector.VerbDisable)
	}
	if canSetPassword && p.UserUpdate != client.UpdateNone {
		verbs = append(verbs, connector.VerbSetCredential)
	}
	if deletable(p.Delete, cfg.Users.AllowIrreversibleDelete) {
		verbs = append(verbs, connector.VerbDelete)
	}
	return verbs
}

// groupVerbs returns what can be done with groups: as objects, where the config
// lets the hub make them, and as what accounts hold.
func groupVerbs(cfg *Config, p *client.Profile) []connector.Verb {
	var verbs []connector.Verb
	asObject := func(op client.GroupOp) bool {
		return cfg.Groups.Kind != "entitlement" && slices.Contains(p.GroupOps, op)
	}
	if asObject(client.GroupCreate) {
		verbs = append(verbs, connector.VerbCreate)
	}
	if asObject(client.GroupUpdate) && p.GroupUpdate != client.UpdateNone {
		verbs = append(verbs, connector.VerbUpdate, connector.VerbRename)
	}
	if asObject(client.GroupDelete) && deletable(p.GroupDelete, cfg.Groups.AllowIrreversibleDelete) {
		verbs = append(verbs, connector.VerbDelete)
	}
	if slices.Contains(p.GroupOps, client.GroupUpdate) {
		verbs = append(verbs, connector.VerbGrant, connector.VerbRevoke)
	}
	return verbs
}

// deletable reports whether deleting is offered. What cannot be undone needs the
// operator's word (QUIRKS SCIM-61); without it the hub disables leavers.
func deletable(effect client.DeleteEffect, allowed bool) bool {
	switch effect {
	case client.DeleteForbidden:
		return false
	case client.DeleteIrreversible:
		return allowed
	}
	return true
}

// disableMeans says what disabling does, for people.
func disableMeans(p *client.Profile) string {
	means := map[client.DisableMethod]string{
		client.DisableActive: "sets active to false",
		client.DisablePut:    "sets active to false, by replacing the account",
		client.DisableDelete: "sends DELETE, which " + p.Name + " takes as deactivating",
	}[p.Disable]
	if len(p.ObfuscatedWhenDisabled) > 0 {
		means += "; the product then hides who it was"
	}
	if p.DisabledVisible == client.DisabledHidden {
		means += "; the product then answers as if the account were not there"
	}
	return means
}
