package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// work counts what a soak has asked for.
type work struct {
	readings, pushes, pages, failed atomic.Int64
	failures                        atomic.Pointer[error] // the first
	operations                      float64               // that were done, as the node counts
}

// soakUser reads the pages.
const soakUser, soakPassword = "soak", "a long enough password for a soak"

// signIn makes a user and signs in as a browser does.
func (s *soak) signIn(ctx context.Context) error {
	st, err := store.Open(ctx, s.site.State)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := signin.Add(ctx, st.Org("bench"), soakUser, signin.Admin, soakPassword, "soak", time.Now()); err != nil {
		return err
	}
	if s.node.http.Jar, err = cookiejar.New(nil); err != nil {
		return err
	}
	resp, err := s.node.http.PostForm(s.node.url+"/signin", url.Values{"name": {soakUser}, "password": {soakPassword}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("signing in: %s", resp.Status)
	}
	return nil
}

// change gives some people another title.
func (s *soak) change(context.Context) error {
	round := int(s.work.readings.Add(1))
	from := round * soakChanged % soakPeople
	return s.site.source(people{n: soakPeople, round: round, changed: func(i int) bool { return i >= from && i < from+soakChanged }})
}

// push tells of somebody who is on leave, or not any more.
func (s *soak) push(ctx context.Context) error {
	n := int(s.work.pushes.Add(1))
	status := []string{"leave", "active"}[n/soakPeople%2]
	return s.node.push(ctx, people{n: soakPeople}.row(n%soakPeople, status))
}

// soakPages are read one after the other.
var soakPages = []string{"/", "/queue", "/queue/list", "/connectors/app", "/sources/hr", "/people", "/plans", "/runs", "/audit", "/readyz"}

func (s *soak) page(ctx context.Context) error {
	n := int(s.work.pages.Add(1))
	_, err := s.node.get(ctx, soakPages[n%len(soakPages)])
	return err
}
