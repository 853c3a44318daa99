package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// reasonFlag gives c the flag --reason, for what only a person decides.
func reasonFlag(c *cobra.Command, reason *string) {
	c.Flags().StringVar(reason, "reason", "", "why this is right; it goes into the audit trail")
}

// needReason refuses to go on without a reason.
func needReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return usageError{errors.New("--reason is needed: the audit trail keeps it")}
	}
	return nil
}
