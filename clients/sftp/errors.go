package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/provhub/provhub/connectors/connector"
)

// Status codes of the SFTP drafts (draft-ietf-secsh-filexfer-02 §7, -13 §9.1).
const (
	fxNoSuchFile       = 2
	fxPermissionDenied = 3
	fxFailure          = 4
	fxNoConnection     = 6
	fxConnectionLost   = 7
	fxUnsupported      = 8
	fxNoSuchPath       = 10
	fxAlreadyExists    = 11
	fxWriteProtect     = 12
	fxNoSpace          = 14
	fxQuota            = 15
)

func isStatus(err error, code uint32) bool {
	var s *sftp.StatusError
	return errors.As(err, &s) && s.Code == code
}

func isUnsupported(err error) bool { return isStatus(err, fxUnsupported) }

// isFailure reports whether a server refused without saying why, which is how
// most refuse a rename to a name that is taken.
func isFailure(err error) bool { return isStatus(err, fxFailure) || isStatus(err, fxAlreadyExists) }

// connectError says why there is no connection. Nothing of a call had left.
func connectError(ctx context.Context, addr string, err error) error {
	var own *connector.Error
	var key *hostKeyError
	var none *ssh.AlgorithmNegotiationError
	var dns *net.DNSError
	var op *net.OpError
	e := &connector.Error{Code: connector.CodeUnavailable, Scope: connector.ScopeInstance, NativeCode: "SSH", Cause: err}
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &key):
		// Never a reason to try again: whoever answers is not who was meant.
		e.Code, e.NativeCode, e.Message = connector.CodeConfiguration, "SSH host key", key.Error()
	case errors.As(err, &none):
		e.Code, e.Message = connector.CodeConfiguration, fmt.Sprintf("%s offers no modern %s, or no host key of a kind that is pinned: it has %s",
			addr, none.What, strings.Join(none.RequestedAlgorithms, ", "))
		if len(none.SupportedAlgorithms) > 0 && len(none.RequestedAlgorithms) == 0 {
			e.Message = addr + " offers no modern " + none.What
		}
	case errors.As(err, &dns):
		e.NativeCode, e.Message = "DNS", "the host "+dns.Name+" has no address; check its name"
	case errors.Is(ctx.Err(), context.Canceled):
		e.Message = "the call was cancelled before " + addr + " was reached"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.Message = addr + " did not complete the login within the time limit"
	case errors.As(err, &op) && op.Op == "dial":
		e.NativeCode, e.Message = "dial", "nothing answers at "+addr+"; is the server running, does a firewall stand between?"
	case strings.Contains(err.Error(), "unable to authenticate"):
		e.Code, e.Message = connector.CodeAuthentication, addr+" does not accept the login; check user, key and password ("+attempted(err)+")"
	default:
		e.Message = "the connection to " + addr + " broke before the login was complete"
		e.Detail = err.Error()
	}
	return e
}

// attempted returns which ways to log in were tried.
func attempted(err error) string {
	_, list, _ := strings.Cut(err.Error(), "attempted methods [")
	list, _, _ = strings.Cut(list, "]")
	var tried []string
	for m := range strings.FieldsSeq(list) {
		if m != "none" {
			tried = append(tried, m)
		}
	}
	if len(tried) == 0 {
		return "the server takes none of the ways to log in that are configured"
	}
	return "tried: " + strings.Join(tried, ", ")
}

// subsystemError says why a connection has no SFTP.
func subsystemError(ctx context.Context, addr string, err error) error {
	var refused *ssh.OpenChannelError
	if strings.Contains(err.Error(), "subsystem request failed") || errors.As(err, &refused) {
		return &connector.Error{Code: connector.CodeConfiguration, NativeCode: "SSH subsystem", Cause: err,
			Message: addr + " accepts the login and offers no SFTP to this user"}
	}
	return connectError(ctx, addr, err)
}

// callError says why a call did not succeed; what names it.
func callError(ctx context.Context, what string, err error) error {
	var own *connector.Error
	if errors.As(err, &own) {
		return own
	}
	if lost := lostError(ctx, what, err); lost != nil {
		return lost
	}
	e := &connector.Error{Code: connector.CodeUnavailable, Message: "the server refuses to " + what, Cause: err}
	var s *sftp.StatusError
	if errors.As(err, &s) {
		e.NativeCode, e.Detail = fmt.Sprintf("SFTP %d", s.Code), s.Error()
	}
	switch {
	case errors.Is(err, os.ErrNotExist), isStatus(err, fxNoSuchFile), isStatus(err, fxNoSuchPath):
		e.Code, e.NativeCode, e.Message = connector.CodeNotFound, "SFTP 2", "cannot "+what+": there is no such file or folder"
	case errors.Is(err, os.ErrPermission), isStatus(err, fxPermissionDenied), isStatus(err, fxWriteProtect):
		e.Code, e.NativeCode = connector.CodePermission, "SFTP 3"
		e.Message += ": permission denied; give the login the right, or correct the folder"
	case isStatus(err, fxNoSpace), isStatus(err, fxQuota), outOfSpace(err):
		e.Scope = connector.ScopeInstance
		e.Message += ": its disk is full or the quota is used up"
	case isStatus(err, fxFailure):
		e.Message += " and does not say why; is the disk full, the quota used up, the name taken?"
	case isStatus(err, fxUnsupported):
		e.Code, e.Message = connector.CodeConfiguration, "the server cannot "+what
	}
	return e
}

// outOfSpace reads the text of a failure, where servers that have one code for
// everything say what it was.
func outOfSpace(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "no space") || strings.Contains(text, "quota") || strings.Contains(text, "disk full")
}

// lostError is err when it means that no answer came, else nil.
func lostError(ctx context.Context, what string, err error) *connector.Error {
	e := &connector.Error{Code: connector.CodeUnavailable, Scope: connector.ScopeInstance, NativeCode: "SSH", Cause: &lost{err}}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.Code, e.Scope, e.Message = connector.CodeTimeout, "", "no answer within the time limit: "+what
	case errors.Is(ctx.Err(), context.Canceled), errors.Is(err, context.Canceled):
		e.Message = "the call was cancelled: " + what
	case errors.Is(err, errStalled), errors.Is(err, errSilent):
		e.Message = err.Error() + ": " + what
	case isBroken(err):
		e.Message = "the connection broke: " + what
	default:
		return nil
	}
	return e
}

func isBroken(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, sftp.ErrSSHFxConnectionLost) || isStatus(err, fxConnectionLost) || isStatus(err, fxNoConnection) || errors.As(err, &network)
}

// lost marks an error that says nothing about what the server did.
type lost struct{ error }

func isLost(err error) bool {
	var l *lost
	return errors.As(err, &l)
}

// inDoubt is err of a call that takes effect at once: unknown when no answer came.
func inDoubt(err error) error {
	if isLost(err) {
		return connector.Unknown(err)
	}
	return err
}

// folderMissing turns "no such file" into what it means when a new one is written.
func folderMissing(err error, dir string) error {
	if !connector.IsCode(err, connector.CodeNotFound) {
		return err
	}
	return &connector.Error{Code: connector.CodeConfiguration, NativeCode: "SFTP 2", Cause: err,
		Message: "the folder " + dir + " is not on the server; make it, or correct the config"}
}
