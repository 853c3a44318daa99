package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// maxDetail bounds what is kept of an answer for the debug log.
const maxDetail = 2048

// reads reports whether a call changes nothing (RFC 9110 §9.2.1).
func (c Call) reads() bool {
	return c.Safe || c.Method == http.MethodGet || c.Method == http.MethodHead || c.Method == http.MethodOptions
}

// InDoubt is e for a call that may have taken effect: e itself on a read, unknown
// on a write.
func (c Call) InDoubt(e *connector.Error) error {
	if c.reads() {
		return e
	}
	return connector.Unknown(e)
}

// transportError says what a call that got no answer leaves behind.
func (c Call) transportError(ctx context.Context, left bool, err error) error {
	e := &connector.Error{Code: connector.CodeUnavailable, Message: plainly(err), Cause: err}
	switch {
	case isCertificate(err):
		e.Code = connector.CodeConfiguration
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Code, e.Message = connector.CodeTimeout, "no answer within the time limit"
	}
	if left {
		return c.InDoubt(e)
	}
	return e
}

// plainly says what went wrong without the URL, which can hold names of people.
func plainly(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case isCertificate(err):
		return "there is no trusted connection to the API: " + certificateFault(err)
	case errors.As(err, &dns):
		return "the name " + dns.Name + " does not resolve"
	case errors.As(err, &op) && op.Op == "dial":
		return "cannot connect: " + op.Err.Error()
	case errors.Is(err, context.Canceled):
		return "the call was cancelled before the answer came"
	}
	return "the connection broke before the answer came"
}

func isCertificate(err error) bool { return certificateFault(err) != "" }

func certificateFault(err error) string {
	var verify *tls.CertificateVerificationError
	switch {
	case errors.As(err, &verify):
		return verify.Err.Error()
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS"
	}
	return ""
}

// codes are what the statuses of an API stand for. Those that are not here go
// by their hundred.
var codes = map[int]connector.Code{
	http.StatusBadRequest: connector.CodeInvalidValue, http.StatusUnprocessableEntity: connector.CodeInvalidValue,
	http.StatusUnauthorized: connector.CodeAuthentication, http.StatusForbidden: connector.CodePermission, http.StatusPaymentRequired: connector.CodeQuota,
	http.StatusNotFound: connector.CodeNotFound, http.StatusGone: connector.CodeNotFound,
	http.StatusMethodNotAllowed: connector.CodeConfiguration, http.StatusNotAcceptable: connector.CodeConfiguration,
	http.StatusUnsupportedMediaType: connector.CodeConfiguration, http.StatusNotImplemented: connector.CodeConfiguration,
	http.StatusRequestTimeout: connector.CodeTimeout, http.StatusConflict: connector.CodeAlreadyExists,
	http.StatusPreconditionFailed: connector.CodeVersionConflict, http.StatusRequestEntityTooLarge: connector.CodeTooLarge,
	http.StatusLocked: connector.CodeBusy, http.StatusTooEarly: connector.CodeBusy, http.StatusTooManyRequests: connector.CodeRateLimited,
	http.StatusInternalServerError: connector.CodeUnavailable, http.StatusBadGateway: connector.CodeUnavailable,
	http.StatusServiceUnavailable: connector.CodeUnavailable, http.StatusGatewayTimeout: connector.CodeTimeout,
}

func codeOf(status int) connector.Code {
	if c, ok := codes[status]; ok {
		return c
	}
	switch {
	case status >= 500:
		return connector.CodeUnavailable
	case status >= 400:
		return connector.CodeInvalidValue
	}
	return connector.CodeConfiguration // a redirect: the base address is wrong
}

// statusError is an answer that is no success.
func statusError(c Call, a *Answer) error {
	wait, _ := RetryAfter(a.Header, time.Now())
	e := &connector.Error{
		Code: codeOf(a.Status), NativeCode: fmt.Sprintf("HTTP %d", a.Status), RetryAfter: wait, Detail: clip(a.Body),
		Message: "the API answered " + strings.TrimSpace(strconv.Itoa(a.Status)+" "+http.StatusText(a.Status)),
	}
	switch a.Status {
	case http.StatusForbidden:
		e.Scope = connector.ScopeObject // until the hub sees that it is all of them
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return c.InDoubt(e)
	}
	return e
}

// notJSON is a success that cannot be read: a login page of a proxy, mostly.
func notJSON(a *Answer) *connector.Error {
	return &connector.Error{
		Code: connector.CodeConfiguration, NativeCode: fmt.Sprintf("HTTP %d", a.Status), Detail: clip(a.Body),
		Message: fmt.Sprintf("the API answered with %q where JSON is expected; is the address right?", a.Header.Get("Content-Type")),
	}
}

func clip(body []byte) string { return string(body[:min(len(body), maxDetail)]) }

// RetryAfter returns how long the API asked to be left alone, counted from now.
// It reads the Retry-After header, whole seconds or an HTTP date (RFC 9110
// §10.2.3); a date in the past gives 0. ok is false when the header is absent or
// is neither form.
func RetryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(now)), true
}
