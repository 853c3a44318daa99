package translit

import (
	"strings"
	"testing"
	"unicode"
)

// QUIRKS HR-15: what a letter becomes depends on the language.
func TestNormalize(t *testing.T) {
	for _, tt := range []struct{ name, locale, in, want string }{
		{"marks go by default", "", "Ångström Çelik Ñuñez", "Angstrom Celik Nunez"},
		{"letters without decomposition have entries", "", "Łódź Đặng Þór Œuvre Ærø ıŋ ßẞ", "Lodz Dang Thor Oeuvre Aeroe in ssSs"},
		{"German wants two letters", "de", "Müller Jäger Schröder Groß", "Mueller Jaeger Schroeder Gross"},
		{"a region falls back to its language", "de-AT", "Müller", "Mueller"},
		{"an underscore is a hyphen", "de_CH", "Müller", "Mueller"},
		{"upper case of two letters is title case in a word", "de", "Äpfel Über", "Aepfel Ueber"},
		{"upper case stays in a word of capitals", "de", "MÜLLER GROẞ ÖL", "MUELLER GROSS OEL"},
		{"the last capital looks back", "de", "FÄ", "FAE"},
		{"a capital alone is title case", "de", "Ä", "Ae"},
		{"decomposed letters are the same letters", "de", "Mu\u0308ller", "Mueller"},
		{"Danish", "da", "Søren Kierkegård Æbelø", "Soeren Kierkegaard Aebeloe"},
		{"Norwegian Bokmål", "nb", "Bjørn Ås", "Bjoern Aas"},
		{"Swedish drops the marks", "sv", "Åsa Sjöberg Bäck", "Asa Sjoberg Back"},
		{"Polish", "pl", "Łukasz Wałęsa Żółć", "Lukasz Walesa Zolc"},
		{"Turkish", "tr", "Işık İstanbul Çağrı Şule", "Isik Istanbul Cagri Sule"},
		{"Croatian", "hr", "Đorđe Šarić", "Djordje Saric"},
		{"Russian", "ru", "Юрий Щукин Подъячев Артём Хрущёв", "Iurii Shchukin Podieiachev Artem Khrushchev"},
		{"Ukrainian has its own letters at the start of a word", "uk", "Юрій Єнакієве Згорани Їжакевич Ґалаґан", "Yurii Yenakiieve Zghorany Yizhakevych Galagan"},
		{"a Ukrainian apostrophe vanishes", "uk", "Знам’янка", "Znamianka"},
		{"Bulgarian", "bg", "Щерев Ъглов Цонка Юлия", "Shterev Aglov Tsonka Yuliya"},
		{"Greek with digraphs", "el", "Ουρανία Μπάμπης Ντίνος Ευαγγελία", "Ourania Bampis Ntinos Evangelia"},
		{"an accented letter with an entry below", "", "Ǿ", "Oe"},
		{"CJK stays", "", "李明 한글", "李明 한글"},
		{"ligatures are letters", "", "ﬁnn", "finn"},
		{"plain ASCII stays", "tr", "O'Brien-Smith 42", "O'Brien-Smith 42"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table, ok := For(tt.locale)
			if !ok {
				t.Fatalf("no table for %q", tt.locale)
			}
			if got := table.Normalize(tt.in); got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

// QUIRKS HR-19: what nobody sees does not make another name.
func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"zero-width characters go", "Ja\u200bne\ufeff", "Jane"},
		{"bidi controls go", "\u202eenaJ\u202c", "enaJ"},
		{"soft hyphens go", "Don\u00adau", "Donau"},
		{"control characters go, white space stays", "a\x00b\tc", "ab\tc"},
		{"decomposed becomes composed", "u\u0308", "ü"},
		{"typographic apostrophes are plain", "O’Brien", "O'Brien"},
		{"all dashes are hyphens", "Anna‐Maria–Sophie", "Anna-Maria-Sophie"},
		{"invalid bytes become the replacement character", "a\xffb", "a\ufffdb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.want {
				t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestTablesAreSound(t *testing.T) {
	all, err := tables()
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range all {
		for _, entries := range []map[string]string{table.letters, table.initial} {
			for from, to := range entries {
				if ASCII(to) != to {
					t.Errorf("%s: %s becomes %s, which is not ASCII", name, from, to)
				}
				if strings.ToLower(from) != from && from != "ẞ" {
					t.Errorf("%s: %s is not in lower case", name, from)
				}
			}
		}
	}
	if _, ok := For("xx"); ok {
		t.Error("there is a table for xx")
	}
}

func TestFaultyTables(t *testing.T) {
	for _, text := range []string{"ä a e", "ä a\nä b"} {
		if _, err := parse("x.txt", text); err == nil {
			t.Errorf("%q is taken for a table", text)
		}
	}
}

// FuzzNormalize: any text can be normalized in any locale, and doing it twice
// changes nothing more.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"Jürgen", "ǆ", "\xff\xfe", "ﬃ", "İ", "μπ", "ʼn", "\u0301a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, locale := range append(Locales(), "") {
			table, _ := For(locale)
			out := table.Normalize(in)
			if again := table.Normalize(out); again != out {
				t.Errorf("%q in %q: %q, and then %q", in, locale, out, again)
			}
			for _, r := range ASCII(out) {
				if r > unicode.MaxASCII {
					t.Errorf("%q: %q is not ASCII", in, r)
				}
			}
		}
	})
}
