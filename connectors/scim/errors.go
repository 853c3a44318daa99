package scim

import (
	"errors"

	"github.com/provhub/provhub/connectors/connector"
)

func configuration(text string) error {
	return &connector.Error{Code: connector.CodeConfiguration, Message: text}
}

func notFound(t *objectType) error {
	return connector.Errorf(connector.CodeNotFound, "there is no such %s", t.name)
}

func invalid(attribute, format string, args ...any) error {
	e := connector.Errorf(connector.CodeInvalidValue, format, args...)
	if attribute != "" {
		e.Attributes = []string{attribute}
	}
	return e
}

// isUnknown reports whether err leaves open what happened.
func isUnknown(err error) bool {
	var a *connector.Answer
	return errors.As(err, &a) && a.Result.Outcome == connector.OutcomeUnknown
}

// recoded returns err with another code, whatever is around it.
func recoded(err error, code connector.Code) error {
	var e *connector.Error
	if !errors.As(err, &e) || isUnknown(err) {
		return err
	}
	again := *e
	again.Code = code
	return &again
}
