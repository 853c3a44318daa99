// Package pickup takes HR exports where they are dropped: a folder of this machine
// or of an SFTP server.
//
//	list ─► newest complete file ─► private copy ─► size, hash ─► decrypt, verify ─► unpack ─► csvfile
//	                                                                                             │
//	                              archive ◄── the hub has committed the reading ◄────────────────┘
//
// Every file is copied whole and checked before the first row of it is read, into a
// file without a name that nobody else can open and that is gone when the process
// is. What is not as it should be is an error that names the file; then nothing is
// concluded and nobody is taken to have left.
package pickup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/csvfile"
)

// Reader reads the newest file that holds everybody; it implements [source.Reader].
// It may be used again and again, by one caller at a time. Close ends it.
type Reader struct {
	c    Config
	full pattern
	csv  *csvfile.Reader
	pgp  *decryptor // nil: files are not encrypted
	dir  folder
	last func(context.Context) ([]byte, error)
	now  func() time.Time

	// one is the file that was fetched last: Fingerprint and Read share it.
	one    *fetched
	kept   memory // what Committed is about
	notes  []string
	looked []entry // the folder as it was when kept was chosen
}

var (
	_ source.Reader        = (*Reader)(nil)
	_ source.Fingerprinter = (*Reader)(nil)
	_ source.Committer     = (*Reader)(nil)
	_ source.Noter         = (*Reader)(nil)
	_ source.Decoder       = (*Reader)(nil)
)

// New checks c and returns its reader, which is a [Delta] where c.Delta is set. It
// does not look at the folder. secrets are private_key, passphrase and password for
// the server, pgp_private_key and pgp_passphrase for the files.
func New(c Config, secrets map[string]connector.Secret) (source.Reader, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("pickup: %w", err)
	}
	r := &Reader{c: c.withDefaults(), now: time.Now, last: func(context.Context) ([]byte, error) { return nil, nil }}
	r.full, _ = parsePattern(c.Pattern)
	var err error
	if r.csv, err = csvfile.New(c.CSV); err != nil {
		return nil, err
	}
	if c.PGP != nil {
		if r.pgp, err = newDecryptor(*c.PGP, secrets["pgp_private_key"], secrets["pgp_passphrase"]); err != nil {
			return nil, err
		}
		r.pgp.limit = r.c.MaxBytes
	}
	if r.dir, err = openFolder(c.SFTP, secrets); err != nil {
		return nil, err
	}
	if c.Delta != nil {
		d := &Delta{Reader: r}
		d.changes, _ = parsePattern(c.Delta.Pattern)
		return d, nil
	}
	return r, nil
}

// Remember has the reader know what was read before: last returns the token of the
// last reading that was kept, nil when there was none.
func (r *Reader) Remember(last func(context.Context) ([]byte, error)) { r.last = last }

// Close ends the connection to the server, and forgets what was fetched.
func (r *Reader) Close() {
	r.one.close()
	r.one = nil
	r.dir.close()
}

// Fields implements [source.Reader].
func (r *Reader) Fields() []source.Field { return r.csv.Fields() }

// Decode implements [source.Decoder].
func (r *Reader) Decode(ctx context.Context, raw map[string]any, yield func(*source.Record) error) error {
	return r.csv.Decode(ctx, raw, yield)
}

// Notes implements [source.Noter].
func (r *Reader) Notes() (warnings []string, token []byte) {
	if r.kept.Base.Name != "" {
		token = r.kept.encode()
	}
	return r.notes, token
}

// Read implements [source.Reader].
func (r *Reader) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	was, err := r.recall(ctx)
	if err != nil {
		return source.Report{}, err
	}
	if err := r.look(ctx); err != nil {
		return source.Report{}, err
	}
	pick, err := r.newest(ctx, was)
	if err != nil {
		return source.Report{}, err
	}
	f, err := r.fetch(ctx, pick)
	if err != nil {
		return source.Report{Dated: pick.dated}, err
	}
	report, err := r.csv.ReadFile(ctx, f.file(), yield)
	report.Warnings = append(r.notes, report.Warnings...)
	if err != nil {
		return report, err
	}
	r.kept = memory{Base: f.taken(pick), At: r.now()}
	report.Token = r.kept.encode()
	return report, nil
}

