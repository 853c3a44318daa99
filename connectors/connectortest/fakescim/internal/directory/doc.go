// Package directory keeps the resources of a SCIM service provider in memory and
// finds them: tables, indexes, filters, order, members as a set. It knows no
// HTTP and no dialect. All methods of [Directory] may be called at the same time.
package directory
