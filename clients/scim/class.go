package scim

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// What an answer means depends on the kind of request: a 404 is a wrong address on
// a create, a vanished account on an update, and success on a delete.
//
//	status             create     update      delete     read
//	400 invalidFilter, invalidPath, invalidSyntax, invalidVers: config
//	400 noTarget       permanent  check_done  check_done permanent
//	400 uniqueness     conflict   conflict    conflict   permanent
//	400 tooMany, 413   split      split       split      split
//	400 else, 422      permanent  permanent   permanent  config
//	401 403 405 501 …  config     config      config     config
//	404, 410           config     replan      done       replan
//	404 with HTML      config     config      config     config
//	409                conflict   conflict    replan     retry
//	412 with If-Match  permanent  replan      replan     replan
//	412 without        permanent  permanent   permanent  permanent
//	429, 503 with wait throttle   throttle    throttle   throttle
//	503                target_down everywhere
//	408 500 502 504 …  unknown    unknown     unknown    retry
func (p *Profile) classOf(r Request, f *Fault) Class {
	for _, rule := range p.StatusMap {
		if rule.fits(r.Op, f) {
			return rule.Class
		}
	}
	if f.HTML && (!p.TolerateHTMLError || f.Status == http.StatusNotFound) {
		return ClassConfig // a page of something in between says nothing of the resource
	}
	switch f.Status {
	case http.StatusBadRequest:
		return classOfType(r.Op, f.ScimType)
	case http.StatusUnprocessableEntity:
		return pick(r.Op, ClassPermanent, ClassPermanent, ClassPermanent, ClassConfig)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
		http.StatusUnsupportedMediaType, http.StatusRequestURITooLong, http.StatusNotImplemented:
		return ClassConfig
	case http.StatusNotFound, http.StatusGone:
		return pick(r.Op, ClassConfig, vanished(p), ClassDone, ClassReplan)
	case http.StatusConflict:
		return pick(r.Op, ClassConflict, ClassConflict, ClassReplan, ClassRetry)
	case http.StatusPreconditionFailed:
		if r.IfMatch == "" {
			return ClassPermanent // then it is no version that failed
		}
		return pick(r.Op, ClassPermanent, ClassReplan, ClassReplan, ClassReplan)
	case http.StatusRequestEntityTooLarge:
		return ClassSplit
	case http.StatusLocked, http.StatusTooEarly:
		return ClassRetry
	case http.StatusTooManyRequests:
		return ClassThrottle
	case http.StatusServiceUnavailable:
		if f.wait > 0 {
			return ClassThrottle
		}
		return ClassTargetDown
	case http.StatusRequestTimeout:
		return pick(r.Op, ClassUnknown, ClassUnknown, ClassUnknown, ClassRetry)
	}
	switch {
	case f.Status >= 500:
		return pick(r.Op, ClassUnknown, ClassUnknown, ClassUnknown, ClassRetry)
	case f.Status >= 400:
		return ClassPermanent
	}
	return ClassConfig // a redirect: the address is wrong
}

// classOfType reads the scimType of a 400 (RFC 7644 table 9, RFC 9865 §2.1).
func classOfType(op OpKind, scimType string) Class {
	switch strings.ToLower(scimType) {
	case "invalidfilter", "invalidpath", "invalidsyntax", "invalidvers":
		return ClassConfig
	case "notarget":
		return pick(op, ClassPermanent, ClassCheckDone, ClassCheckDone, ClassPermanent)
	case "uniqueness":
		return pick(op, ClassConflict, ClassConflict, ClassConflict, ClassPermanent)
	case "toomany":
		return ClassSplit
	case "invalidcursor", "expiredcursor":
		return ClassRetry
	}
	return pick(op, ClassPermanent, ClassPermanent, ClassPermanent, ClassConfig)
}

func pick(op OpKind, create, update, remove, read Class) Class {
	switch op {
	case OpCreate:
		return create
	case OpUpdate:
		return update
	case OpDelete:
		return remove
	}
	return read
}

func (s StatusRule) fits(op OpKind, f *Fault) bool {
	return s.Status == f.Status && (s.Op == "" || s.Op == op) &&
		(s.ScimType == "" || strings.EqualFold(s.ScimType, f.ScimType)) &&
		(s.Detail == "" || strings.Contains(strings.ToLower(f.Detail), strings.ToLower(s.Detail)))
}