// Fingerprint implements [source.Fingerprinter]. A file that has the name, the size
// and the time of the one read last is taken to be that one, unless it was written
// so shortly before that the time may not tell; every other is fetched and hashed.
func (r *Reader) Fingerprint(ctx context.Context) (snapshot string, dated time.Time, err error) {
	was, err := r.recall(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	if err := r.look(ctx); err != nil {
		return "", time.Time{}, err
	}
	pick, err := r.newest(ctx, was)
	if err != nil {
		return "", time.Time{}, err
	}
	if was.Base.is(pick) && was.surely(pick) {
		r.kept = was
		return was.Base.SHA256, pick.dated, nil
	}
	f, err := r.fetch(ctx, pick)
	if err != nil {
		return "", pick.dated, err
	}
	if r.kept = (memory{Base: f.taken(pick), At: r.now()}); f.sha256 == was.Base.SHA256 && pick.name != was.Base.Name {
		r.note("%s holds, byte for byte, what %s held: nothing has changed, or the export repeats itself", pick.name, was.Base.Name)
	}
	return f.sha256, pick.dated, nil
}

func (r *Reader) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// newest chooses the file to read: the newest complete one, which may be the one
// that was read last, wherever it is by now.
func (r *Reader) newest(ctx context.Context, was memory) (candidate, error) {
	all, err := r.candidates(ctx, r.full, r.c.Pattern)
	if err != nil {
		return candidate{}, err
	}
	all, err = r.complete(ctx, all, was)
	if err != nil {
		return candidate{}, err
	}
	pick, err := r.choose(ctx, all, was)
	if err != nil {
		return candidate{}, err
	}
	return pick, r.tooOld(pick)
}

func (r *Reader) choose(ctx context.Context, all []candidate, was memory) (candidate, error) {
	known := was.comparable(r.full)
	if len(all) == 0 {
		if known {
			if pick, ok, err := r.find(ctx, was.Base); ok || err != nil {
				return pick, err
			}
		}
		return candidate{}, r.missing(was)
	}
	pick := all[len(all)-1]
	if n := len(all); n > 1 && all[n-2].order == pick.order {
		return candidate{}, fmt.Errorf("%s and %s are equally new: which of them counts cannot be told. Take one of them away", all[n-2].name, pick.name)
	}
	if !known {
		return pick, nil
	}
	if pick.order < was.Base.Order {
		return r.putBack(ctx, pick, was)
	}
	for _, c := range all[:len(all)-1] {
		if c.order > was.Base.Order {
			r.note("%s was not read: %s is newer", c.name, pick.name)
		}
	}
	return pick, nil
}

// putBack is what becomes of an older file that is the newest there is. Where the one
// read last is in the archive, that still counts. Otherwise the cycle refuses what is
// dated before it, and takes it when a person accepts it.
func (r *Reader) putBack(ctx context.Context, pick candidate, was memory) (candidate, error) {
	last, ok, err := r.find(ctx, was.Base)
	switch {
	case err != nil:
		return candidate{}, err
	case ok:
		r.note("%s is older than %s, which was read before, and was not read: an older export was put back, or came late", pick.name, last.name)
		return last, nil
	case pick.numbered:
		return candidate{}, fmt.Errorf("%s is older than %s, which was read before: an older export seems to have been put back. Nothing was taken over. If it is right, send it again under a higher number", pick.name, was.Base.Name)
	}
	return pick, nil
}

// missing says that there is no file, and what was there before.
func (r *Reader) missing(was memory) error {
	what := fmt.Sprintf("no complete file that matches %s is in %s", r.c.Pattern, r.where())
	if was.Base.Name != "" {
		what += fmt.Sprintf("; the last one read was %s, and it is not there any more", was.Base.Name)
	}
	if len(r.notes) > 0 {
		what += "; " + r.notes[len(r.notes)-1]
	}
	return fmt.Errorf("%s: %w", what, fs.ErrNotExist)
}

// tooOld refuses a file that is older than files may be: the one of today is missing.
func (r *Reader) tooOld(c candidate) error {
	age := r.now().Sub(c.dated)
	if r.c.CSV.MaxAge == 0 || age <= r.c.CSV.MaxAge {
		return nil
	}
	return fmt.Errorf("nothing newer than %s has arrived in %s: it is dated %s, which is longer ago than %v. The export seems to have stopped",
		c.name, r.where(), c.dated.Format(time.RFC3339), r.c.CSV.MaxAge)
}

// where names the folder.
func (r *Reader) where() string {
	if r.c.SFTP != nil {
		return "sftp://" + path.Join(r.c.SFTP.Addr, r.c.Folder)
	}
	return r.c.Folder
}

// recall reads the token of the last reading. One that cannot be read is as none.
func (r *Reader) recall(ctx context.Context) (memory, error) {
	r.notes, r.kept, r.looked = nil, memory{}, nil
	token, err := r.last(ctx)
	if err != nil {
		return memory{}, err
	}
	was, err := decodeMemory(token)
	if err != nil {
		return memory{}, errors.Join(err, errors.New("the token of the last reading cannot be read"))
	}
	return was, nil
}
