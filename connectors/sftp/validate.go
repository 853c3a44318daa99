package sftp

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	client "github.com/provhub/provhub/clients/sftp"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/wording"
)

// validate finds what the schema cannot, offline, all at once.
func validate(c Config) []connector.Finding {
	v := &findings{}
	v.server("", c.HostKeys, c.KnownHostsFile)
	if j := c.Jump; j != nil {
		v.server("/jump", j.HostKeys, j.KnownHostsFile)
	}
	v.folder("/folder", c.Folder)
	v.file("/file", &c.File)
	v.columns(&c)
	v.names(&c)
	v.groups(&c)
	v.timing(&c)
	if c.Acks != nil {
		v.acks(&c)
	}
	if c.PGP != nil && len(c.PGP.Recipients) == 0 {
		v.add("/pgp/recipients", "is empty", "name the files with the receivers' public keys")
	}
	return v.list
}

type findings struct{ list []connector.Finding }

func (v *findings) add(path, summary, detail string) {
	v.list = append(v.list, connector.Finding{Path: path, Summary: summary, Detail: detail})
}

func (v *findings) server(at string, keys []string, known string) {
	if len(keys) == 0 && known == "" {
		// The action that shows the key needs a config that can be opened.
		v.list = append(v.list, connector.Finding{Path: at + "/host_keys", Warning: true, Summary: "no host key is pinned, so nothing connects",
			Detail: "run the action host_key, compare the fingerprint with what the server's owner says, and pin the key; or give known_hosts_file"})
	}
	for i, k := range keys {
		if err := client.ParseHostKey(k); err != nil {
			v.add(fmt.Sprintf("%s/host_keys/%d", at, i), err.Error(), "copy it from a known_hosts file without the name, or from ssh-keygen -l")
		}
	}
}

func (v *findings) folder(at, dir string) {
	if dir == "" || path.Clean(dir) != strings.TrimSuffix(dir, "/") && dir != "/" || slices.Contains(strings.Split(dir, "/"), "..") {
		v.add(at, "is not a plain path", "write it as /outgoing/hr")
	}
}

func (v *findings) file(at string, f *feed.File) {
	if err := f.CheckName(f.Name); err != nil {
		v.add(at+"/name", err.Error(), "write it as people_{seq:6}.csv")
	}
	v.lines(at, f)
}

func (v *findings) lines(at string, f *feed.File) {
	if d := strings.ReplaceAll(f.Delimiter, `\t`, "\t"); f.Delimiter != "" && (utf8.RuneCountInString(d) != 1 || strings.ContainsAny(d, "\"\r\n")) {
		v.add(at+"/delimiter", "is not one character", `use "," ";" "|" or "\t"`)
	}
	if _, err := time.LoadLocation(f.TimeZone); err != nil {
		v.add(at+"/time_zone", "is not known", "write it as Europe/Berlin, or UTC")
	}
	for key, text := range map[string]string{"leader": f.Leader, "trailer": f.Trailer} {
		if _, err := f.Fill(text, feed.Facts{}); err != nil {
			v.add(at+"/"+key, err.Error(), "take the braces away, or use one that is known")
		}
	}
}

func (v *findings) columns(c *Config) {
	headers, names := map[string]bool{}, map[string]bool{}
	for i := range c.Columns {
		col := &c.Columns[i]
		at := fmt.Sprintf("/columns/%d", i)
		v.column(c, at, col)
		if title := strings.ToLower(col.Title()); headers[title] {
			v.add(at+"/header", fmt.Sprintf("the header %q is there twice", col.Title()), "give each column a header of its own")
		} else {
			headers[title] = true
		}
		if col.IsAttribute() && names[col.Name] {
			v.add(at+"/name", fmt.Sprintf("the attribute %s is there twice", col.Name), "an attribute has one column")
		}
		names[col.Name] = true
	}
	l := c.layout()
	key := l.Column(c.Key)
	switch {
	case key == nil:
		v.add("/key", fmt.Sprintf("there is no column for the attribute %q%s", c.Key, wording.DidYouMean(c.Key, slices.Sorted(maps.Keys(names)))), "add one: the receiver needs to know whose row it is")
	case key.Type != "" && key.Type != string(connector.TypeString), key.Multi:
		v.add("/key", "the key is a single text", "take type and multi out of its column")
	case key.FormulaGuard:
		v.add("/key", "a guarded key is another key to the receiver", "take formula_guard out of its column")
	}
	v.states(c, l)
}

