package pluginhost

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// binary is a plugin file that was opened and hashed. What was hashed is what
// runs: the launcher executes this descriptor and never the path again.
type binary struct {
	file   *os.File
	path   string
	sha256 string // hex
	script bool   // begins with "#!": its interpreter reads the descriptor
}

// MismatchError says that a plugin file is not the one that was pinned.
type MismatchError struct {
	Path, Want, Got string // SHA-256, hex
}

// Error implements error.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("plugin %s is not the file that was pinned: sha256 is %s, plugins.lock says %s; "+
		"the file was replaced or tampered with. Put the pinned file back, or, if the change was meant, run: provhub plugin pin %s",
		e.Path, shortHash(e.Got), shortHash(e.Want), e.Path)
}

// openBinary opens the plugin at path once and hashes what it opened. want is
// the pinned SHA-256 in hex; "" accepts any content. The caller closes the file.
func openBinary(path, want string) (*binary, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("plugin %s does not exist: build or install it, or correct plugins.dir in the config", path)
	case err != nil:
		return nil, fmt.Errorf("plugin %s cannot be read: %w", path, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("plugin %s is not a file: name the plugin's binary", path)
	case info.Mode().Perm()&0o111 == 0:
		return nil, fmt.Errorf("plugin %s is not executable (mode %s): run chmod 0755 %s", path, info.Mode().Perm(), path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("plugin %s cannot be read: %w; the user that runs provhub needs read permission", path, err)
	}
	b := &binary{file: f, path: path}
	if err := b.verify(want); err != nil {
		_ = f.Close()
		return nil, err
	}
	return b, nil
}

func (b *binary) verify(want string) error {
	var head [2]byte
	if n, err := b.file.ReadAt(head[:], 0); err != nil && err != io.EOF {
		return fmt.Errorf("read plugin %s: %w", b.path, err)
	} else if n == 0 {
		return fmt.Errorf("plugin %s is empty: build or copy it again", b.path)
	}
	b.script = bytes.Equal(head[:], []byte("#!"))
	sum := sha256.New()
	if _, err := io.Copy(sum, b.file); err != nil {
		return fmt.Errorf("read plugin %s: %w", b.path, err)
	}
	b.sha256 = hex.EncodeToString(sum.Sum(nil))
	want = strings.ToLower(want)
	if want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(b.sha256)) != 1 {
		return &MismatchError{Path: b.path, Want: want, Got: b.sha256}
	}
	return nil
}

// platformOf says for which platform the file was built, "" when it is no
// executable of a kind known here.
func platformOf(r io.ReaderAt) string {
	if f, err := elf.NewFile(r); err == nil {
		return "linux/" + archName(f.Machine.String())
	}
	if f, err := macho.NewFile(r); err == nil {
		return "darwin/" + archName(f.Cpu.String())
	}
	if f, err := pe.NewFile(r); err == nil {
		arch := map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64", pe.IMAGE_FILE_MACHINE_I386: "386"}[f.Machine]
		return "windows/" + arch
	}
	return ""
}

func archName(machine string) string {
	names := map[string]string{
		"EM_X86_64": "amd64", "EM_AARCH64": "arm64", "EM_386": "386", "EM_ARM": "arm", "EM_RISCV": "riscv64", "EM_S390": "s390x",
		"CpuAmd64": "amd64", "CpuArm64": "arm64",
	}
	if n, ok := names[machine]; ok {
		return n
	}
	return machine
}

// Platform is this machine's key in plugins.lock, as "linux/amd64".
func Platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

func shortHash(h string) string {
	if len(h) > 12 {
		return h[:12] + "…"
	}
	return h
}
