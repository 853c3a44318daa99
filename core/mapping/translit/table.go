package translit

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed tables/*.txt
var files embed.FS

// Table is how one locale writes letters. It is safe for concurrent use.
type Table struct {
	letters map[string]string
	initial map[string]string // at the start of a word
	longest int               // of the keys, in runes
	base    *Table
}

var tables = sync.OnceValues(load)

// For returns the table of a locale: "" is the default (ä gives a), "de-AT"
// falls back to "de". ok is false for a locale that has none.
func For(locale string) (t *Table, ok bool) {
	all, err := tables()
	if err != nil {
		panic(err) // the files are embedded and tested
	}
	name := strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
	if name == "" {
		name = "default"
	}
	if t, ok = all[name]; ok {
		return t, true
	}
	language, _, _ := strings.Cut(name, "-")
	t, ok = all[language]
	return t, ok
}

// Locales lists the locales that have a table of their own, sorted.
func Locales() []string {
	all, err := tables()
	if err != nil {
		panic(err) // the files are embedded and tested
	}
	var names []string
	for name := range all {
		if name != "default" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func load() (map[string]*Table, error) {
	paths, err := fs.Glob(files, "tables/*.txt")
	if err != nil {
		return nil, err
	}
	all := make(map[string]*Table, len(paths))
	for _, path := range paths {
		text, err := files.ReadFile(path)
		if err != nil {
			return nil, err
		}
		t, err := parse(path, string(text))
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(strings.TrimPrefix(path, "tables/"), ".txt")] = t
	}
	for name, t := range all {
		if name != "default" {
			t.base = all["default"]
		}
	}
	return all, nil
}

// parse reads one table: a line "ä ae" for each entry, "^є ye" for one at the
// start of a word, "ъ" alone for a letter that is left out; # begins a comment.
// Keys are in lower case; the upper case follows.
func parse(path, text string) (*Table, error) {
	t := &Table{letters: map[string]string{}, initial: map[string]string{}}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) > 2 {
			return nil, fmt.Errorf("%s:%d: want a letter and what it becomes", path, n)
		}
		from, to := fields[0], strings.Join(fields[1:], "")
		into := t.letters
		if rest, ok := strings.CutPrefix(from, "^"); ok {
			from, into = rest, t.initial
		}
		if _, twice := into[from]; twice {
			return nil, fmt.Errorf("%s:%d: %s stands here twice", path, n, from)
		}
		into[from] = to
		t.longest = max(t.longest, utf8.RuneCountInString(from))
	}
	return t, lines.Err()
}
