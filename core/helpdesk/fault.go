package helpdesk

import (
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// fault is what an error code says in plain words. TARGET stands for the name of the
// connector, VALUE for the attributes at fault.
type fault struct {
	happened string
	// parked and retry say what to do in these states, and whose turn it is.
	parked, retry cure
}

type cure struct {
	do  string
	who Who
}

const (
	byItself = "nothing: it is tried again by itself"
	decide   = "decide whether it is done or not"
)

// faults says what each code means, and what cures it.
var faults = map[connector.Code]fault{
	connector.CodeUnavailable: {"TARGET cannot be reached",
		cure{"try again once TARGET works again", Ops}, cure{byItself, Nobody}},
	connector.CodeTimeout: {"TARGET does not answer in time",
		cure{"try again once TARGET answers", Ops}, cure{byItself, Nobody}},
	connector.CodeRateLimited: {"TARGET asks for fewer requests",
		cure{"try again later", Helpdesk}, cure{byItself, Nobody}},
	connector.CodeBusy: {"the account is locked in TARGET, or somebody else is changing it",
		cure{"look whether it is still locked in TARGET, then try again", Helpdesk}, cure{byItself, Nobody}},
	connector.CodeDependencyMissing: {"what VALUE needs is not in TARGET yet",
		cure{"make what is missing in TARGET, then try again", Target}, cure{"make what is missing in TARGET; it is tried again by itself", Target}},
	connector.CodeAlreadyExists: {"another account in TARGET has the same VALUE already",
		cure{"look at the account that is in the way in TARGET: take it over if it is the same person's, else have it changed, then try again", Helpdesk}, cure{byItself, Nobody}},
	connector.CodeNotFound: {"TARGET does not find what is to be changed",
		cure{"look for the account in TARGET, then try again", Helpdesk}, cure{byItself, Nobody}},
	connector.CodeVersionConflict: {"somebody else changed the account in TARGET at the same time",
		cure{"try again", Helpdesk}, cure{byItself, Nobody}},
	connector.CodeAmbiguous: {"several accounts in TARGET fit, and which one it is nobody can tell",
		cure{"have all but one of the accounts in TARGET changed or removed, then try again", Target}, cure{byItself, Nobody}},
	connector.CodeAuthentication: {"TARGET refuses the hub's sign-in",
		cure{"mend the sign-in of the connector and check it, then try again", Ops}, cure{"mend the sign-in of the connector and check it; it is tried again by itself", Ops}},
	connector.CodePermission: {"TARGET does not allow the hub to do this",
		cure{"give the hub's account in TARGET the right it lacks, then try again", Ops}, cure{"give the hub's account in TARGET the right it lacks; it is tried again by itself", Ops}},
	connector.CodeConfiguration: {"the connector of TARGET is not configured for this",
		cure{"mend the config of the connector and check it, then try again", Ops}, cure{"mend the config of the connector and check it; it is tried again by itself", Ops}},
	connector.CodeQuota: {"TARGET has no free seat or licence",
		cure{"free a seat in TARGET, or buy one, then try again", Target}, cure{"free a seat in TARGET, or buy one: then it goes on by itself", Target}},
	connector.CodeInvalidValue: {"TARGET refuses the value of VALUE",
		cure{"have the value corrected in the source, or send another one from here", Source}, cure{byItself, Nobody}},
	connector.CodePolicy: {"a rule of TARGET forbids it",
		cure{"find out which rule of TARGET forbids it; correct the value in the source, send another one, or do it by hand and skip it here", Helpdesk}, cure{byItself, Nobody}},
	connector.CodeUnsupported: {"TARGET cannot do this",
		cure{"do it by hand in TARGET and skip it here, or have the rules changed that ask for it", Ops}, cure{byItself, Nobody}},
	connector.CodeTooLarge: {"the value of VALUE is too large for TARGET",
		cure{"have the value shortened in the source, or send another one from here", Source}, cure{byItself, Nobody}},
	connector.CodeInternal: {"the plugin of TARGET failed",
		cure{"report it to the author of the plugin; trying again may help", Ops}, cure{byItself, Nobody}},
}

// faultOf returns what a code means; one from a newer connector is explained by its class.
func faultOf(code connector.Code) fault {
	if f, ok := faults[code]; ok {
		return f
	}
	switch code.Class() {
	case connector.ClassTransient:
		return faults[connector.CodeUnavailable]
	case connector.ClassConflict:
		return faults[connector.CodeVersionConflict]
	case connector.ClassInstance:
		return faults[connector.CodeConfiguration]
	case connector.ClassPermanent:
		return faults[connector.CodePolicy]
	}
	return faults[connector.CodeInternal]
}

// fault says what is wrong.
func (s subject) fault(code connector.Code, attributes []string) string {
	value := strings.Join(attributes, ", ")
	if value == "" {
		value = map[connector.Code]string{
			connector.CodeAlreadyExists: "name", connector.CodeDependencyMissing: "the account",
		}[code]
	}
	if value == "" {
		value = "an attribute"
	}
	return s.fill(faultOf(code).happened, value)
}

func (s subject) fill(text, value string) string {
	return strings.NewReplacer("TARGET", s.connector, "VALUE", value).Replace(text)
}
