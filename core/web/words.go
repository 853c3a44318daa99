package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// funcs are what templates call.
var funcs = template.FuncMap{
	"asset": asset, "ago": ago, "stamp": stamp, "iso": iso, "short": short, "count": count, "plural": plural,
	"values": valuesText, "kinds": kindsText, "percent": percent, "sentence": sentence, "key": personKey, "json": prettyJSON,
	"pair": pair, "plans": plansOf, "runs": runsOf, "took": took, "text": attributeText, "known": knownAs,
	"gives": hub.Gives, "because": hub.Because, "first": firstNotes,
	"alerts": alertsOf, "userpath": userPath, "reaction": reactionText, "runkind": runKind, "code": codeText, "standstill": standstill, "lockouts": lockoutsText, "due": dueText,
	"situation": func(name string) string { return wordsOf(name).Title },
}

// pair gives a shared part of a template two things.
func pair(a, b any) [2]any { return [2]any{a, b} }

// plansOf and runsOf are what the shared tables of plans and runs show.
func plansOf(now time.Time, plans []store.PlanHead) plansPage {
	return plansPage{Now: now, Plans: plans}
}

func runsOf(now time.Time, runs []store.Run) runsPage { return runsPage{Now: now, Runs: runs} }

// alertsOf is what the shared table of alerts shows.
func alertsOf(now time.Time, alerts []store.Alert) alertsPage {
	return alertsPage{Now: now, Alerts: alerts}
}

// codeText shows what stands between back quotes as what is to be typed.
func codeText(text string) template.HTML {
	parts := strings.Split(text, "`")
	for i, p := range parts {
		if parts[i] = template.HTMLEscapeString(p); i%2 == 1 && i < len(parts)-1 {
			parts[i] = "<code>" + parts[i] + "</code>"
		}
	}
	return template.HTML(strings.Join(parts, ""))
}

// standstill is why a connector stands as it does, without the word that says how.
func standstill(standing hub.Standing, state string) string {
	if state == "ready" {
		return ""
	}
	if standing == hub.StandsWorkedOn {
		return strings.TrimPrefix(state, string(standing)+" ")
	}
	return strings.TrimPrefix(state, string(standing)+": ")
}

// runKind is what the runs of a kind are called.
func runKind(kind string) string {
	switch kind {
	case "cycle":
		return "readings of sources"
	case "reconcile":
		return "reconciliations"
	}
	return kind
}

// notesShown bounds the notes of a plan; `provhub plan show` lists them all.
const notesShown = 200

func firstNotes(notes []plan.Note) []plan.Note { return notes[:min(len(notes), notesShown)] }

// took is how long something took.
func took(from, until time.Time) string {
	return until.Sub(from).Round(100 * time.Millisecond).String()
}

// attributeText writes the value of a source's attribute.
func attributeText(v any) string {
	if list, ok := v.([]string); ok {
		return strings.Join(list, ", ")
	}
	return fmt.Sprint(v)
}

// knownAs shows the values of a person that text was found in.
func knownAs(a identity.Attributes, text string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if v := attributeText(a[name]); strings.Contains(strings.ToLower(v), strings.ToLower(text)) {
			parts = append(parts, name+": "+v)
		}
	}
	return strings.Join(parts, ", ")
}

// stamp is a time for people, to the second, where the hub is, as the commands print it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

// dueText says when a run was due that began later, for its jitter or because nobody was
// there to begin it; "": it began when it was due, or was asked for.
func dueText(r store.Run) string {
	if r.Slot.IsZero() || r.StartedAt.Sub(r.Slot) < time.Minute {
		return ""
	}
	return ", due " + stamp(r.Slot)
}

// iso is a time for machines: the datetime of a <time>.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ago says how long before now something was, or how long after.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	switch {
	case d < 0 && d > -time.Second, d >= 0 && d < time.Second:
		return "now"
	case d < 0:
		return "in " + span(-d)
	}
	return span(d) + " ago"
}

// span is a length of time in its largest unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// short shortens a hash or an id to what people compare.
func short(id string) string { return id[:min(len(id), 12)] }

// count writes a number with thousands apart: 1 234 567.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:] // a narrow space that does not break
	}
	return s
}

// plural returns "1 person", "3 people".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func valuesText(vs connector.Values) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = connector.Text(v)
	}
	return strings.Join(parts, ", ")
}

func kindsText(counts plan.Counts) string {
	var parts []string
	for _, k := range plan.Kinds {
		if counts[k] > 0 {
			parts = append(parts, plural(counts[k], string(k), string(k)+"s"))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

// percent is done of all in whole percent, rounded down so that 100 % means all.
func percent(done, all int) int {
	if all == 0 {
		return 100
	}
	return done * 100 / all
}

// sentence begins text with a capital and ends it with a full stop. Names keep their
// first letter as it is.
func sentence(text string, names ...string) string {
	if text == "" {
		return ""
	}
	text = strings.TrimSuffix(text, ".") + "."
	for _, n := range names {
		if n != "" && strings.HasPrefix(text, n) {
			return text
		}
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// personKey names a person in the address of a page. It is not to be read: anchors
// may be mail addresses, and addresses of pages end up in logs.
func personKey(k identity.Key) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{k.Source, string(k.Kind), k.Anchor}, "\x00")))
}

var errKey = errors.New("not the key of a person")

// parseKey reads what personKey wrote.
func parseKey(text string) (identity.Key, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return identity.Key{}, errKey
	}
	parts := strings.SplitN(string(b), "\x00", 3)
	if len(parts) != 3 {
		return identity.Key{}, errKey
	}
	return identity.Key{Source: parts[0], Kind: identity.Kind(parts[1]), Anchor: parts[2]}, nil
}
