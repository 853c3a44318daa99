package library

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
)

// QUIRKS HR-20, LDAP-46: a day ends when it ends at the site.
func TestEndOfDay(t *testing.T) {
	for _, tt := range []struct{ name, day, zone, want string }{
		{"winter in Berlin", "2026-01-31", "Europe/Berlin", "2026-01-31T22:59:59Z"},
		{"the short day in spring", "2026-03-29", "Europe/Berlin", "2026-03-29T21:59:59Z"},
		{"the long day in autumn", "2026-10-25", "Europe/Berlin", "2026-10-25T22:59:59Z"},
		{"Auckland is ahead by half a day", "2026-06-30", "Pacific/Auckland", "2026-06-30T11:59:59Z"},
		{"Honolulu is behind", "2026-06-30", "Pacific/Honolulu", "2026-07-01T09:59:59Z"},
		{"a day that does not begin at midnight", "2026-09-05", "America/Santiago", "2026-09-06T03:59:59Z"},
		{"a day on which clocks go back at midnight", "2026-04-04", "America/Santiago", "2026-04-05T03:59:59Z"},
		{"a day after which midnight comes twice", "2026-10-31", "America/Havana", "2026-11-01T03:59:59Z"},
		{"the last day of a leap February", "2028-02-29", "UTC", "2028-02-29T23:59:59Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := endOfDay(Date(tt.day), tt.zone)
			if err != nil || got.UTC().Format(time.RFC3339) != tt.want {
				t.Errorf("got %v, %v; want %s", got.UTC(), err, tt.want)
			}
		})
	}
}

