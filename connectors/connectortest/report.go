package connectortest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Write writes the report as "table" (for people), "json" or "junit".
func (r Report) Write(w io.Writer, format string) error {
	switch format {
	case "table":
		return r.writeTable(w)
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	case "junit":
		return r.writeJUnit(w)
	}
	return fmt.Errorf("report format %q is not known; known are table, json, junit", format)
}

func (r Report) writeTable(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range r.Outcomes {
		fmt.Fprintln(tw, o.Row())
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, o := range r.Outcomes {
		if o.Status == Failed {
			fmt.Fprintf(w, "\n%s (%s)\nrepeat it with: --only %s\n", o.explain(), o.Host, o.ID)
		}
	}
	if r.Swept > 0 {
		fmt.Fprintf(w, "\n%d objects that were left in the target have been removed\n", r.Swept)
	}
	_, err := fmt.Fprintf(w, "\n%s %s: %d passed, %d failed, %d skipped in %v\n", r.Connector, r.Version,
		r.Count(Pass), r.Count(Failed), r.Count(Skipped), r.Took.Round(100*time.Millisecond))
	return err
}

// Row is the outcome in one line, its fields separated by tabs.
func (o Outcome) Row() string {
	mark := map[Status]string{Pass: "ok", Failed: "FAIL", Skipped: "skip"}[o.Status]
	row := fmt.Sprintf("%s\t%s\t%s\t%s", mark, o.ID, o.Host, o.Title)
	switch {
	case o.Status == Skipped:
		row += "  (" + o.Reason + ")"
	case len(o.NotTried) > 0:
		row += "  (not tried: " + strings.Join(o.NotTried, "; ") + ")"
	}
	return row
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Time    string      `xml:"time,attr"`
	Failure *junitText  `xml:"failure"`
	Skipped *junitShort `xml:"skipped"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitShort struct {
	Message string `xml:"message,attr"`
}

func (r Report) writeJUnit(w io.Writer) error {
	s := junitSuite{Name: strings.TrimSpace("conformance " + r.Connector + " " + r.Version), Tests: len(r.Outcomes),
		Failures: r.Count(Failed), Skipped: r.Count(Skipped), Time: seconds(r.Took)}
	for _, o := range r.Outcomes {
		c := junitCase{Class: r.Connector + "." + o.Host, Name: o.ID + " " + o.Title, Time: seconds(o.Took)}
		switch o.Status {
		case Failed:
			c.Failure = &junitText{Message: o.Reason, Text: o.explain()}
		case Skipped:
			c.Skipped = &junitShort{Message: o.Reason}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	return enc.Encode(s)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
