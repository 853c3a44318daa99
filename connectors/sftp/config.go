package sftp

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
)

// Config is the config of one receiver of files.
type Config struct {
	Host            string   `json:"host" endpoint:"true" doc:"The server: name, or name:port; the port is 22 when left out"`
	User            string   `json:"user" doc:"User to log in as"`
	HostKeys        []string `json:"host_keys,omitempty" doc:"Keys that the server may show: ssh-ed25519 AAAA…, a fingerprint SHA256:…, or @cert-authority ssh-ed25519 AAAA…; several for rotation"`
	KnownHostsFile  string   `json:"known_hosts_file,omitempty" doc:"OpenSSH known_hosts file with the server's keys"`
	KeyFile         string   `json:"key_file,omitempty" doc:"File with the private key to log in with; or give the secret private_key"`
	CertificateFile string   `json:"certificate_file,omitempty" doc:"File with an OpenSSH certificate for the private key"`
	Agent           string   `json:"agent,omitempty" doc:"Socket of an ssh-agent to log in with"`
	Jump            *Jump    `json:"jump,omitempty" doc:"A server to go through (ProxyJump)"`

	ConnectTimeout connector.Duration `json:"connect_timeout,omitempty" default:"15s" doc:"Longest time for connection and login"`
	KeepAlive      connector.Duration `json:"keep_alive,omitempty" default:"15s" doc:"How often an idle connection is asked after"`
	StallTimeout   connector.Duration `json:"stall_timeout,omitempty" default:"60s" doc:"Longest time in which the server answers nothing"`

	State       string            `json:"state,omitempty" default:"outbox" doc:"Folder on this machine for what is accepted and published; relative to the connector's own folder. It belongs into the backup"`
	Folder      string            `json:"folder" doc:"Folder on the server into which the files go"`
	Mode        string            `json:"mode,omitempty" enum:"full,delta" default:"full" doc:"full: each file holds everybody; delta: what changed since the file before"`
	File        feed.File         `json:"file" doc:"How the file is named and written"`
	Type        string            `json:"type,omitempty" default:"user" doc:"Name of the object type"`
	Key         string            `json:"key" doc:"Attribute that names an account in the file and never changes, such as the employee number"`
	Columns     []feed.Column     `json:"columns" doc:"The columns of the file, in order"`
	Actions     *feed.Actions     `json:"actions,omitempty" doc:"Words of the action column"`
	OnDisable   string            `json:"on_disable,omitempty" enum:"mark,remove" default:"mark" doc:"mark: the state column tells, or the action; remove: the row goes"`
	OnDelete    string            `json:"on_delete,omitempty" enum:"remove,mark" default:"remove" doc:"remove: the row goes; mark: it stays, and the state column tells"`
	Groups      *Groups           `json:"groups,omitempty" doc:"Groups or roles that accounts hold: in a column of kind groups, in a file of their own, or both"`
	Memberships *feed.Memberships `json:"memberships,omitempty" doc:"A second file with one row for each group of each account"`

	Manifest string   `json:"manifest,omitempty" default:"{file}.manifest.json" doc:"Name of the file that says what was published, with sizes and hashes; none: there is none"`
	Done     string   `json:"done,omitempty" doc:"Name of an empty file that comes last and tells the receiver to begin: {file}.done"`
	PGP      *PGP     `json:"pgp,omitempty" doc:"Encrypt the files for the receiver"`
	Publish  Publish  `json:"publish,omitzero" doc:"When files are made"`
	Shrink   Shrink   `json:"shrink,omitzero" doc:"Guard against a full file that has lost too much"`
	Receiver Receiver `json:"receiver,omitzero" doc:"What the receiver does with the files"`
	Acks     *Acks    `json:"acks,omitempty" doc:"The receiver answers each file with one of its own; only then is a change done"`
	Tidy     *Tidy    `json:"tidy,omitempty" doc:"What becomes of files that the receiver leaves where they are"`
	// ContinueAfter is for a folder whose files are known to a person only.
	ContinueAfter int64 `json:"continue_after,omitempty" doc:"Begin with an empty state and the number after this one, though the folder holds files; only when the state is lost"`
}

// Jump is a server to go through.
type Jump struct {
	Host            string   `json:"host" doc:"Name, or name:port"`
	User            string   `json:"user" doc:"User to log in as there"`
	HostKeys        []string `json:"host_keys,omitempty" doc:"Keys that it may show"`
	KnownHostsFile  string   `json:"known_hosts_file,omitempty" doc:"OpenSSH known_hosts file with its keys"`
	KeyFile         string   `json:"key_file,omitempty" doc:"File with the private key; or give the secret jump_private_key or jump_password"`
	CertificateFile string   `json:"certificate_file,omitempty" doc:"File with an OpenSSH certificate for the private key"`
}

// Groups are what accounts hold.
type Groups struct {
	Type  string   `json:"type,omitempty" default:"group" doc:"Name of the object type"`
	Names []string `json:"names,omitempty" doc:"The groups there are; without it any name will do"`
}

// PGP says for whom files are encrypted.
type PGP struct {
	Recipients []string `json:"recipients" doc:"Files with the receivers' OpenPGP public keys"`
	Sign       bool     `json:"sign,omitempty" doc:"Sign with the secret pgp_private_key"`
	Armor      bool     `json:"armor,omitempty" doc:"Write text (ASCII armor) in place of binary"`
}