func TestDateArithmetic(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    func(Date, int64) (Date, error)
		day  Date
		n    int64
		want Date // "": a fault
	}{
		{"days across a year", addDays, "2026-12-31", 1, "2027-01-01"},
		{"days backwards", addDays, "2026-03-01", -1, "2026-02-28"},
		{"days out of range", addDays, "2026-03-01", 1 << 62, ""},
		{"days beyond the year 9999", addDays, "9999-12-31", 1, ""},
		{"a month keeps to the end of a shorter one", addMonths, "2026-01-31", 1, "2026-02-28"},
		{"and to the end of a leap one", addMonths, "2028-01-31", 1, "2028-02-29"},
		{"months backwards", addMonths, "2026-03-31", -1, "2026-02-28"},
		{"a year in months", addMonths, "2026-03-31", 12, "2027-03-31"},
		{"months out of range", addMonths, "2026-03-31", -1 << 62, ""},
		{"no date", addDays, "soon", 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.f(tt.day, tt.n)
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// QUIRKS HR-23: what is ambiguous is refused.
func TestLayouts(t *testing.T) {
	for _, tt := range []struct{ name, layout, want string }{
		{"day first", "DD.MM.YYYY", "02.01.2006"},
		{"small letters", "dd/mm/yyyy", "02/01/2006"},
		{"minutes after the hours", "YYYY-MM-DDTHH:mm:ssZ", "2006-01-02T15:04:05Z"},
		{"month names", "D MMM YYYY, MMMM", "2 Jan 2006, January"},
		{"two-digit years are refused", "DD.MM.YY", ""},
		{"letters of no date are refused", "YYYY-WW", ""},
		{"digits are refused: they mean something in Go's layouts", "YYYY-01-02", ""},
		{"an empty layout is refused", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := goLayout(tt.layout)
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
	for _, text := range []string{"31.02.2026", "1.3.2026", "2026-03-01", "01.03.26"} {
		if d, err := parseDate(text, "DD.MM.YYYY"); err == nil {
			t.Errorf("%s was read as %s", text, d)
		}
	}
}

func TestFiletime(t *testing.T) {
	for _, tt := range []struct {
		at   string
		want int64
	}{
		{"1601-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00Z", 116444736000000000},
		{"9999-12-31T23:59:59Z", 2650467743990000000},
	} {
		at, _ := time.Parse(time.RFC3339, tt.at)
		if got, err := filetime(at); got != tt.want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", tt.at, got, err, tt.want)
		}
	}
	if _, err := filetime(time.Date(1600, 12, 31, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("a time before 1601 has no file time")
	}
}

func TestPhone(t *testing.T) {
	for _, tt := range []struct{ name, text, country, want string }{
		{"national with trunk prefix", "(030) 123-45.67", "DE", "+49301234567"},
		{"national without trunk prefix", "91 123 45 67", "ES", "+34911234567"},
		{"international with +", "+43 1 1234567", "DE", "+4311234567"},
		{"international with 00", "0043 1 1234567", "DE", "+4311234567"},
		{"the (0) of those who dial at home goes", "+49 (0) 30 1234567", "FR", "+49301234567"},
		{"Italy keeps the zero", "06 1234567", "IT", "+39061234567"},
		{"Hungary dials 06", "06 30 123 4567", "HU", "+36301234567"},
		{"Russia dials 8", "8 (495) 123-45-67", "RU", "+74951234567"},
		{"North America dials 1", "1 212 555 0123", "CA", "+12125550123"},
		{"Australia dials 0011 abroad", "0011 49 30 1234567", "AU", "+49301234567"},
		{"a small country code", "030 1234567", "de", "+49301234567"},
		{"no-break spaces and invisible marks", "\u202a+49\u00a030\u00a01234567\u202c", "DE", "+49301234567"},
		{"too short", "110", "DE", ""},
		{"too long", "+49301234567890123", "DE", ""},
		{"letters", "1-800-FLOWERS", "US", ""},
		{"a plus in the middle", "030+1234567", "DE", ""},
		{"an unknown country", "030 1234567", "ZZ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := phone(tt.text, tt.country)
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestCallingCodesAreSound(t *testing.T) {
	plans, err := callingPlans()
	if err != nil || len(plans) < 240 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	for country, plan := range plans {
		if r, err := language.ParseRegion(country); err != nil || r.String() != country {
			t.Errorf("%s is no ISO 3166-1 code", country)
		}
		if len(plan.code) < 1 || len(plan.code) > 3 || strings.Trim(plan.code+plan.trunk, "0123456789") != "" {
			t.Errorf("%s: %+v", country, plan)
		}
		number := plan.trunk + "212555012"
		if got, err := phone(number, country); err != nil || got != "+"+plan.code+"212555012" {
			t.Errorf("%s: %s gives %q, %v", country, number, got, err)
		}
	}
	for _, text := range []string{"DE 49", "DEU 49 0"} {
		if _, err := parseCallingPlans(text); err == nil {
			t.Errorf("%q is taken for a line of the table", text)
		}
	}
}

func TestCountryCode(t *testing.T) {
	for _, tt := range []struct{ text, form, want string }{
		{"de", "alpha2", "DE"}, {" DEU ", "alpha2", "DE"}, {"276", "alpha2", "DE"}, {"UK", "alpha2", "GB"},
		{"at", "alpha3", "AUT"}, {"AF", "numeric", "004"}, {"Germany", "alpha2", ""}, {"", "alpha2", ""},
		{"EU", "alpha2", ""}, {"001", "alpha2", ""}, {"DE", "alpha4", ""},
	} {
		got, err := countryCode(tt.text, tt.form)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q as %s: got %q, %v; want %q", tt.text, tt.form, got, err, tt.want)
		}
	}
}

func TestDirectoryNames(t *testing.T) {
	for in, want := range map[string]string{
		"Doe": "Doe", "a,b+c": `a\,b\+c`, " lead": `\ lead`, "trail ": `trail\ `, "#x": `\#x`, "x#": "x#",
		`q"<>;\`: `q\"\<\>\;\\`, "nul\x00": `nul\00`, "Jörg": "Jörg", " ": `\ `,
	} {
		if got := dnEscape(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	for _, tt := range [][2]string{{"", "x"}, {"c n", "x"}, {"1cn", "x"}, {"cn", " "}} {
		if got, err := rdn(tt[0], tt[1]); err == nil {
			t.Errorf("rdn(%q, %q) gives %s", tt[0], tt[1], got)
		}
	}
}

// QUIRKS HR-16, HR-19
func TestNamesOfAllSorts(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"Turkish small letters", must(cased(lowerCaser)("IŞIK", "tr")), "ışık"},
		{"Azeri too", must(cased(lowerCaser)("QIZ", "az")), "qız"},
		{"German capitals of ß", must(cased(upperCaser)("groß", "de")), "GROSS"},
		{"Dutch ij at the start", must(title("ijsselmeer", "nl")), "IJsselmeer"},
		{"title after hyphen and apostrophe", must(title("ANNE-MARIE D'ARC", "")), "Anne-Marie D'Arc"},
		{"an apostrophe within a word begins nothing", must(title("don't", "")), "Don't"},
		{"initials of particles", initials("Ludwig van der Rohe"), "LVDR"},
		{"initials of one word", initials("Madonna"), "M"},
		{"initials of nothing", initials(" - "), ""},
		{"initials past an apostrophe", initials("Sinéad O'Connor"), "SO"},
		{"slug of an apostrophe", must(slug("D’Artagnan", "", "-")), "dartagnan"},
		{"slug without separator", must(slug("van der Berg", "nl", "")), "vanderberg"},
		{"slug of leading digits keeps them", must(slug("007 Bond", "", ".")), "007.bond"},
		{"slug of what has no plain letters is empty", must(slug("李", "", "-")), ""},
		{"ASCII drops what is left", must(ascii("Zoë 李", "")), "Zoe "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}

func must(s string, err error) string {
	if err != nil {
		return "fault: " + err.Error()
	}
	return s
}

func TestTextIsBounded(t *testing.T) {
	long := strings.Repeat("ab", MaxText/2)
	for name, f := range map[string]func() (string, error){
		"replace":       func() (string, error) { return replace(long, "a", "aaaa") },
		"regex_replace": func() (string, error) { return regexReplace(long, "a", "$0$0$0$0") },
		"join":          func() (string, error) { return join([]string{long, long}, "") },
		"pad_left":      func() (string, error) { return padLeft("", 1<<40, "x") },
		"pad_right":     func() (string, error) { return padRight("", maxWidth+1, "x") },
	} {
		if got, err := f(); err == nil {
			t.Errorf("%s gives %d bytes", name, len(got))
		}
	}
}

func TestCutting(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"never inside a character", must(truncate("aé", 2, unitBytes)), "a"},
		{"a surrogate pair is two units", must(truncate("a😀b", 2, unitUTF16)), "a"},
		{"invalid bytes count as they are", must(truncate("\xff\xffab", 1, unitRunes)), "\xff"},
		{"nothing to cut", must(truncate("ab", 9, unitBytes)), "ab"},
		{"to nothing", must(truncate("ab", 0, unitRunes)), ""},
		{"a negative length", must(truncate("ab", -1, unitRunes)), "fault: the length is negative"},
		{"beyond the end", must(substring("ab", 5, 9)), ""},
		{"from behind", must(substring("abc", 2, 1)), ""},
		{"more than there is", must(right("ab", 9)), "ab"},
		{"a negative position", must(substring("ab", -1, 1)), "fault: a position is negative"},
		{"nothing to replace", must(replace("ab", "", "x")), "fault: there is no text to be replaced"},
		{"two fills", must(padLeft("a", 3, "xy")), "fault: the fill is not one character"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}
