package config

import (
	"cmp"
	"strings"
	"time"

	"github.com/provhub/provhub/core/source/csvfile"
	"github.com/provhub/provhub/core/source/pickup"
)

type rawPickup struct {
	Folder   string        `yaml:"folder"`
	SFTP     *rawPickupSSH `yaml:"sftp"`
	Pattern  string        `yaml:"pattern"`
	Done     string        `yaml:"done"`
	Manifest string        `yaml:"manifest"`
	Checksum string        `yaml:"checksum"`
	Stable   struct {
		Looks int  `yaml:"looks"`
		Every text `yaml:"every"`
	} `yaml:"stable"`
	Archive  string          `yaml:"archive"`
	Keep     text            `yaml:"keep"`
	MaxBytes int64           `yaml:"max_bytes"`
	MaxRatio int64           `yaml:"max_ratio"`
	PGP      *rawPickupPGP   `yaml:"pgp"`
	Delta    *rawPickupDelta `yaml:"delta"`
}

type rawPickupSSH struct {
	Host            string   `yaml:"host"`
	User            string   `yaml:"user"`
	HostKeys        []string `yaml:"host_keys"`
	KnownHostsFile  string   `yaml:"known_hosts_file"`
	KeyFile         string   `yaml:"key_file"`
	CertificateFile string   `yaml:"certificate_file"`
	Agent           string   `yaml:"agent"`
}

type rawPickupPGP struct {
	Signers       []string `yaml:"signers"`
	AllowUnsigned bool     `yaml:"allow_unsigned"`
}

type rawPickupDelta struct {
	Pattern string         `yaml:"pattern"`
	Every   text           `yaml:"every"`
	Action  csvfile.Action `yaml:"action"`
}

// wholeNever is how often a source with files of changes is read whole besides,
// unless the file says: the whole files that come tell it better.
const wholeNever = 100 * 365 * 24 * time.Hour

// pickup reads where the files of a csv source are dropped, and checks it whole.
func (b *builder) pickup(src *Source, r *rawSource, path string) {
	if (r.Path == "") == (r.Pickup == nil) {
		b.add(r.Name.line, path, "give exactly one of path, for one file, and pickup, for a folder into which files are dropped")
	}
	p := r.Pickup
	if p == nil {
		return
	}
	c := &pickup.Config{
		Folder: p.Folder, Pattern: p.Pattern, Done: p.Done, Manifest: p.Manifest, Checksum: p.Checksum,
		Looks: p.Stable.Looks, Every: b.duration(p.Stable.Every, path+".pickup.stable.every"),
		Archive: p.Archive, Keep: b.duration(p.Keep, path+".pickup.keep"), MaxBytes: p.MaxBytes, MaxRatio: p.MaxRatio,
	}
	if p.SFTP == nil {
		c.Folder, c.Archive = b.path(p.Folder), b.path(p.Archive)
	} else {
		c.SFTP = b.pickupSSH(p.SFTP)
	}
	if p.PGP != nil {
		c.PGP = &pickup.PGP{AllowUnsigned: p.PGP.AllowUnsigned}
		for _, s := range p.PGP.Signers {
			c.PGP.Signers = append(c.PGP.Signers, b.path(s))
		}
	}
	if p.Delta != nil {
		c.Delta = &pickup.DeltaConfig{Pattern: p.Delta.Pattern, Every: b.duration(p.Delta.Every, path+".pickup.delta.every")}
		src.CSV.Action = &p.Delta.Action
		src.WholeEvery = cmp.Or(src.WholeEvery, wholeNever)
		if len(r.With) > 0 {
			b.add(r.Name.line, path+".with", "files of changes and attributes of other sources do not go together: let the other source be the one with this one as its part")
		}
	}
	src.CSV.Path = p.Pattern // what errors name before a file is known
	c.CSV = *src.CSV
	if err := c.Check(); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			key, text, _ := strings.Cut(line, ": ")
			b.add(r.Name.line, path+".pickup."+key, "%s", text)
		}
	}
	src.Pickup = c
}

func (b *builder) pickupSSH(s *rawPickupSSH) *pickup.SFTP {
	return &pickup.SFTP{
		Addr: s.Host, User: s.User, HostKeys: s.HostKeys, KnownHosts: b.path(s.KnownHostsFile), KeyFile: b.path(s.KeyFile),
		CertificateFile: b.path(s.CertificateFile), Agent: s.Agent,
	}
}
