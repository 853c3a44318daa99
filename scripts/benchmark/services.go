package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// scimAtOnce is how many requests are under way at once, ours and the reference's.
const scimAtOnce = 4

var inService = []attribute{{"userName", "person.email"}, {"externalId", "person.employee_id"}, {"givenName", "person.given"},
	{"familyName", "person.family"}, {"email", "person.email"}, {"title", "person.title"}, {"department", "person.department"}}

// services measures creates in a SCIM service. The reference is a loop of bare
// requests with the same bodies, as many at once.
func services(ctx context.Context, b *bench) error {
	env, err := setUp(fastServers, "SCIM_URL", "SCIM_TOKEN", "SCIM_RESET_URL")
	if err != nil {
		return err
	}
	s := &service{url: env["SCIM_URL"], token: env["SCIM_TOKEN"]}
	n, took := b.sizes.operations, takes{}
	for round := range b.sizes.rounds {
		b.progress("scim: bare requests and provhub, round %d of %d", round+1, b.sizes.rounds)
		if err := s.request(ctx, http.MethodPost, env["SCIM_RESET_URL"], nil, http.StatusNoContent); err != nil {
			return err
		}
		began := time.Now()
		if err := s.createAll(ctx, people{n: n}); err != nil {
			return err
		}
		took.add("create/reference", usage{wall: time.Since(began)})
		if err := s.request(ctx, http.MethodPost, env["SCIM_RESET_URL"], nil, http.StatusNoContent); err != nil {
			return err
		}
		site, err := s.site(ctx, b, "scimmy")
		if err != nil {
			return err
		}
		if err := site.createAndUpdate(ctx, n, took); err != nil {
			return err
		}
		site.remove()
	}
	b.compare("scim", "SCIMMY", "create", n, took, fmt.Sprintf("bare requests, %d at once", scimAtOnce), 1.1, true)
	b.compare("scim", "SCIMMY", "update", n, took, "", 0, false)
	return nil
}

// service is a SCIM service.
type service struct{ url, token string }

func (s *service) site(ctx context.Context, b *bench, dialect string) (*site, error) {
	return b.newSite(ctx, setting{Plugin: "scim", Attributes: inService, Match: "userName", SecretName: "token", Secret: s.token,
		Config: fmt.Sprintf(`{base_url: %q, dialect: %s, allow_insecure: ["127.0.0.1"], concurrency: %d}`, s.url, dialect, scimAtOnce)})
}

// client is one for all requests of the reference.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: scimAtOnce}}

func (s *service) request(ctx context.Context, method, url string, body []byte, want int) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != want {
		return fmt.Errorf("%s %s: %s (%w)\n%s", method, url, resp.Status, err, tail(answer))
	}
	return nil
}

// createAll creates all people.
func (s *service) createAll(ctx context.Context, p people) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range scimAtOnce {
		g.Go(func() error {
			for i := int(next.Add(1)) - 1; i < p.n; i = int(next.Add(1)) - 1 {
				if err := s.request(ctx, http.MethodPost, s.url+"/Users", scimBody(p.at(i)), http.StatusCreated); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func scimBody(q person) []byte {
	const core, enterprise = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	body, err := json.Marshal(map[string]any{"schemas": []string{core, enterprise}, "userName": q.email, "externalId": q.id, "active": true,
		"name": map[string]string{"givenName": q.given, "familyName": q.family}, "title": q.title,
		"emails": []map[string]any{{"type": "work", "value": q.email, "primary": true}}, enterprise: map[string]string{"department": q.department}})
	if err != nil {
		panic(err) // strings always encode
	}
	return body
}

// serviceMembers puts everybody into one group of a simulated service, which is
// quick enough for so many.
func serviceMembers(ctx context.Context, b *bench) error {
	f, err := fakescim.New(fakescim.Options{PlainHTTP: true})
	if err != nil {
		return err
	}
	defer f.Close()
	s := &service{url: f.URL(), token: f.Token()}
	group := []byte(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "everybody"}`)
	if err := s.request(ctx, http.MethodPost, s.url+"/Groups", group, http.StatusCreated); err != nil {
		return err
	}
	site, err := s.site(ctx, b, "rfc7644")
	if err != nil {
		return err
	}
	defer site.remove()
	f.ResetLog()
	if err := site.members(ctx, "scim-members", "simulated service", b.sizes.members); err != nil {
		return err
	}
	b.add(line{Section: "scim-members", What: "simulated service: requests for the members", Ours: &value{float64(f.Count(http.MethodPatch, "/Groups")), count}}, 0)
	return nil
}
