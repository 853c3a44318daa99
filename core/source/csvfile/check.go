package csvfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/wording"
)

// maxBadPercent is the share of bad rows that refuses a file when the config
// does not say.
const maxBadPercent = 5

// columnTypes are the types a column may have; "" is text.
var columnTypes = []source.Type{source.Text, source.Integer, source.Number, source.Bool, source.Date, source.List}

// check returns every fault of c that can be found without the file.
func (c *Config) check() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Path == "" {
		fault("path is missing: name the file to read")
	}
	if _, ok := encodings[c.encoding()]; !ok {
		fault("encoding %q is not known; known are %s", c.Encoding, encodingNames())
	}
	errs = append(errs, c.checkCharacters()...)
	if c.MaxBad < 0 || c.MaxBad > 100 {
		fault("max_bad_percent %v is not between 0 and 100", c.MaxBad)
	}
	if c.Trailer != nil && (c.Trailer.Prefix == "" || c.Trailer.Field < 2) {
		fault("trailer needs a prefix, and as field the number of the field with the row count: 2 or more, as the prefix is field 1")
	}
	if len(c.Columns) == 0 {
		fault("columns is empty: list the attributes to read")
	}
	errs = append(errs, c.checkColumns()...)
	if err := c.Action.check(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *Config) checkCharacters() []error {
	var errs []error
	comma, err := oneCharacter("delimiter", c.Delimiter, ',')
	if err != nil {
		errs = append(errs, err)
	}
	comment, err := oneCharacter("comment", c.Comment, 0)
	if err != nil {
		errs = append(errs, err)
	}
	if comment != 0 && comment == comma {
		errs = append(errs, fmt.Errorf("comment and delimiter are both %q", comma))
	}
	return errs
}

// oneCharacter returns the only character of text, unset for "".
func oneCharacter(what, text string, unset rune) (rune, error) {
	if text == "" {
		return unset, nil
	}
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || strings.ContainsRune("\"\r\n", r) {
		return unset, fmt.Errorf("%s %q is not a single character (write a tab as \"\\t\")", what, text)
	}
	return r, nil
}

func (c *Config) checkColumns() []error {
	var errs []error
	seen := map[string]bool{}
	var names []string
	for i, col := range c.Columns {
		if col.Name == "" {
			errs = append(errs, fmt.Errorf("columns[%d] has no name", i))
			continue
		}
		if seen[col.Name] {
			errs = append(errs, fmt.Errorf("column %q is listed twice", col.Name))
		}
		seen[col.Name] = true
		names = append(names, col.Name)
		if err := col.check(); err != nil {
			errs = append(errs, fmt.Errorf("column %q: %w", col.Name, err))
		}
		if col.Name == c.Anchor {
			errs = append(errs, col.checkAnchor()...)
		}
	}
	if !seen[c.Anchor] {
		errs = append(errs, fmt.Errorf("anchor %q is none of the columns%s", c.Anchor, wording.DidYouMean(c.Anchor, names)))
	}
	return errs
}

func (col Column) check() error {
	if err := col.typ().OneOf(columnTypes...); err != nil {
		return err
	}
	if len(col.Format) > 0 && col.typ() != source.Date {
		return fmt.Errorf("format is for columns of type date, and this one is %s", col.typ())
	}
	if col.Separator != "" && col.typ() != source.List {
		return fmt.Errorf("separator is for columns of type list, and this one is %s", col.typ())
	}
	_, err := parseFormats(col.Format)
	return err
}

// checkAnchor: the anchor is compared as text, character by character, so that
// 007 and 7 stay two people.
func (col Column) checkAnchor() []error {
	var errs []error
	if col.typ() != source.Text {
		errs = append(errs, fmt.Errorf("column %q: the anchor must be of type text, and this is %s", col.Name, col.typ()))
	}
	if col.Optional {
		errs = append(errs, fmt.Errorf("column %q: the anchor cannot be optional", col.Name))
	}
	return errs
}

func (col Column) typ() source.Type {
	if col.Type == "" {
		return source.Text
	}
	return source.Type(col.Type)
}

func (c *Config) encoding() string {
	if c.Encoding == "" {
		return "utf-8"
	}
	return strings.ToLower(c.Encoding)
}

func (c *Config) maxBad() float64 {
	if c.MaxBad == 0 {
		return maxBadPercent
	}
	return c.MaxBad
}