func (v *findings) column(c *Config, at string, col *feed.Column) {
	if col.IsAttribute() && col.Name == "" {
		v.add(at+"/name", "is missing", "name the attribute, or set kind")
	}
	if !col.IsAttribute() && col.Header == "" {
		v.add(at+"/header", "is missing", "a column that holds no attribute needs a header")
	}
	if col.Format != "" {
		stamp := col.Type == string(connector.TypeTimestamp)
		if col.Type != string(connector.TypeDate) && !stamp {
			v.add(at+"/format", "needs type date or timestamp", "set the type, or take it out")
		} else if err := feed.CheckDateFormat(col.Format, stamp); err != nil {
			v.add(at+"/format", err.Error(), "a value must be readable again")
		}
	}
	if col.Type == string(connector.TypeBool) && col.True == col.False {
		v.add(at+"/false", "is the same as true", "give each its own word")
	}
	if (col.Multi || col.Kind == feed.KindGroups) && col.Separator == "" {
		v.add(at+"/separator", "is empty", "values cannot be told apart without one")
	}
	if col.Kind == feed.KindGroups && c.Groups == nil {
		v.add(at+"/kind", "there are no groups", "add the section groups")
	}
	if col.Kind == feed.KindAction && c.Mode != modeDelta {
		v.add(at+"/kind", "a full file asks for nothing", "set mode to delta, or take the column out")
	}
}

// states checks that the receiver can tell what happens to an account.
func (v *findings) states(c *Config, l *feed.Layout) {
	state, action := l.Of(feed.KindState), l.Of(feed.KindAction)
	told := state != nil || action != nil && c.Actions != nil && c.Actions.Disable != ""
	switch {
	case c.OnDisable == "remove":
	case !told:
		v.add("/on_disable", "nothing in the file says that an account is disabled", "add a column of kind state, a word for it to actions.disable, or set on_disable to remove")
	case state != nil && state.Enabled == state.Disabled:
		v.add("/columns", "the state column has one word for both states", "give enabled and disabled words of their own")
	}
	if c.OnDelete == "mark" && state == nil {
		v.add("/on_delete", "mark needs a column of kind state", "add one, or set on_delete to remove")
	}
	if c.Mode == modeDelta && action == nil && c.OnDelete != "mark" {
		v.add("/columns", "a delta file without a column of kind action cannot say that an account is gone", "add one, or a state column and on_delete: mark")
	}
}

func (v *findings) names(c *Config) {
	if c.hasManifest() {
		v.name(c, "/manifest", c.Manifest)
	}
	if c.Done != "" {
		v.name(c, "/done", c.Done)
	}
	if m := c.Memberships; m != nil {
		v.name(c, "/memberships/name", m.Name)
	}
	if c.Mode == modeDelta && !feed.Numbered(c.File.Name) {
		v.add("/file/name", "a delta file needs a name of its own each time", "put {seq} into it")
	}
	if !c.hasManifest() {
		v.list = append(v.list, connector.Finding{Path: "/manifest", Warning: true, Summary: "without a manifest the state cannot be made anew when it is lost",
			Detail: "keep the manifest, or see to the backup of the state"})
	}
}

// name checks the pattern of a file that goes with the accounts' one.
func (v *findings) name(c *Config, at, pattern string) {
	if err := c.File.CheckName(pattern); err != nil {
		v.add(at, err.Error(), "write it as {file}.done")
		return
	}
	x := feed.Facts{Seq: 1, Run: "r", Mode: c.Mode}
	x.File, _ = c.File.Fill(c.File.Name, x) // checked before
	if name, _ := c.File.Fill(pattern, x); name == x.File {
		v.add(at, "is the name of the file with the accounts", "give it a name of its own")
	}
}

func (v *findings) groups(c *Config) {
	if c.Memberships != nil && c.Groups == nil {
		v.add("/memberships", "there are no groups", "add the section groups")
	}
	if c.Groups != nil && c.Memberships == nil && c.layout().Of(feed.KindGroups) == nil {
		v.add("/groups", "no file says who holds which group", "add a column of kind groups, or the section memberships")
	}
	if c.Groups != nil && c.Groups.name() == c.typeName() {
		v.add("/groups/type", "is the type of the accounts", "give it a name of its own")
	}
}

func (v *findings) timing(c *Config) {
	if c.Publish.After < 0 || c.Publish.Within < 0 || c.Publish.Within > 0 && c.Publish.Within < c.Publish.After {
		v.add("/publish/within", "is shorter than after", "let it be at least as long")
	}
	if p := c.Shrink.MaxPercent; p != nil && (*p < 0 || *p > 100) {
		v.add("/shrink/max_percent", "is from 0 to 100", "100 lets everything pass")
	}
}

func (v *findings) acks(c *Config) {
	a := c.Acks
	v.folder("/acks/folder", a.Folder)
	if err := c.File.CheckName(a.Name); err != nil {
		v.add("/acks/name", err.Error(), "write it as {file}.ack")
	}
	if !feed.Numbered(a.Name) || strings.Contains(a.Name, "{file}") && !feed.Numbered(c.File.Name) {
		v.add("/acks/name", "cannot be told from the response to another file", "put {file} or {seq} into it, and {seq} into the name of the file")
	}
	if a.Key == "" && (a.Status != "" || a.Lists == "errors") {
		v.add("/acks/key", "is missing", "name the column with the account's key")
	}
	if a.Key != "" && a.Lists != "errors" && (a.Status == "" || len(a.OK) == 0) {
		v.add("/acks/status", "nothing says which rows are confirmed", "name the column with status, and the words that confirm with ok")
	}
	if a.File != nil {
		f := a.File.file()
		v.lines("/acks/file", &f)
	}
}
