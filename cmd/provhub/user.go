package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) userCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "user", Short: "Who may sign in to the pages",
		Long: `Who may sign in to the pages with a password. People an identity provider vouches for
get their role from web.oidc.roles of the config and are not listed here.

Roles: viewer sees how things stand and nobody's data; helpdesk sees people and mends
failed operations; operator also pauses connectors and decides about plans; admin may
do everything and read the audit trail; auditor sees everything and does nothing.`,
		Example: `  provhub user add alice --role helpdesk
  provhub user list
  provhub user role alice operator
  provhub user disable alice`,
	}
	c.AddCommand(a.userAdd(), a.userList(), a.userPassword(), a.userRole(),
		a.userSwitch("disable", "Let a user sign in no more, and sign them out everywhere", true),
		a.userSwitch("enable", "Let a user sign in again", false), a.userSignOut())
	return c
}

func (a *app) userAdd() *cobra.Command {
	var role string
	c := &cobra.Command{
		Use: "add NAME --role ROLE", Short: "Make a user; the password is asked for", Args: args(cobra.ExactArgs(1), "the name of one user"),
		Long:    "Make a user. The password is asked for on the terminal, or read as one line from\nstandard input; it is never an argument.",
		Example: "  provhub user add alice --role helpdesk\n  pass show provhub/alice | provhub user add alice --role helpdesk",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			name, err := signin.ParseUser(args[0])
			if err != nil {
				return usageError{err}
			}
			r, err := signin.ParseRole(role)
			if err != nil {
				return usageError{fmt.Errorf("--role: %w", err)}
			}
			password, err := a.newPassword(name)
			if err != nil {
				return err
			}
			if err := signin.Add(cmd.Context(), h.State(), name, r, password, a.actor, h.Now()); err != nil {
				return userError(err)
			}
			return a.userDone(name, "%s may sign in as %s.\n", name, r)
		}),
	}
	c.Flags().StringVar(&role, "role", "viewer", "viewer, helpdesk, operator, admin or auditor")
	return c
}

func (a *app) userList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List users", Args: none(), Example: "  provhub user list --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			users, err := h.State().Users(cmd.Context())
			if err != nil {
				return err
			}
			if done, err := a.json(users); done {
				return err
			}
			if len(users) == 0 {
				a.printf("No users. To make one: provhub user add NAME --role admin\n")
			}
			now := time.Now()
			rows := make([][]any, len(users))
			for i, u := range users {
				state := "may sign in"
				if u.Disabled {
					state = "disabled"
				}
				rows[i] = []any{u.Name, u.Role, state, when(u.SignedInAt, now), when(u.ChangedAt, now)}
			}
			a.table([]any{"user", "role", "state", "last signed in", "password set"}, rows)
			return nil
		}),
	}
}

func (a *app) userPassword() *cobra.Command {
	return &cobra.Command{
		Use: "passwd NAME", Short: "Give a user another password, and sign them out everywhere", Args: args(cobra.ExactArgs(1), "the name of one user"),
		Example: "  provhub user passwd alice",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			name := strings.ToLower(args[0])
			if _, err := h.State().User(cmd.Context(), name); err != nil {
				return userError(err)
			}
			password, err := a.newPassword(name)
			if err != nil {
				return err
			}
			if err := signin.SetPassword(cmd.Context(), h.State(), name, password, a.actor, h.Now()); err != nil {
				return userError(err)
			}
			return a.userDone(name, "%s has another password, and is signed out everywhere.\n", name)
		}),
	}
}

func (a *app) userRole() *cobra.Command {
	return &cobra.Command{
		Use: "role NAME ROLE", Short: "Give a user another role, and sign them out everywhere", Args: args(cobra.ExactArgs(2), "the name of one user and a role"),
		Example: "  provhub user role alice operator",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			name := strings.ToLower(args[0])
			r, err := signin.ParseRole(args[1])
			if err != nil {
				return usageError{err}
			}
			err = h.State().ChangeUser(cmd.Context(), name, a.actor, h.Now(), func(u *store.User) { u.Role = string(r) })
			if err != nil {
				return userError(err)
			}
			return a.userDone(name, "%s is %s now.\n", name, r)
		}),
	}
}

func (a *app) userSwitch(use, short string, off bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " NAME", Short: short, Args: args(cobra.ExactArgs(1), "the name of one user"),
		Example: "  provhub user " + use + " alice",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			name := strings.ToLower(args[0])
			err := h.State().ChangeUser(cmd.Context(), name, a.actor, h.Now(), func(u *store.User) { u.Disabled = off })
			if err != nil {
				return userError(err)
			}
			return a.userDone(name, "%s is %sd.\n", name, use)
		}),
	}
}

func (a *app) userSignOut() *cobra.Command {
	return &cobra.Command{
		Use: "signout NAME", Short: "Sign somebody out everywhere", Args: args(cobra.ExactArgs(1), "the name of one user, or oidc:… as the audit trail has it"),
		Example: "  provhub user signout alice\n  provhub user signout oidc:alice@example.org",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			n, err := h.State().EndSessions(cmd.Context(), args[0], a.actor, h.Now())
			if err != nil {
				return err
			}
			if done, err := a.json(map[string]any{"user": args[0], "sessions": n}); done {
				return err
			}
			a.printf("%s ended.\n", wording.Count(n, "session", "sessions"))
			return nil
		}),
	}
}

// userDone says what was done to a user.
func (a *app) userDone(name, format string, args ...any) error {
	if done, err := a.json(map[string]any{"user": name}); done {
		return err
	}
	a.printf(format, args...)
	return nil
}

// userError is a mistake when the name is wrong.
func userError(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return usageError{errors.New("there is no such user; `provhub user list` shows them")}
	case errors.Is(err, store.ErrExists):
		return usageError{fmt.Errorf("%w; `provhub user passwd` gives another password, `provhub user role` another role", err)}
	}
	return err
}
