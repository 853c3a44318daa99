package web

import "strings"

// situationWords say in plain words what a situation is.
type situationWords struct {
	// Title is short, Means says what it is for people, Todo what to do about it.
	Title, Means, Todo string
	Urgent             bool
}

// situations are in the words of people; see the package reconcile.
var situations = map[string]situationWords{
	"enabled_again": {"enabled again", "We disabled the account, and somebody enabled it in the target: who left can sign in.", "Find out who did it; then have it disabled again (reaction fix).", true},
	"there_again":   {"there again", "We deleted the account, and it is there.", "Find out who made it; have it deleted again (reaction fix), or take it into the source.", true},
	"orphan":        {"nobody’s", "No source knows anybody whose account it is.", "Find out whose it is. Have it disabled (reaction disable), or ignore accounts of machines.", true},
	"ambiguous":     {"perhaps several people’s", "It fits several people, or somebody who has another account.", "Say in the target whose it is, so that one rule fits one person.", false},
	"unlinked":      {"not linked yet", "It fits one person who has no account here; provhub has not made it.", "Have it taken over (reaction adopt) if the match is sure.", false},
	"missing":       {"missing", "We made the account, and it is not in the target any more.", "Find out who deleted it; have it made again (reaction fix).", false},
	"drifted":       {"changed by others", "Somebody changed in the target what provhub had written.", "Have it written again (reaction fix), or leave the attribute to the target.", false},
	"left_over":     {"left over", "The account should be out of use, or gone, and is not.", "Have it planned anew (reaction fix); until then somebody may have access who should not.", true},
	"excess_grants": {"grants too many", "It has grants that no rule gives any more.", "Have it planned anew (reaction fix).", true},
	"owed":          {"owed", "Somebody should have the account, or the use of it, and has not.", "Have it planned anew (reaction fix).", false},
	"outdated":      {"outdated", "It does not hold what the rules say now.", "Have it planned anew (reaction fix).", false},
	"unclear":       {"unclear", "What it should be cannot be worked out, or cannot be done.", "Mend the rule or the record that the sentence names.", false},
	"rules_changed": {"rules changed", "The rules are not the ones that were applied last, or nobody was ever planned for.", "The next plan looks at everybody.", false},
}

// wordsOf returns the words for a situation, also one that it does not know.
func wordsOf(name string) situationWords {
	if w, ok := situations[name]; ok {
		return w
	}
	return situationWords{Title: strings.ReplaceAll(name, "_", " ")}
}

// reactionText says what was done about a finding.
func reactionText(reaction string) string {
	switch reaction {
	case "report":
		return "noted only"
	case "fix":
		return "planned anew"
	case "adopt":
		return "to be taken over"
	case "disable":
		return "in a plan that disables it"
	}
	return reaction
}
