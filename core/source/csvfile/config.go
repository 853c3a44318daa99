// Package csvfile reads people from an HR export: delimited text in the
// encodings, quotings and date formats that HR systems really write.
//
// What cannot be read well is never guessed. A bad row is set aside with its
// line and column, and its person counts as present; where it cannot be told
// whose row it is, or the file seems cut, the reading is not complete and
// nobody is taken to have left; a file that is not what the config describes
// is refused. An empty cell of a text column is the text "", of a list column
// the empty list; of any other column it is no value.
package csvfile

import "time"

// Config says how to read one file.
type Config struct {
	Path string `yaml:"path"`
	// Encoding: utf-8 (with or without BOM), utf-16le, utf-16be, windows-1252,
	// iso-8859-1, iso-8859-15; "": utf-8.
	Encoding  string `yaml:"encoding"`
	Delimiter string `yaml:"delimiter"` // one character; "": ","
	Comment   string `yaml:"comment"`   // lines that begin with it are skipped; "": none
	// Anchor is the attribute that holds the immutable person id.
	Anchor string `yaml:"anchor"`
	// Columns lists the attributes. A column of the file that is not listed is
	// ignored with a warning.
	Columns []Column `yaml:"columns"`
	// Zone is the time zone of dates with a time; nil: UTC.
	Zone *time.Location `yaml:"-"`
	// Sentinels are date texts that mean "none", such as 12/31/9999 (QUIRKS HR-23).
	Sentinels []string `yaml:"sentinels"`
	// Action says what the rows of a file of changes mean; nil: there are none.
	Action *Action `yaml:"action" json:",omitempty"`
	// Trailer recognises the last row and holds the row count.
	Trailer *Trailer `yaml:"trailer"`
	// Manifest is the path of a JSON file {"rows": N, "sha256": "…", "date": "2026-03-31"}
	// that must agree with the file; "": none.
	Manifest string `yaml:"manifest"`
	// MaxBad is the share of bad rows in percent above which the whole file is
	// refused; 0: 5. A single bad row among good ones never refuses it.
	MaxBad float64 `yaml:"max_bad_percent"`
	// MaxAge refuses a file dated longer ago than this; 0: no limit.
	MaxAge time.Duration `yaml:"-"`
}

// Column is one attribute and where it comes from.
type Column struct {
	Name string `yaml:"name"`
	// From lists the header names it may have, tried in order; empty: Name. They
	// are compared without regard to case and surrounding blanks.
	From []string `yaml:"from"`
	Type string   `yaml:"type"` // text, integer, number, bool, date, list; "": text
	// Format is the date layout in the form of the source, such as DD.MM.YYYY;
	// several are tried in order. Empty: YYYY-MM-DD.
	Format []string `yaml:"format"`
	// Separator splits a list; "": ";".
	Separator string `yaml:"separator"`
	// Required: a row without a value is bad.
	Required bool `yaml:"required"`
	// Optional: the column may be missing from the file altogether.
	Optional bool `yaml:"optional"`
}

// Trailer describes the row that ends the file.
type Trailer struct {
	// Prefix is the content of the trailer's first field, such as "TRAILER".
	Prefix string `yaml:"prefix"`
	// Field is the number of the field, from 1, that holds the count of data rows.
	Field int `yaml:"field"`
}
