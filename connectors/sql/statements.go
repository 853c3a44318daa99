package sql

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// Statements is SQL by verb. Values come in as :name, for every attribute, and
// are bound, never spliced: :id, :key, :enabled, :group, :operation, :verb and,
// for set_credential alone, :credential. The statements of one account run in
// one transaction.
type Statements struct {
	Create        []Statement `json:"create,omitempty" doc:"Make an account; find must find it afterwards"`
	Update        []Statement `json:"update,omitempty" doc:"Change an account; every :attribute is as it will be, changed or not"`
	Enable        []Statement `json:"enable,omitempty" doc:"Let an account be used"`
	Disable       []Statement `json:"disable,omitempty" doc:"Keep an account from being used"`
	Delete        []Statement `json:"delete,omitempty" doc:"Remove an account"`
	Grant         []Statement `json:"grant,omitempty" doc:"Put the account :id into :group"`
	Revoke        []Statement `json:"revoke,omitempty" doc:"Take the account :id out of :group"`
	SetCredential []Statement `json:"set_credential,omitempty" doc:"Set the password :credential of the account :id"`

	Get    string `json:"get,omitempty" doc:"Read the account :id; columns are called like the attributes"`
	Find   string `json:"find,omitempty" doc:"Read the account whose natural key is :key"`
	List   string `json:"list,omitempty" doc:"Read :limit accounts after :after (NULL at first), in the order of their id; write the comparison before the test for NULL, so that PostgreSQL knows the type: id > :after OR :after IS NULL"`
	Grants string `json:"grants,omitempty" doc:"Read the groups of the account :id, one a row; when left out they are not told"`

	FindBy []FindBy `json:"find_by,omitempty" doc:"Further ways to find an account, such as by its anchor"`
}

// FindBy finds accounts by an attribute.
type FindBy struct {
	Attribute string `json:"attribute" doc:"Name of the attribute"`
	SQL       string `json:"sql" doc:"Reads the accounts where it is :value"`
}

// Statement is one statement of a verb.
type Statement struct {
	SQL    string  `json:"sql" doc:"The statement, with :name for values"`
	Rows   string  `json:"rows,omitempty" enum:"one,some,any" default:"one" doc:"How many rows it must change, or else the account is rolled back; any for a procedure call"`
	Result *Answer `json:"result,omitempty" doc:"Read what a procedure answers in place of counting rows"`
}

// Answer maps what a procedure answers.
type Answer struct {
	Column   string    `json:"column" doc:"Column of the answer that holds the code"`
	Outcomes []Outcome `json:"outcomes" doc:"What each code means; a code that is not listed fails the operation"`
}

// Outcome is the meaning of one code.
type Outcome struct {
	Value   string `json:"value" doc:"The code"`
	Outcome string `json:"outcome" enum:"applied,unchanged,not_found,already_exists,dependency_missing,invalid_value,policy,busy" doc:"What it means"`
}

// meaningsOf maps outcomes that are errors.
var meaningsOf = map[string]connector.Code{
	"not_found": connector.CodeNotFound, "already_exists": connector.CodeAlreadyExists, "dependency_missing": connector.CodeDependencyMissing,
	"invalid_value": connector.CodeInvalidValue, "policy": connector.CodePolicy, "busy": connector.CodeBusy,
}

// of returns the statements of a verb.
func (s *Statements) of(v connector.Verb) []Statement {
	if s == nil {
		return nil
	}
	return map[connector.Verb][]Statement{
		connector.VerbCreate: s.Create, connector.VerbUpdate: s.Update, connector.VerbRename: s.Update, connector.VerbEnable: s.Enable, connector.VerbDisable: s.Disable,
		connector.VerbDelete: s.Delete, connector.VerbGrant: s.Grant, connector.VerbRevoke: s.Revoke, connector.VerbSetCredential: s.SetCredential,
	}[v]
}

var allVerbs = []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbRename, connector.VerbEnable, connector.VerbDisable,
	connector.VerbDelete, connector.VerbGrant, connector.VerbRevoke, connector.VerbSetCredential}

// verbs lists those that have statements.
func (s *Statements) verbs() []connector.Verb {
	var out []connector.Verb
	for _, v := range allVerbs {
		if len(s.of(v)) > 0 {
			out = append(out, v)
		}
	}
	return out
}

// preview shows the statements of a verb as the config has them.
func (s *Statements) preview(d *dialect.Dialect, v connector.Verb) (string, error) {
	list := s.of(v)
	if len(list) == 0 {
		return "", unsupported(v, fmt.Sprintf("; set statements.%s in its config", v))
	}
	var b strings.Builder
	for _, st := range list {
		t := parseNamed(st.SQL)
		b.WriteString(t.text(d) + ";")
		for i, name := range t.order(d) {
			sep := ", "
			if i == 0 {
				sep = " -- "
			}
			fmt.Fprintf(&b, "%s%s: %s", sep, d.Placeholder(i+1), name)
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// declared is the model of mode statements: the catalogue is not asked, the
// config says what there is.
func declared(d *dialect.Dialect, cfg *Config) *model {
	m := &model{d: d, credential: cfg.Statements.SetCredential}
	m.users = declaredEntity(&cfg.Users.Table, cfg.Users.typeName(), connector.KindAccount)
	u := m.users
	u.verbs = cfg.Statements.verbs()
	if cfg.Users.Anchor != "" {
		u.anchor = u.attr(cfg.Users.Anchor)
	}
	if en := cfg.Users.Enabled; en != nil {
		c := &column{typ: connector.TypeString, Column: dialect.Column{Name: en.Column, Type: connector.TypeString}, caseExact: true}
		u.enabled = &flag{column: c, on: orElse(en.True, "true"), off: orElse(en.False, "false")}
	}
	for i := range cfg.Groups {
		g := declaredEntity(&cfg.Groups[i].Table, cfg.Groups[i].typeName(), connector.KindEntitlement)
		g.verbs = []connector.Verb{}
		g.assumed = true
		m.groups = append(m.groups, g)
		u.joins = append(u.joins, &membership{group: g, opaque: cfg.Statements.Grants == ""})
	}
	for _, e := range m.entities() {
		e.finish()
	}
	return m
}

func declaredEntity(cfg *Table, typ string, kind connector.ObjectKind) *entity {
	e := &entity{typ: typ, kind: kind}
	for _, want := range cfg.Columns {
		c := declaredColumn(want.Name)
		c.typ = connector.ValueType(orElse(want.Type, string(connector.TypeString)))
		c.Type = c.typ
		c.caseExact = want.CaseExact == nil || *want.CaseExact
		c.required, c.readOnly, c.maxLength, c.unique = want.Required, want.ReadOnly, want.MaxLength, want.Unique
		e.columns = append(e.columns, c)
	}
	if e.key = e.attr(cfg.Key); e.key == nil {
		e.key = declaredColumn(cfg.Key)
		e.columns = append([]*column{e.key}, e.columns...)
	}
	e.key.required, e.key.unique = true, true
	e.id = e.key
	if cfg.ID != "" && cfg.ID != cfg.Key {
		e.id = declaredColumn(cfg.ID)
		e.id.attr = ""
	}
	return e
}

func declaredColumn(name string) *column {
	return &column{attr: name, typ: connector.TypeString, caseExact: true,
		Column: dialect.Column{Name: name, Type: connector.TypeString, Unit: dialect.Characters}}
}
