package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files measures a full file: one person changes, and a file with everybody is
// made and sent. The reference is `sftp put` of the same bytes to the same server.
func files(ctx context.Context, b *bench) error {
	env, err := setUp(fastServers, "SFTP_ADDR", "SFTP_USER", "SFTP_KEY_FILE", "SFTP_KNOWN_HOSTS", "SFTP_REMOTE_DIR", "SFTP_LOCAL_DIR")
	if err != nil {
		return err
	}
	s, err := fileSite(ctx, b, env)
	if err != nil {
		return err
	}
	defer s.remove()
	n, took := b.sizes.rows, takes{}
	rows := digits(float64(n)) + " rows"
	b.progress("sftp: first file of %s", rows)
	if err := s.source(people{n: n}); err != nil {
		return err
	}
	_, first, err := s.planAndApply(ctx)
	if err != nil {
		return err
	}
	b.add(line{Section: "sftp", What: rows + ": accepted and sent for the first time", Ours: rate(n, first.wall), CPU: inSeconds(first.cpu)}, 0)
	if s.Config, err = fileConfig(env, "0s"); err != nil {
		return err
	}
	if err := s.configure(); err != nil {
		return err
	}
	hub, plugin := first.peaks["provhub"], first.peaks["provhub-connector-sftp"]
	for round := range b.sizes.rounds {
		b.progress("sftp: provhub and sftp put, round %d of %d", round+1, b.sizes.rounds)
		if err := s.source(people{n: n, round: round + 1, changed: func(i int) bool { return i == n/2 }}); err != nil {
			return err
		}
		_, apply, err := s.planAndApply(ctx)
		if err != nil {
			return err
		}
		took.add("ours", apply)
		plugin = max(plugin, apply.peaks["provhub-connector-sftp"])
		u, err := sftpPut(ctx, env)
		if err != nil {
			return err
		}
		took.add("reference", u)
	}
	b.fileLines(rows, took, hub, plugin)
	return nil
}

func (b *bench) fileLines(rows string, took takes, hub, plugin int64) {
	ours, cpu := took.median("ours")
	reference, _ := took.median("reference")
	l := line{Section: "sftp", What: rows + ": one changed, made, sent and looked after (reference: sftp put)", Ours: inSeconds(ours), CPU: inSeconds(cpu),
		Reference: inSeconds(reference), Ratio: ours.Seconds() / reference.Seconds()}
	if !b.quick {
		l.Goal = atMost(1.5)
	}
	b.add(l, l.Ratio)
	b.add(line{Section: "sftp", What: rows + ": peak of memory, provhub, first time", Ours: &value{float64(hub) / (1 << 20), mebibytes}}, 0)
	b.add(line{Section: "sftp", What: rows + ": peak of memory, plugin", Ours: &value{float64(plugin) / (1 << 20), mebibytes}}, 0)
}

func fileSite(ctx context.Context, b *bench, env map[string]string) (*site, error) {
	key, err := os.ReadFile(env["SFTP_KEY_FILE"])
	if err != nil {
		return nil, err
	}
	config, err := fileConfig(env, "2s")
	if err != nil {
		return nil, err
	}
	return b.newSite(ctx, setting{Plugin: "sftp", SecretName: "private_key", Secret: string(key), Config: config,
		Attributes: []attribute{{"id", "person.employee_id"}, {"given", "person.given"}, {"family", "person.family"}, {"mail", "person.email"},
			{"department", "person.department"}, {"title", "person.title"}}})
}

// fileConfig is the plugin's; after is how long it waits for more before it makes
// a file.
func fileConfig(env map[string]string, after string) (string, error) {
	known, err := os.ReadFile(env["SFTP_KNOWN_HOSTS"])
	if err != nil {
		return "", err
	}
	var keys []string // of the server, without the address
	for l := range strings.Lines(string(known)) {
		_, k, _ := strings.Cut(strings.TrimSpace(l), " ")
		keys = append(keys, k)
	}
	quoted, err := json.Marshal(keys)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`{host: %q, user: %q, host_keys: %s, folder: %q, file: {name: "bench%d_{seq:6}.csv"}, key: id, columns: [{name: id}, {name: given}, {name: family}, {name: mail}, {name: department}, {name: title}, {kind: state, header: state, enabled: "on", disabled: "off"}], publish: {after: %s}}`,
		env["SFTP_ADDR"], env["SFTP_USER"], quoted, env["SFTP_REMOTE_DIR"], os.Getpid(), after), nil
}

// sftpPut sends the newest file once more by OpenSSH's own client.
func sftpPut(ctx context.Context, env map[string]string) (usage, error) {
	names, err := filepath.Glob(filepath.Join(env["SFTP_LOCAL_DIR"], fmt.Sprintf("bench%d_*.csv", os.Getpid())))
	if err != nil || len(names) == 0 {
		return usage{}, fmt.Errorf("there is no file in %s (%w)", env["SFTP_LOCAL_DIR"], err)
	}
	newest := slices.Max(names)
	host, port, _ := strings.Cut(env["SFTP_ADDR"], ":")
	batch := filepath.Join(os.TempDir(), fmt.Sprintf("provhub-bench-%d.sftp", os.Getpid()))
	defer os.Remove(batch)
	if err := os.WriteFile(batch, fmt.Appendf(nil, "put %s %s/reference.csv\n", newest, env["SFTP_REMOTE_DIR"]), 0o600); err != nil {
		return usage{}, err
	}
	u, _, err := run(ctx, "", nil, "sftp", "-q", "-b", batch, "-P", port, "-i", env["SFTP_KEY_FILE"], "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile="+env["SFTP_KNOWN_HOSTS"], env["SFTP_USER"]+"@"+host)
	return u, err
}
