package scim

// Schema is one schema of the target (RFC 7643 §7).
type Schema struct {
	ID          string            `json:"id"` // its URI
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Attributes  []SchemaAttribute `json:"attributes"`
}

// SchemaAttribute describes one attribute (RFC 7643 §7).
type SchemaAttribute struct {
	Name            string            `json:"name"`
	Type            string            `json:"type"` // string, boolean, decimal, integer, dateTime, binary, reference, complex
	MultiValued     bool              `json:"multiValued"`
	Description     string            `json:"description"`
	Required        bool              `json:"required"`
	CanonicalValues []string          `json:"canonicalValues"`
	CaseExact       bool              `json:"caseExact"`
	Mutability      string            `json:"mutability"` // readOnly, readWrite, immutable, writeOnly
	Returned        string            `json:"returned"`   // always, never, default, request
	Uniqueness      string            `json:"uniqueness"` // none, server, global
	ReferenceTypes  []string          `json:"referenceTypes"`
	SubAttributes   []SchemaAttribute `json:"subAttributes"`
}

// ResourceTypeInfo is one resource type of the target (RFC 7643 §6).
type ResourceTypeInfo struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Endpoint         string `json:"endpoint"`
	Schema           string `json:"schema"`
	SchemaExtensions []struct {
		Schema   string `json:"schema"`
		Required bool   `json:"required"`
	} `json:"schemaExtensions"`
}

// ServiceProviderConfig is what the target says it can do (RFC 7643 §5, RFC 9865
// §4). A part that is nil was not told.
type ServiceProviderConfig struct {
	DocumentationURI string `json:"documentationUri"`
	Patch            *struct {
		Supported bool `json:"supported"`
	} `json:"patch"`
	Bulk *struct {
		Supported      bool `json:"supported"`
		MaxOperations  int  `json:"maxOperations"`
		MaxPayloadSize int  `json:"maxPayloadSize"`
	} `json:"bulk"`
	Filter *struct {
		Supported  bool `json:"supported"`
		MaxResults int  `json:"maxResults"`
	} `json:"filter"`
	ChangePassword *struct {
		Supported bool `json:"supported"`
	} `json:"changePassword"`
	Sort *struct {
		Supported bool `json:"supported"`
	} `json:"sort"`
	ETag *struct {
		Supported bool `json:"supported"`
	} `json:"etag"`
	Pagination *struct {
		Cursor                  bool   `json:"cursor"`
		Index                   bool   `json:"index"`
		DefaultPaginationMethod string `json:"defaultPaginationMethod"`
		DefaultPageSize         int    `json:"defaultPageSize"`
		MaxPageSize             int    `json:"maxPageSize"`
	} `json:"pagination"`
	AuthenticationSchemes []struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"authenticationSchemes"`
}
