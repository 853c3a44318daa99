package main

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// unit says what a value counts.
type unit string

const (
	seconds   unit = "s"
	perSecond unit = "/s"
	bytesEach unit = "B"
	mebibytes unit = "MiB"
	count     unit = ""
)

// value is one figure, the median of what was measured.
type value struct {
	N    float64 `json:"value"`
	Unit unit    `json:"unit"`
}

func inSeconds(d time.Duration) *value { return &value{d.Seconds(), seconds} }

// rate is how often something was done in d.
func rate(n int, d time.Duration) *value { return &value{float64(n) / d.Seconds(), perSecond} }

// String writes three digits that matter.
func (v *value) String() string {
	switch {
	case v == nil:
		return ""
	case v.Unit == seconds && v.N < 1:
		return digits(v.N*1000) + " ms"
	}
	return digits(v.N) + map[unit]string{seconds: " s", perSecond: " /s", bytesEach: " B", mebibytes: " MiB"}[v.Unit]
}

func digits(n float64) string {
	if n == 0 || math.IsNaN(n) {
		return "0"
	}
	decimals := max(0, 2-int(math.Floor(math.Log10(math.Abs(n)))))
	s := strconv.FormatFloat(n, 'f', decimals, 64)
	if decimals > 0 {
		return s
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// goal is what a line must reach. A nil goal judges nothing.
type goal struct {
	Text string  `json:"text"`
	Most float64 `json:"most"`
}

// line is one line of the table.
type line struct {
	Section string `json:"section"`
	What    string `json:"what"`
	Ours    *value `json:"ours"`
	// CPU is the processors' time of provhub and its plugins.
	CPU       *value `json:"cpu,omitempty"`
	Reference *value `json:"reference,omitempty"`
	// Ratio is our time by the reference's: below 1 we are faster.
	Ratio float64 `json:"ratio,omitempty"`
	Goal  *goal   `json:"goal,omitempty"`
	Met   *bool   `json:"met,omitempty"`
}

// add appends a line; against is what the goal, when there is one, bounds.
func (b *bench) add(l line, against float64) {
	if l.Goal != nil {
		met := against <= l.Goal.Most
		l.Met = &met
	}
	b.lines = append(b.lines, l)
}

// atMost is a goal for a ratio.
func atMost(ratio float64) *goal {
	return &goal{fmt.Sprintf("≤ %g × reference", ratio), ratio}
}

// below is a goal for a figure.
func below(v value) *goal { return &goal{"≤ " + v.String(), v.N} }
