package csvfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// isoDate is the form in which all dates are handed on.
const isoDate = "2006-01-02"

// excelSerial marks the format EXCEL: days since 1899-12-30.
const excelSerial = "EXCEL"

// oldestYear is the first year taken to be meant: 0202-03-31 is a slip.
const oldestYear = 1900

var errNotDate = errors.New("no such date")

// tokens are the letters of a date format and what they are in Go, the longest
// first. Small letters stand for the same, minutes excepted.
var tokens = []struct{ letters, layout string }{
	{"YYYY", "2006"}, {"MMM", "Jan"}, {"YY", "06"}, {"MM", "01"}, {"DD", "02"},
	{"HH", "15"}, {"SS", "05"}, {"M", "1"}, {"D", "2"}, {"H", "15"}, {"Z", "Z07:00"},
}

// parseFormats turns date formats such as DD.MM.YYYY into Go layouts; none is
// YYYY-MM-DD. Two formats that read one text as two dates are refused.
func parseFormats(formats []string) ([]string, error) {
	if len(formats) == 0 {
		return []string{isoDate}, nil
	}
	var layouts []string
	for _, f := range formats {
		l, err := parseFormat(f)
		if err != nil {
			return nil, err
		}
		for i, other := range layouts {
			if clash := ambiguous(l, other); clash != "" {
				return nil, fmt.Errorf("formats %s and %s read %q as different dates: keep one", formats[i], f, clash)
			}
		}
		layouts = append(layouts, l)
	}
	return layouts, nil
}

func parseFormat(format string) (string, error) {
	if strings.EqualFold(format, excelSerial) {
		return excelSerial, nil
	}
	var layout strings.Builder
	seen := map[string]bool{}
	for rest := format; rest != ""; {
		letters, part := nextToken(rest, seen["HH"])
		if part == "" {
			if c := rest[0]; c != 'T' && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
				return "", fmt.Errorf("format %q: %q is no letter of a date; use YYYY or YY, MM, M or MMM, DD or D, HH, mm, SS, Z, or EXCEL", format, c)
			}
			letters, part = rest[:1], rest[:1]
		}
		layout.WriteString(part)
		seen[strings.ToUpper(letters)] = true
		rest = rest[len(letters):]
	}
	year := seen["YYYY"] != seen["YY"]
	month := seen["MM"] || seen["M"] || seen["MMM"]
	if !year || !month || !(seen["DD"] || seen["D"]) {
		return "", fmt.Errorf("format %q does not name a year, a month and a day, such as DD.MM.YYYY", format)
	}
	return layout.String(), nil
}

// nextToken returns the letters that rest begins with and their Go layout. mm
// after the hours are the minutes.
func nextToken(rest string, inTime bool) (letters, layout string) {
	if inTime && strings.HasPrefix(strings.ToLower(rest), "mm") {
		return rest[:2], "04"
	}
	for _, t := range tokens {
		if n := len(t.letters); len(rest) >= n && strings.EqualFold(rest[:n], t.letters) {
			return rest[:n], t.layout
		}
	}
	return "", ""
}

// ambiguous returns a text that both layouts read, as different dates; "" when
// there is none.
func ambiguous(a, b string) string {
	if a == excelSerial || b == excelSerial {
		return ""
	}
	for _, probe := range []time.Time{time.Date(2003, 2, 1, 4, 5, 6, 0, time.UTC), time.Date(2001, 12, 11, 10, 9, 8, 0, time.UTC)} {
		for _, l := range [][2]string{{a, b}, {b, a}} {
			text := probe.Format(l[0])
			x, err1 := time.Parse(l[0], text)
			y, err2 := time.Parse(l[1], text)
			if err1 == nil && err2 == nil && x.Format(isoDate) != y.Format(isoDate) {
				return text
			}
		}
	}
	return ""
}

// parseDate reads text in the first layout that fits. A time with an offset is
// taken to zone before its date counts.
func parseDate(text string, layouts []string, zone *time.Location) (time.Time, error) {
	for _, l := range layouts {
		if l == excelSerial {
			if t, err := parseSerial(text); err == nil {
				return t, nil
			}
			continue
		}
		// Never parse in a zone: midnight does not exist where clocks change then,
		// and the day would be another.
		t, err := parse(l, text)
		if err != nil {
			continue
		}
		if t.Year() < oldestYear {
			return t, fmt.Errorf("the year %d cannot be meant; a date that means \"none\" belongs in sentinels", t.Year())
		}
		if strings.Contains(l, "Z07") {
			t = t.In(zone)
		}
		return t, nil
	}
	return time.Time{}, errNotDate
}

// parse is [time.Parse], and quick for the layout that most files have.
func parse(layout, text string) (time.Time, error) {
	if layout != isoDate {
		return time.Parse(layout, text)
	}
	if len(text) != len(isoDate) || text[4] != '-' || text[7] != '-' {
		return time.Time{}, errNotDate
	}
	year, ok1 := digits(text[:4])
	month, ok2 := digits(text[5:7])
	day, ok3 := digits(text[8:])
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !ok1 || !ok2 || !ok3 || t.Month() != time.Month(month) || t.Day() != day {
		return time.Time{}, errNotDate // a 30th of February would become March
	}
	return t, nil
}

// digits reads a number of nothing but digits.
func digits(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

// parseSerial reads the number of days that Excel keeps for a date; the part
// after the point is the time. Serials up to 60 are refused: Excel counts a
// 29th of February 1900, and no HR date is that old.
func parseSerial(text string) (time.Time, error) {
	days, _, _ := strings.Cut(text, ".")
	n, err := strconv.Atoi(days)
	if _, ferr := strconv.ParseFloat(text, 64); err != nil || ferr != nil || n <= 60 || n > 2958465 {
		return time.Time{}, errNotDate
	}
	return time.Date(1899, 12, 30+n, 0, 0, 0, 0, time.UTC), nil
}