// failure returns what a call that was answered with f returns: nil for nothing
// but a class of done.
func (p *Profile) failure(r Request, f *Fault) error {
	f.Class = p.classOf(r, f)
	e := &connector.Error{Code: codeOf(f), NativeCode: fmt.Sprintf("HTTP %d", f.Status), Detail: f.Detail, Cause: f, Message: p.say(r, f)}
	if f.ScimType != "" {
		e.NativeCode += " " + f.ScimType
	}
	if f.Class == ClassThrottle || f.Class == ClassTargetDown || f.Class == ClassRetry {
		e.RetryAfter = f.wait
	}
	switch f.Class {
	case ClassDone:
		return connector.Unchanged
	case ClassUnknown:
		if r.Op != OpRead {
			return connector.Unknown(e)
		}
	case ClassConfig:
		if narrow(r.Op, f) {
			e.Scope = connector.ScopeObject // until the hub sees that it is all of them
		}
	}
	return e
}

// narrow reports whether a fault of the config may concern one resource alone.
func narrow(op OpKind, f *Fault) bool {
	if f.Status == http.StatusForbidden {
		return true
	}
	return !f.HTML && op != OpRead && (f.Status == http.StatusBadRequest || f.Status == http.StatusUnprocessableEntity)
}

func codeOf(f *Fault) connector.Code {
	switch f.Class {
	case ClassThrottle:
		if f.Status == http.StatusServiceUnavailable {
			return connector.CodeUnavailable // for everybody, and it says until when
		}
		return connector.CodeRateLimited
	case ClassTargetDown:
		return connector.CodeUnavailable
	case ClassRetry, ClassUnknown, ClassDone:
		switch f.Status {
		case http.StatusRequestTimeout, http.StatusGatewayTimeout:
			return connector.CodeTimeout
		case http.StatusLocked, http.StatusTooEarly, http.StatusConflict:
			return connector.CodeBusy
		}
		return connector.CodeUnavailable
	case ClassConflict:
		return connector.CodeAlreadyExists
	case ClassReplan:
		if f.Status == http.StatusNotFound || f.Status == http.StatusGone {
			return connector.CodeNotFound
		}
		return connector.CodeVersionConflict
	case ClassSplit:
		return connector.CodeTooLarge
	case ClassConfig:
		switch f.Status {
		case http.StatusUnauthorized:
			return connector.CodeAuthentication
		case http.StatusForbidden:
			return connector.CodePermission
		}
		return connector.CodeConfiguration
	}
	switch {
	case f.Status == http.StatusPreconditionFailed, f.Status == http.StatusNotFound, f.Status == http.StatusGone, strings.EqualFold(f.ScimType, "mutability"):
		return connector.CodePolicy
	}
	return connector.CodeInvalidValue
}

// say puts a fault into words: what was asked, what came back, what to do.
func (p *Profile) say(r Request, f *Fault) string {
	text := fmt.Sprintf("%s %s was answered with %s", r.Method, p.route(r), f.Error())
	switch {
	case f.HTML:
		return text + " and a page for people; is the address right, and does something stand between?"
	case f.Status == http.StatusUnauthorized:
		return text + "; check the token or password of this connector"
	case f.Status == http.StatusForbidden:
		return text + "; does the token have the right to do this?"
	case f.Class == ClassConfig && f.Status == http.StatusNotFound:
		return text + "; does the address of this connector end where " + p.Collection(r.Type) + " begins?"
	case f.Class == ClassPermanent && f.Status == http.StatusNotFound:
		return text + "; this target hides disabled users, so it may be there: enable it first"
	case f.Class == ClassConfig && f.Status < 400:
		return text + "; use the address that it leads to"
	case f.Class == ClassConfig:
		return text + "; the target wants another dialect than profile " + p.Name + " speaks: override what it names"
	}
	return text
}

// route is the path with ids left out.
func (p *Profile) route(r Request) string {
	for _, t := range []ResourceType{Users, Groups} {
		if base := strings.TrimSuffix(p.Collection(t), "/"); strings.HasPrefix(r.Path, base+"/") && r.Path != base+"/.search" {
			return base + "/…"
		}
	}
	return r.Path
}

// vanished is the class of an update whose resource is not found. On a target that
// hides disabled users that is no proof: made again, it would be there twice.
func vanished(p *Profile) Class {
	if p.DisabledVisible == DisabledHidden {
		return ClassPermanent
	}
	return ClassReplan
}
