// Package lifecycle says which state a person is in, and when that changes by
// itself: joiner, mover, leaver. It is pure: it takes now and reads no clock.
package lifecycle

import "time"

// Rules say how a person's state follows from the source's status and dates.
// Zero fields are not used; with all of them zero everybody present is active.
type Rules struct {
	// Status is the attribute that holds the status; Active, Suspended and Leaver
	// list its values, compared without regard to case. A status that is in no
	// list is a fault of the record.
	Status    string   `yaml:"status"`
	Active    []string `yaml:"active"`
	Suspended []string `yaml:"suspended"`
	Leaver    []string `yaml:"leaver"`
	// Start and End are attributes of type date. A person is active from the
	// start of the day Start until the end of the day End (the last working day)
	// in the person's zone (QUIRKS HR-20).
	Start string `yaml:"start"`
	End   string `yaml:"end"`
	// Zone is the attribute that holds an IANA zone name; DefaultZone is used
	// where it is missing; nil means UTC.
	Zone        string         `yaml:"zone"`
	DefaultZone *time.Location `yaml:"-"`
	// EndRequired: where Contractor (an attribute) has one of the values
	// Contractors, an end date is mandatory (QUIRKS HR-22).
	Contractor  string   `yaml:"contractor"`
	Contractors []string `yaml:"contractors"`
	EndRequired bool     `yaml:"end_required"`
}
