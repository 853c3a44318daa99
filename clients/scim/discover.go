package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/provhub/provhub/connectors/connector"
)

// Discovery is what the target told of itself. Parts that could not be read are
// nil, with the reason in Problems: discovery is best effort.
type Discovery struct {
	Config        *ServiceProviderConfig
	Schemas       []Schema
	ResourceTypes []ResourceTypeInfo
	Problems      []DiscoveryProblem
}

// DiscoveryProblem is something that could not be read or that cannot be so.
type DiscoveryProblem struct {
	What string // "/Schemas"
	Err  error
}

// Discover asks the target about itself and takes over what it tells wherever the
// profile leaves it open. The error is that of a target which cannot be reached, or
// of a profile that requires discovery; what was asked in vain stands in Problems.
func (c *Client) Discover(ctx context.Context) (*Discovery, error) {
	set := c.state()
	p := set.profile
	d := &Discovery{}
	if p.Discovery == DiscoveryNone {
		return d, nil
	}
	var spc ServiceProviderConfig
	found, err := c.ask(ctx, d, p.SPCPath, &spc)
	if err != nil {
		return nil, err
	}
	if found {
		d.Config = &spc
	}
	if err := askList(ctx, c, d, p.SchemasPath, &d.Schemas); err != nil {
		return nil, err
	}
	if err := askList(ctx, c, d, p.ResourceTypesPath, &d.ResourceTypes); err != nil {
		return nil, err
	}
	if p.Discovery == DiscoveryRequired && len(d.Problems) > 0 {
		return nil, fmt.Errorf("%s: %w", d.Problems[0].What, d.Problems[0].Err)
	}
	return d, c.take(d)
}

// take makes what was discovered effective.
func (c *Client) take(d *Discovery) error {
	set := *c.state()
	p, err := set.profile.Discovered(set.profile.SPCPath, d.Config.values())
	if err != nil {
		return connector.Errorf(connector.CodeInternal, "what the target told of itself: %w", err)
	}
	set.profile = p
	if len(d.Schemas) > 0 {
		set.schema = NewAttributeIndex(d.Schemas)
	}
	c.now.Store(&set)
	return nil
}

// ask reads one document into into. found is false when there is a problem that
// does not stop discovery.
func (c *Client) ask(ctx context.Context, d *Discovery, path string, into any) (found bool, err error) {
	resp, err := c.Send(ctx, Request{Op: OpRead, Method: http.MethodGet, Path: path})
	if err == nil {
		var raw []byte
		if raw, err = json.Marshal(resp.Resource); err == nil {
			err = json.Unmarshal(raw, into)
		}
	} else if stops(err) {
		return false, err
	}
	if err != nil {
		d.Problems = append(d.Problems, DiscoveryProblem{path, err})
	}
	return err == nil, nil
}

// askList reads a list of documents.
func askList[T any](ctx context.Context, c *Client, d *Discovery, path string, into *[]T) error {
	var body Resource
	found, err := c.ask(ctx, d, path, &body)
	if err != nil || !found {
		return err
	}
	rows, isList := listOf(body)
	if !isList {
		d.Problems = append(d.Problems, DiscoveryProblem{path, connector.Errorf(connector.CodeConfiguration, "the answer is no list")})
		return nil
	}
	for i, row := range rows {
		var one T
		raw, err := json.Marshal(row)
		if err == nil {
			err = json.Unmarshal(raw, &one)
		}
		if err != nil {
			d.Problems = append(d.Problems, DiscoveryProblem{fmt.Sprintf("%s, entry %d", path, i+1), err})
			continue
		}
		*into = append(*into, one)
	}
	return nil
}

// stops reports whether an error of discovery is one of the target as a whole: what
// could not be sent, and what it answers when it serves nobody.
func stops(err error) bool {
	var f *Fault
	if errors.As(err, &f) {
		return f.Class == ClassThrottle || f.Class == ClassTargetDown
	}
	e := connector.AsError(err)
	return e.NativeCode == "" || e.Code != connector.CodeConfiguration // a page of 2xx that is none
}

// values are the settings of a profile that a service provider config decides.
func (s *ServiceProviderConfig) values() map[string]any {
	v := map[string]any{}
	if s == nil {
		return v
	}
	if s.Patch != nil && !s.Patch.Supported {
		v["user_update"], v["group_update"] = UpdatePutMerge, UpdatePutMerge
	}
	if s.Sort != nil && !s.Sort.Supported {
		v["sort_param"] = ParameterNone
	}
	if s.ETag != nil && !s.ETag.Supported {
		v["etag"] = ETagNone
	}
	if s.Bulk != nil {
		v["bulk"] = BulkNone
		if s.Bulk.Supported {
			v["bulk"], v["bulk_max_ops"], v["bulk_max_bytes"] = BulkSupported, max(0, s.Bulk.MaxOperations), max(0, s.Bulk.MaxPayloadSize)
		}
	}
	s.listing(v)
	return v
}

// listing adds what decides about filters and pages.
func (s *ServiceProviderConfig) listing(v map[string]any) {
	if s.Filter != nil && !s.Filter.Supported {
		v["filter_ops"] = []string{}
	}
	if s.Filter != nil && s.Filter.MaxResults > 0 {
		v["page_max"] = s.Filter.MaxResults
	}
	p := s.Pagination
	if p == nil {
		return
	}
	if p.MaxPageSize > 0 {
		v["page_max"] = p.MaxPageSize
		if s.Filter != nil && s.Filter.MaxResults > 0 {
			v["page_max"] = min(p.MaxPageSize, s.Filter.MaxResults)
		}
	}
	switch {
	case p.Cursor && (!p.Index || p.DefaultPaginationMethod == string(PagingCursor)):
		v["paging"] = PagingCursor
	case p.Index && !p.Cursor:
		v["paging"] = PagingIndex
	}
}
