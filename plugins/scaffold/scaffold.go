// Package scaffold writes a new connector plugin: a Go module that compiles and
// passes the conformance suite before a line of it is changed.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// hub is the module that a plugin is built with.
const hub = "github.com/provhub/provhub"

//go:embed all:templates
var templates embed.FS

// Kind says what the new plugin talks to.
type Kind string

// The kinds.
const (
	HTTP   Kind = "http"   // a JSON API
	LDAP   Kind = "ldap"   // a directory
	SQL    Kind = "sql"    // a database
	File   Kind = "file"   // a file that the target reads
	Script Kind = "script" // a script in any language, run for each operation
)

// Kinds returns every kind with what it is for, in the order to show them.
func Kinds() []struct {
	Kind Kind
	For  string
} {
	return []struct {
		Kind Kind
		For  string
	}{
		{HTTP, "a target with a JSON API of its own"},
		{LDAP, "a directory that the ldap connector cannot be set up for"},
		{SQL, "a database that the sql connector cannot be set up for"},
		{File, "a target that reads its accounts from a file"},
		{Script, "anything that a script of yours can do, in any language"},
	}
}

// Options say what to write.
type Options struct {
	Name string // the connector type: [a-z][a-z0-9-]{1,31}
	Kind Kind   // "" means HTTP
	Dir  string // "" means provhub-connector-NAME here
	// Module is the path of the new module; "" means example.com/provhub-connector-NAME.
	Module string
	// Version of provhub to build with, such as "v1.2.0"; "": the newest at the
	// first `go mod tidy`.
	Version string
	// Replace is a checkout of provhub to build with in place of a release. Then
	// the module builds as it is, without a download.
	Replace string
}

// Result says what was written.
type Result struct {
	Dir   string
	Files []string // relative to Dir, sorted
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)

// Write writes a plugin. It never overwrites: Dir must not exist, or be empty.
func Write(o Options) (Result, error) {
	v, err := o.values()
	if err != nil {
		return Result{}, err
	}
	if err := free(o.dir()); err != nil {
		return Result{}, err
	}
	r := Result{Dir: o.dir()}
	for _, set := range []string{"common", string(o.kind())} {
		if err := r.render("templates/"+set, v); err != nil {
			return r, err
		}
	}
	if v.Replace != "" {
		if err := r.pin(v); err != nil {
			return r, err
		}
	}
	slices.Sort(r.Files)
	return r, nil
}

func (o Options) kind() Kind {
	if o.Kind == "" {
		return HTTP
	}
	return o.Kind
}

func (o Options) dir() string {
	if o.Dir == "" {
		return "provhub-connector-" + o.Name
	}
	return o.Dir
}

// values are what the templates are filled with.
type values struct {
	Name    string // acme-crm
	Title   string // Acme crm
	Module  string
	Version string
	Replace string // absolute; "": none
	Env     string // ACME_CRM
	Hub     string
	Go      string // the version that provhub asks for
	Kind    string
}

func (o Options) values() (values, error) {
	if !nameForm.MatchString(o.Name) {
		return values{}, fmt.Errorf("%q cannot be the name of a connector type: use 2 to 32 of a-z, 0-9 and -, beginning with a letter", o.Name)
	}
	if err := o.checkKind(); err != nil {
		return values{}, err
	}
	v := values{Name: o.Name, Module: o.Module, Version: o.Version, Hub: hub, Go: "1.26.0", Kind: string(o.kind()),
		Title: strings.ToUpper(o.Name[:1]) + strings.ReplaceAll(o.Name[1:], "-", " "),
		Env:   strings.ToUpper(strings.ReplaceAll(o.Name, "-", "_"))}
	if v.Module == "" {
		v.Module = "example.com/provhub-connector-" + o.Name
	}
	if o.Replace != "" {
		dir, err := filepath.Abs(o.Replace)
		if err != nil {
			return v, err
		}
		v.Replace = dir
	}
	return v, nil
}

func (o Options) checkKind() error {
	var known []string
	for _, k := range Kinds() {
		known = append(known, string(k.Kind))
		if k.Kind == o.kind() {
			return nil
		}
	}
	return fmt.Errorf("there is no kind %q; use one of %s", o.Kind, strings.Join(known, ", "))
}

// free makes sure that nothing is overwritten.
func free(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(dir, 0o755)
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty; nothing was written", dir)
	}
	return nil
}

// render writes every template of a set: "x.go.tmpl" becomes "x.go". Scripts may
// be executed.
func (r *Result) render(set string, v values) error {
	return fs.WalkDir(templates, set, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := templates.ReadFile(path)
		if err != nil {
			return err
		}
		t, err := template.New(path).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err
		}
		var b strings.Builder
		if err := t.Execute(&b, v); err != nil {
			return err
		}
		return r.write(strings.TrimSuffix(strings.TrimPrefix(path, set+"/"), ".tmpl"), b.String())
	})
}

func (r *Result) write(name, content string) error {
	r.Files = append(r.Files, name)
	path := filepath.Join(r.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	return os.WriteFile(path, []byte(content), mode)
}
