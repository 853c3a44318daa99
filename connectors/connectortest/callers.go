package connectortest

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

func closedToOthers(ctx context.Context, e *Env) error {
	l, ok := e.run.(*launched)
	if !ok || l.p.Addr() == nil {
		return skip("it is not known where the plugin listens")
	}
	path := l.p.Addr().String()
	for _, p := range []string{path, filepath.Dir(path), l.p.Dir()} {
		info, err := os.Stat(p)
		if err != nil {
			continue // not a file system's address
		}
		if !info.IsDir() && info.Mode().Perm()&0o022 != 0 && !private(filepath.Dir(p)) {
			return fmt.Errorf("others may write to the socket %s (mode %v)", p, info.Mode().Perm())
		}
	}
	for how, creds := range map[string]credentials.TransportCredentials{
		"without TLS":           insecure.NewCredentials(),
		"without a certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}), // the caller does not care who answers
	} {
		if answersTo(ctx, path, creds) {
			return fmt.Errorf("it answers a caller %s", how)
		}
	}
	return nil
}

// answersTo reports whether Describe is answered to a caller with creds.
func answersTo(ctx context.Context, path string, creds credentials.TransportCredentials) bool {
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(creds))
	if err != nil {
		return false
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = pluginv1.NewConnectorServiceClient(conn).Describe(ctx, &pluginv1.DescribeRequest{})
	return err == nil
}

// private reports whether a folder above path is closed to others.
func private(dir string) bool {
	for ; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 == 0 {
			return true
		}
	}
	return false
}
