package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
)

func (a *app) sourceCommand() *cobra.Command {
	c := &cobra.Command{Use: "source", Short: "The sources that people come from"}
	c.AddCommand(a.sourceListCommand(), a.sourceCheckCommand(), a.sourcePreviewCommand(), a.sourceDiffCommand(), a.sourceGroupsCommand(), a.sourcePushCommand(), a.sourceListenCommand())
	return c
}

func (a *app) sourcePushCommand() *cobra.Command {
	var d drainFlags
	var record string
	c := &cobra.Command{
		Use: "push SOURCE [PERSON]", Short: "Do now what follows for one person, without waiting for the schedule",
		Args: args(cobra.RangeArgs(1, 2), "a source, and a person or --record"),
		Long: `Take over one person's record and carry out what follows for this person alone: a
leaver is disabled everywhere at once. What else is planned, held or waiting stays.

With PERSON, their anchor, the record is read from the source again. With --record it
is the one given, as the source would tell it: a JSON object with the names of the
header. The next reading of a source dated before the push does not take it back.

Exit codes: 0 all done, 1 failed, 2 nobody found or a bad record, 3 held by a guard,
4 operations are parked or waiting.`,
		Example: `  provhub source push hr 1005
  provhub source push hr --record '{"EmployeeID": "1005", "Status": "terminated", …}'
  hr-export --person 1005 | provhub source push hr --record -`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			r := hub.PushRequest{Source: args[0]}
			if len(args) > 1 {
				r.Anchor = args[1]
			}
			if record != "" {
				var err error
				if r.Record, err = a.readRecord(record); err != nil {
					return usageError{err}
				}
			}
			res, err := h.Push(cmd.Context(), r, d.options())
			if errors.Is(err, hub.ErrPushRequest) {
				return usageError{err}
			}
			return a.printSync(res, err)
		}),
	}
	d.add(c)
	c.Flags().StringVar(&record, "record", "", "the record as a JSON object; - reads it from standard input")
	return c
}

// maxRecord bounds what is read as one person's record.
const maxRecord = 1 << 20

// readRecord reads a record from text, or from standard input.
func (a *app) readRecord(text string) (map[string]any, error) {
	var in io.Reader = strings.NewReader(text)
	if text == "-" {
		in = io.LimitReader(a.in, maxRecord)
	}
	var r map[string]any
	if err := json.NewDecoder(in).Decode(&r); err != nil || r == nil {
		return nil, fmt.Errorf(`--record is no JSON object such as {"EmployeeID": "1005"}: %w`, cmp.Or(err, errors.New("it is null")))
	}
	return r, nil
}