// Publish says when files are made.
type Publish struct {
	After   connector.Duration `json:"after,omitempty" default:"2s" doc:"Time without a new change after which a file is made; 0s: at once, one for each batch"`
	Within  connector.Duration `json:"within,omitempty" default:"20s" doc:"Longest time that a change waits while others keep coming"`
	Timeout connector.Duration `json:"timeout,omitempty" default:"30m" doc:"Longest time for making and sending one publication"`
}

// Shrink is the guard of full files.
type Shrink struct {
	MaxPercent *int `json:"max_percent,omitempty" default:"20" doc:"How much of its rows a full file may lose against the one before; 100: all"`
	MinRows    int  `json:"min_rows,omitempty" default:"20" doc:"Files with fewer rows than this are not held back"`
}

// Receiver is what is known of the other side.
type Receiver struct {
	Folders []string `json:"folders,omitempty" doc:"Folders into which the receiver moves files; looked into before a file is sent a second time"`
}

// Acks say how the receiver answers.
type Acks struct {
	Folder   string             `json:"folder" doc:"Folder with the receiver's responses"`
	Name     string             `json:"name" doc:"Name of the response to a file: {file}.ack, {base}_response.csv"`
	File     *AckFile           `json:"file,omitempty" doc:"How the response is written, when not as our files"`
	Key      string             `json:"key,omitempty" doc:"Column with the account's key; left out: the response being there confirms every row"`
	Status   string             `json:"status,omitempty" doc:"Column with the status of the row"`
	OK       []string           `json:"ok,omitempty" doc:"Statuses that confirm a row; any other refuses it"`
	Message  string             `json:"message,omitempty" doc:"Column with the reason"`
	Lists    string             `json:"lists,omitempty" enum:"all,errors" default:"all" doc:"all: every row is answered; errors: a row that is not there is confirmed"`
	Wait     connector.Duration `json:"wait,omitempty" default:"24h" doc:"After this a response counts as missing"`
	Poll     connector.Duration `json:"poll,omitempty" default:"1m" doc:"How often to look for responses"`
	MaxBytes int64              `json:"max_bytes,omitempty" default:"67108864" doc:"Most bytes that are read of a response"`
}

// AckFile is how a response is written.
type AckFile struct {
	Format    string `json:"format,omitempty" enum:"csv,jsonl" default:"csv" doc:"csv, or jsonl: one JSON object a line"`
	Encoding  string `json:"encoding,omitempty" enum:"utf-8,utf-8-bom,utf-16le,utf-16be,windows-1252,iso-8859-1,iso-8859-15" default:"utf-8" doc:"Characters of the file"`
	Delimiter string `json:"delimiter,omitempty" default:"," doc:"Character between two cells; \\t for a tab"`
	NoHeader  bool   `json:"no_header,omitempty" doc:"There are no headers: columns are called 1, 2, 3"`
	Leader    string `json:"leader,omitempty" doc:"There is a line before everything else"`
	Trailer   string `json:"trailer,omitempty" doc:"The last line; {rows} is compared with the rows that were read"`
	Compress  string `json:"compress,omitempty" enum:"gzip" doc:"The file is compressed"`
}

func (f *AckFile) file() feed.File {
	return feed.File{Format: f.Format, Encoding: f.Encoding, Delimiter: f.Delimiter, NoHeader: f.NoHeader, Leader: f.Leader, Trailer: f.Trailer, Compress: f.Compress}
}

// Tidy says what becomes of our own old files.
type Tidy struct {
	Keep   int    `json:"keep,omitempty" default:"7" doc:"Publications that stay where they are"`
	Folder string `json:"folder,omitempty" doc:"Folder into which older files are moved; left out: they are removed"`
}

// none switches a file off whose name has a default.
const none = "none"

// Modes of publication.
const (
	modeFull  = "full"
	modeDelta = "delta"
)

// atOnce: a batch is published before it is answered.
func (c *Config) atOnce() bool { return c.Publish.After == 0 }

func (c *Config) quiet() time.Duration  { return time.Duration(c.Publish.After) }
func (c *Config) within() time.Duration { return orDefault(c.Publish.Within, 20*time.Second) }

func orDefault(d connector.Duration, other time.Duration) time.Duration {
	if d > 0 {
		return time.Duration(d)
	}
	return other
}

func (c *Config) hasManifest() bool { return c.Manifest != none && c.Manifest != "" }

// layout is what decides the bytes of the files.
func (c *Config) layout() *feed.Layout {
	l := &feed.Layout{File: c.File, Columns: c.Columns, Memberships: c.Memberships, Key: c.Key,
		DropDisabled: c.OnDisable == "remove", MarkDeleted: c.OnDelete == "mark"}
	if c.Actions != nil {
		l.Actions = *c.Actions
	} else {
		l.Actions = feed.Actions{Create: "A", Update: "U", Delete: "D"}
	}
	return l
}

// completed gives the sections that are left out the defaults of what is in them.
func (c Config) completed() Config {
	if c.Publish == (Publish{}) {
		c.Publish.After = connector.Duration(2 * time.Second)
	}
	if c.Shrink.MaxPercent == nil {
		percent := 20
		c.Shrink = Shrink{MaxPercent: &percent, MinRows: 20}
	}
	return c
}
