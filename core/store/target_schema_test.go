package store_test

import (
	"errors"
	"testing"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestATargetsSchemaIsKeptForTheSettingsItWasSaidUnder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		if _, err := o.TargetSchema(ctx, "crm", "v1"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("before anything was said: %v", err)
		}
		for _, content := range []string{`{"a":1}`, `{"a":2}`} {
			if err := o.SaveTargetSchema(ctx, "crm", "v1", []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := o.TargetSchema(ctx, "crm", "v1")
		if err != nil || string(got) != `{"a":2}` {
			t.Errorf("got %s, %v", got, err)
		}
		if _, err := o.TargetSchema(ctx, "crm", "v2"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("under other settings: %v", err)
		}
	})
}
