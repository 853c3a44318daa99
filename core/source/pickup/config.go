package pickup

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/source/csvfile"
)

// Config says where files are dropped, which of them count, and when one is whole.
type Config struct {
	// CSV is how the files are written. Its Path and Manifest are not used.
	CSV csvfile.Config
	// Folder is absolute here; on the server where SFTP is set.
	Folder string
	SFTP   *SFTP // nil: a folder of this machine
	// Pattern is the name of files: "hr_(YYYYMMDD)_full*.csv". * is any text and ?
	// one character. What stands in parentheses says how new a file is: a date, or N
	// for a number. Without it the manifest's date counts, else the time of writing.
	Pattern string
	// Done, Manifest and Checksum are names of files that come with a file and last:
	// a trigger, a JSON file as csvfile.Config.Manifest, and a line of sha256sum.
	// {file} is the file's name, {base} that up to its first dot. A file without those
	// that are configured is not whole.
	Done, Manifest, Checksum string
	// Looks and Every say when a file is whole that comes alone: its size and time
	// are the same in so many looks; 0: 3, every 2 s.
	Looks int
	Every time.Duration
	// Archive is a folder into which files go once what was in them is kept; "": they
	// stay. Keep removes them from it after so long; 0: never.
	Archive string
	Keep    time.Duration
	// MaxBytes bounds a file in every form that it takes; 0: 4 GiB. MaxRatio bounds
	// how many times larger it may become when it is unpacked; 0: 200.
	MaxBytes int64
	MaxRatio int64
	PGP      *PGP
	Delta    *DeltaConfig
}

// PGP says who encrypts files and whom they must be signed by (RFC 9580). Our key
// is the secret pgp_private_key.
type PGP struct {
	// Signers are files with the public keys of whom a file must be signed by.
	Signers []string
	// AllowUnsigned takes files that anybody may have encrypted for us.
	AllowUnsigned bool
}

// DeltaConfig describes files of changes between whole ones.
type DeltaConfig struct {
	// Pattern is their name, as Config.Pattern, with a date or number of the same kind.
	Pattern string
	// Every is the time from one dated file to the next, by which one that is missing
	// is found out; 0: none can be. Numbers always follow each other.
	Every time.Duration
}

const (
	defaultLooks    = 3
	defaultEvery    = 2 * time.Second
	defaultMaxBytes = 4 << 30
	defaultMaxRatio = 200
)

func (c Config) withDefaults() Config {
	if c.Looks == 0 {
		c.Looks = defaultLooks
	}
	if c.Every == 0 {
		c.Every = defaultEvery
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.MaxRatio == 0 {
		c.MaxRatio = defaultMaxRatio
	}
	return c
}

// companions are the configured names of files that come with a file.
func (c *Config) companions() []string {
	var out []string
	for _, p := range []string{c.Manifest, c.Checksum, c.Done} {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// Check returns every fault of c that can be found without the folder, a line each
// that begins with the key at fault.
func (c Config) Check() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Folder == "" {
		fault("folder: is missing: say where the files are dropped")
	}
	full, err := parsePattern(c.Pattern)
	if err != nil {
		fault("pattern: %w", err)
	}
	for key, p := range map[string]string{"done": c.Done, "manifest": c.Manifest, "checksum": c.Checksum} {
		if p != "" && !strings.Contains(p, "{file}") && !strings.Contains(p, "{base}") {
			fault(key+": %q does not say which file it belongs to: write {file} for its name, or {base} for that up to the first dot", p)
		}
	}
	if c.Keep > 0 && c.Archive == "" {
		fault("keep: is about the archive, and there is none")
	}
	if c.Archive != "" && c.Archive == c.Folder {
		fault("archive: is the folder itself")
	}
	if c.Looks < 0 || c.Looks == 1 || c.MaxBytes < 0 || c.MaxRatio < 0 {
		fault("stable: looks are 2 or more; max_bytes and max_ratio are positive")
	}
	if c.CSV.Manifest != "" {
		fault("manifest: belongs into pickup, as the name %q", "{file}.manifest.json")
	}
	c.SFTP.check(fault)
	c.PGP.check(fault)
	c.checkDelta(full, fault)
	return errors.Join(errs...)
}

func (c Config) checkDelta(full pattern, fault func(string, ...any)) {
	d := c.Delta
	switch {
	case d == nil && c.CSV.Action != nil:
		fault("delta: action is about files of changes, and there are none")
		return
	case d == nil:
		return
	case c.CSV.Action == nil:
		fault("delta.action: is missing: the column that says what has happened, and its words")
	}
	changes, err := parsePattern(d.Pattern)
	switch {
	case err != nil:
		fault("delta.pattern: %w", err)
	case changes.kind == byTime || full.kind == byTime:
		fault("delta: whole files and files of changes both need a date or a number in their names, such as hr_(YYYYMMDD)_delta.csv: their order must be certain")
	case changes.kind != full.kind:
		fault("delta: the names of whole files hold a %s, those of changes a %s: which is newer cannot be told", full.kind, changes.kind)
	case d.Every > 0 && changes.kind == byNumber:
		fault("delta.every: is for files with a date; numbers follow each other anyway")
	}
}

func (p *PGP) check(fault func(string, ...any)) {
	switch {
	case p == nil:
	case len(p.Signers) == 0 && !p.AllowUnsigned:
		fault("pgp.signers: is missing: anybody can encrypt a file for us, so name the public keys of whom it must be signed by, or set allow_unsigned")
	case len(p.Signers) > 0 && p.AllowUnsigned:
		fault("pgp: signers and allow_unsigned exclude each other")
	}
}
