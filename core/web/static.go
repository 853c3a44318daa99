package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

//go:embed static/*
var files embed.FS

// asset returns the address of a static file. Its content is part of it, so that a
// browser keeps the file for good and takes the new one after an upgrade.
func asset(name string) string { return "/static/" + versions[name] + "/" + name }

// versions are the hashes of the static files.
var versions = func() map[string]string {
	out := map[string]string{}
	entries, err := files.ReadDir("static")
	if err != nil {
		panic(err) // they are embedded
	}
	for _, e := range entries {
		b, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(b)
		out[e.Name()] = hex.EncodeToString(sum[:6])
	}
	return out
}()

// static serves the files that [asset] names; anybody may have them.
func static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		if r.URL.Path != asset(name) || versions[name] == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		if strings.HasSuffix(name, ".LICENSE") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		http.ServeFileFS(w, r, files, "static/"+name)
	})
}
