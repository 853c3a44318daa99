package scim

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/rest"
	"github.com/provhub/provhub/connectors/connector"
)

// maxDetail bounds what is kept of a target's own words.
const maxDetail = 2048

// maxRetryAfter bounds how long a target can have itself left alone.
const maxRetryAfter = time.Hour

// Fault is an answer of the target that is no success. It is the cause of the
// [connector.Error] that the client returns: use [errors.As].
type Fault struct {
	Status   int
	ScimType string // RFC 7644 table 9, RFC 9865 §2.1; "" when not told
	Detail   string // the target's own words; they can hold personal data
	HTML     bool   // the body was a page for people
	Class    Class
	wait     time.Duration // Retry-After; 0: none
}

// Error implements error, without the target's words.
func (f *Fault) Error() string {
	s := strings.TrimSpace(strconv.Itoa(f.Status) + " " + http.StatusText(f.Status))
	if f.ScimType != "" {
		s += " (" + f.ScimType + ")"
	}
	return s
}

// faultOf reads an answer that is no success. The body is looked at before the
// status: what it says of itself is more precise.
func faultOf(a *rest.Answer, now time.Time) *Fault {
	f := &Fault{Status: a.Status, Detail: clip(a.Body)}
	if wait, ok := rest.RetryAfter(a.Header, now); ok {
		f.wait = min(wait, maxRetryAfter)
	}
	body, err := readResource(a.Body)
	if err != nil {
		f.HTML = isHTML(a)
		return f
	}
	f.read(body)
	return f
}

// read takes over what an error body says (RFC 7644 §3.12), in the forms that
// targets give it.
func (f *Fault) read(body Resource) {
	f.ScimType = textOf(member(body, "scimType"))
	if errs := list(member(body, "Errors")); len(errs) > 0 { // SCIM 1.1
		body = Resource(object(errs[0]))
	}
	for _, name := range []string{"detail", "description", "message", "error_description", "error"} {
		if s, ok := member(body, name).(string); ok && s != "" {
			f.Detail = clip([]byte(s))
			return
		}
	}
}

// errorInside returns the fault that a success holds: some targets answer 200 with
// an error body.
func errorInside(body Resource) *Fault {
	for _, s := range append(body.Schemas(), textOf(member(body, "schema"))) {
		if strings.EqualFold(s, "urn:ietf:params:scim:api:messages:2.0:Error") {
			status, err := strconv.Atoi(textOf(member(body, "status")))
			if err != nil || status < 300 {
				status = http.StatusInternalServerError
			}
			f := &Fault{Status: status}
			f.read(body)
			return f
		}
	}
	return nil
}

func isHTML(a *rest.Answer) bool {
	if strings.Contains(strings.ToLower(a.Header.Get("Content-Type")), "html") {
		return true
	}
	return bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("<"))
}

func clip(body []byte) string { return string(body[:min(len(body), maxDetail)]) }

// notSCIM is a success that holds something else: the sign-in page of a proxy,
// mostly. It is never an empty list.
func notSCIM(a *rest.Answer, what string) *connector.Error {
	return &connector.Error{
		Code: connector.CodeConfiguration, NativeCode: fmt.Sprintf("HTTP %d", a.Status), Detail: clip(a.Body),
		Message: fmt.Sprintf("the target answered with %s (Content-Type %q) where a SCIM resource is expected; is the address right, and does a sign-in page stand before it?", what, a.Header.Get("Content-Type")),
	}
}
