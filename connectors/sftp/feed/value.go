package feed

import (
	"fmt"
	"strconv"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// value reads one value of an attribute back from the text that [Layout.text] made.
func (l *Layout) value(c *Column, text string) (connector.Value, error) {
	switch connector.ValueType(c.Type) {
	case connector.TypeInteger:
		return strconv.ParseInt(text, 10, 64)
	case connector.TypeDouble:
		return strconv.ParseFloat(text, 64)
	case connector.TypeBool:
		return c.bool(text, l.File.isJSON())
	case connector.TypeDate:
		if c.Format == "" {
			return connector.Date(text), nil
		}
		t, err := time.Parse(goLayout(c.Format), text)
		return connector.Date(t.Format(time.DateOnly)), err
	case connector.TypeTimestamp:
		zone, err := l.File.zone()
		if err != nil {
			return nil, err
		}
		layout := time.RFC3339Nano
		if c.Format != "" {
			layout = goLayout(c.Format)
		}
		t, err := time.ParseInLocation(layout, text, zone)
		return t.UTC(), err
	case connector.TypeReference:
		return connector.Ref{ID: text}, nil
	}
	return text, nil
}

func (c *Column) bool(text string, isJSON bool) (connector.Value, error) {
	switch {
	case isJSON && text == "true", !isJSON && text == c.True:
		return true, nil
	case isJSON && text == "false", !isJSON && text == c.False:
		return false, nil
	}
	return nil, fmt.Errorf("%q is neither %q nor %q", text, c.True, c.False)
}
