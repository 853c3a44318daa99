package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// member is one member of a JSON object, in the order in which it was written.
type member struct {
	name  string
	value any // string, json.Number, bool, nil, []any or []member
}

// decodeOrdered reads a JSON document and keeps the order of members.
func decodeOrdered(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return decodeNext(d)
}

func decodeNext(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	case json.Delim('{'):
		object := []member{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decodeNext(d)
			if err != nil {
				return nil, err
			}
			object = append(object, member{fmt.Sprint(name), v})
		}
		_, err := d.Token()
		return object, err
	}
	return t, nil
}

// printResult prints what an action answered: as JSON when asked to, else as people
// read it. The shape of an answer is the connector's own.
func (a *app) printResult(raw json.RawMessage) error {
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	if done, err := a.json(raw); done {
		return err
	}
	v, err := decodeOrdered(raw)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read the answer: %w", err)
	}
	a.printValue(v)
	return nil
}

func (a *app) printValue(v any) {
	switch x := v.(type) {
	case nil:
		a.printf("done\n")
	case []member:
		a.printObject(x)
	case []any:
		a.printList(x)
	default:
		a.printf("%s\n", cell(v))
	}
}

// printObject prints short values first, a line each, then each list under its name.
func (a *app) printObject(object []member) {
	wide := 0
	for _, m := range object {
		if flat(m.value) {
			wide = max(wide, len(label(m.name)))
		}
	}
	for _, m := range object {
		if flat(m.value) {
			a.printf("%-*s  %s\n", wide, label(m.name), cell(m.value))
		}
	}
	for i, m := range object {
		if flat(m.value) {
			continue
		}
		if wide > 0 || i > 0 {
			a.printf("\n")
		}
		a.printf("%s\n", label(m.name))
		switch x := m.value.(type) {
		case []any:
			a.printList(x)
		case []member:
			rows := make([][]any, len(x))
			for i, f := range x {
				rows[i] = []any{f.name, cell(f.value)}
			}
			a.table([]any{"name", "value"}, rows)
		default:
			a.printf("  %s\n", strings.ReplaceAll(strings.TrimRight(cell(m.value), "\n"), "\n", "\n  "))
		}
	}
}

// flatMax is how many bytes of a list fit behind its name.
const flatMax = 60

// flat reports whether a value fits behind its name.
func flat(v any) bool {
	switch x := v.(type) {
	case []member:
		return len(x) == 0
	case []any:
		wide := 0
		for _, e := range x {
			if _, object := e.([]member); object {
				return false
			}
			wide += len(cell(e))
		}
		return wide <= flatMax
	case string:
		return !strings.Contains(x, "\n")
	}
	return true
}

// columnLines is how many objects are shown in a cell of a table; all are in the JSON.
const columnLines = 3

// column is a value as a cell of a table. Objects take a line each, their times left
// out: what a probe asked, and what it was answered.
func column(v any) string {
	list, ok := v.([]any)
	if !ok || flat(v) {
		return cell(v)
	}
	var lines []string
	for i, e := range list {
		if i == columnLines {
			lines = append(lines, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		object, _ := e.([]member)
		var parts []string
		for _, m := range object {
			if text := cell(m.value); text != "" && !isTime(text) {
				parts = append(parts, text)
			}
		}
		lines = append(lines, strings.Join(parts, ", "))
	}
	return strings.Join(lines, "\n")
}

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// printList prints a list of objects as a table with a column for each name.
func (a *app) printList(list []any) {
	columns := columnsOf(list)
	if len(columns) == 0 {
		for _, v := range list {
			a.printf("  %s\n", cell(v))
		}
		return
	}
	header := make([]any, len(columns))
	for i, c := range columns {
		header[i] = label(c)
	}
	var rows [][]any
	for _, v := range list {
		row := make([]any, len(columns))
		for i := range row {
			row[i] = ""
		}
		object, ok := v.([]member)
		if !ok {
			row[0] = cell(v)
		}
		for _, m := range object {
			row[slices.Index(columns, m.name)] = column(m.value)
		}
		rows = append(rows, row)
	}
	a.table(header, rows)
}

// columnsOf lists the names of all members of a list's objects; one that only some
// have comes after the one before it there.
func columnsOf(list []any) (columns []string) {
	for _, v := range list {
		object, _ := v.([]member)
		at := 0
		for _, m := range object {
			if has := slices.Index(columns, m.name); has >= 0 {
				at = has + 1
				continue
			}
			columns = slices.Insert(columns, at, m.name)
			at++
		}
	}
	return columns
}

func label(name string) string { return strings.ReplaceAll(name, "_", " ") }

// cell is a value in one line of text, unless the text itself has several.
func cell(v any) string {
	switch x := v.(type) {
	case nil:
		return "–"
	case string:
		return x
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = cell(e)
		}
		return strings.Join(parts, ", ")
	case []member:
		parts := make([]string, len(x))
		for i, m := range x {
			parts[i] = m.name + "=" + cell(m.value)
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(v)
}

// printProbe prints what was measured; the profile that it suggests, a document of
// the connector's own, goes to the file out or comes last. A probe that says why it
// stopped has failed, whatever it found before.
func (a *app) printProbe(name string, raw json.RawMessage, out string) error {
	v, err := decodeOrdered(raw)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	object, _ := v.([]member)
	at := slices.IndexFunc(object, func(m member) bool { return m.name == "profile" })
	if out != "" {
		if at < 0 {
			return fmt.Errorf("the probe of %s suggests no profile; nothing was written", name)
		}
		profile, err := yamlText(object[at].value)
		if err != nil {
			return err
		}
		if err := a.writeNew(out, []byte(profile)); err != nil {
			return err
		}
	}
	stopped := slices.ContainsFunc(object, func(m member) bool { return m.name == "stopped" && cell(m.value) != "" })
	if a.output == "json" {
		return orExit(a.printResult(raw), stopped)
	}
	rest := slices.Clone(object)
	if at >= 0 {
		rest = slices.Delete(rest, at, at+1)
	}
	a.printObject(rest)
	switch {
	case at < 0:
	case out != "":
		a.printf("\nThe profile is in %s.\n", out)
	default:
		profile, err := yamlText(object[at].value)
		if err != nil {
			return err
		}
		a.printf("\nprofile (--out FILE writes it)\n%s", profile)
	}
	return orExit(nil, stopped)
}

// yamlText is a document as YAML; one that is text already stays as it is.
func yamlText(v any) (string, error) {
	if text, ok := v.(string); ok {
		return strings.TrimRight(text, "\n") + "\n", nil
	}
	b, err := yaml.Marshal(yamlNode(v))
	if err != nil {
		return "", fmt.Errorf("write the profile: %w", err)
	}
	return string(b), nil
}

// yamlNode keeps the order of members, which a map would lose.
func yamlNode(v any) *yaml.Node {
	n := &yaml.Node{}
	switch x := v.(type) {
	case []member:
		n.Kind = yaml.MappingNode
		for _, m := range x {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: m.name}, yamlNode(m.value))
		}
	case []any:
		n.Kind = yaml.SequenceNode
		for _, e := range x {
			n.Content = append(n.Content, yamlNode(e))
		}
	case json.Number:
		n.Kind, n.Value = yaml.ScalarNode, x.String()
	default:
		// Text, a truth value or nothing: these encode whatever they hold.
		_ = n.Encode(x)
	}
	return n
}
