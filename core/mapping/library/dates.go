package library

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

func dateFunctions() []cel.EnvOption {
	pair := []*cel.Type{DateType, DateType}
	options := []cel.EnvOption{
		cel.Function("date", f1("date", ParseDate), f2("date", dateIn)),
		cel.Function("string", cel.Overload("date_to_string", []*cel.Type{DateType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return v.ConvertToType(types.StringType) }))),
		cel.Function("parse_date", f2("parse_date", parseDate)),
		cel.Function("format_date", f2("format_date", formatDate), f3("format_date", formatTime)),
		cel.Function("add_days", f2("add_days", addDays)),
		cel.Function("add_months", f2("add_months", addMonths)),
		cel.Function("days_between", f2("days_between", daysBetween)),
		cel.Function("start_of_day", f2("start_of_day", startOfDay)),
		cel.Function("end_of_day", f2("end_of_day", endOfDay)),
		cel.Function("filetime", f1("filetime", filetime)),
		cel.Function("generalized_time", f1("generalized_time", sure1(generalizedTime))),
	}
	for op, id := range map[string]string{
		operators.Less: "less", operators.LessEquals: "less_equals",
		operators.Greater: "greater", operators.GreaterEquals: "greater_equals",
	} {
		options = append(options, cel.Function(op, cel.Overload(id+"_date", pair, cel.BoolType)))
	}
	return options
}

var zones = memo[*time.Location]{make: loadZone}

func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, faultf("the time zone is not an IANA name such as Europe/Berlin or UTC")
	}
	return zone, nil
}

func dateIn(t time.Time, zone string) (Date, error) {
	z, err := zones.get(zone)
	if err != nil {
		return "", err
	}
	return dateOf(t.In(z)), nil
}

var errNoDate = &MissingError{Name: "the date"}

func parseDate(text, layout string) (Date, error) {
	goes, err := layouts.get(layout)
	if err != nil {
		return "", err
	}
	if blank(text) {
		return "", errNoDate
	}
	t, err := time.Parse(goes, text)
	if err != nil {
		return "", faultf("the text is not a date in the form %s", layout)
	}
	return dateOf(t), nil
}

func formatDate(d Date, layout string) (string, error) {
	goes, err := layouts.get(layout)
	if err != nil {
		return "", err
	}
	t, err := d.midnight()
	if err != nil {
		return "", err
	}
	return t.Format(goes), nil
}

func formatTime(t time.Time, layout, zone string) (string, error) {
	goes, err := layouts.get(layout)
	if err != nil {
		return "", err
	}
	z, err := zones.get(zone)
	if err != nil {
		return "", err
	}
	return t.In(z).Format(goes), nil
}

// maxDays bounds add_days and add_months to what four-digit years can hold.
const maxDays = 366 * 10_000

func checkedDate(t time.Time) (Date, error) {
	if t.Year() < 1 || t.Year() > 9999 {
		return "", faultf("the date is outside of the years 1 to 9999")
	}
	return dateOf(t), nil
}

func addDays(d Date, days int64) (Date, error) {
	t, err := d.midnight()
	if err != nil {
		return "", err
	}
	if days > maxDays || days < -maxDays {
		return "", faultf("the number of days is out of range")
	}
	return checkedDate(t.AddDate(0, 0, int(days)))
}

// addMonths keeps to the end of a shorter month: a month after 31 January is
// 28 or 29 February.
func addMonths(d Date, months int64) (Date, error) {
	t, err := d.midnight()
	if err != nil {
		return "", err
	}
	if months > maxDays || months < -maxDays {
		return "", faultf("the number of months is out of range")
	}
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return checkedDate(first.AddDate(0, 0, min(t.Day(), last)-1))
}

func daysBetween(from, to Date) (int64, error) {
	a, err := from.midnight()
	if err != nil {
		return 0, err
	}
	b, err := to.midnight()
	if err != nil {
		return 0, err
	}
	return int64(b.Sub(a) / (24 * time.Hour)), nil
}

func startOfDay(d Date, zone string) (time.Time, error) { return dayBegins(d, 0, zone) }

// endOfDay is the last second of the day at the site: a last working day ends
// there and not at midnight UTC (QUIRKS HR-20, LDAP-46).
func endOfDay(d Date, zone string) (time.Time, error) {
	t, err := dayBegins(d, 1, zone)
	return t.Add(-time.Second), err
}

// dayBegins is the first moment of the day that is later than d by days.
func dayBegins(d Date, days int, zone string) (time.Time, error) {
	day, err := d.midnight()
	if err != nil {
		return day, err
	}
	z, err := zones.get(zone)
	if err != nil {
		return day, err
	}
	day = day.AddDate(0, 0, days)
	t := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, z)
	if t.Day() != day.Day() {
		// Clocks go forward at midnight there: the day begins when they do.
		_, t = t.ZoneBounds()
	}
	return t, nil
}

// filetimeEpoch is 1601-01-01 in Unix seconds.
const filetimeEpoch = -11_644_473_600

// filetime counts 100 ns since 1601-01-01 UTC, as Active Directory's
// accountExpires does (QUIRKS LDAP-46).
func filetime(t time.Time) (int64, error) {
	if t.Unix() < filetimeEpoch {
		return 0, faultf("the time is before 1601")
	}
	return (t.Unix()-filetimeEpoch)*10_000_000 + int64(t.Nanosecond())/100, nil
}

// generalizedTime is the form of RFC 4517 §3.3.13.
func generalizedTime(t time.Time) string { return t.UTC().Format("20060102150405Z") }
