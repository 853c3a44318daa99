package store

import "context"

// SaveTargetSchema keeps what a target said of itself. settings names the plugin
// and the config it was said under; what was kept before is replaced.
func (o *Org) SaveTargetSchema(ctx context.Context, connector, settings string, content []byte) error {
	return o.write(ctx, "target schema", func(t *tx) error {
		_, err := t.exec(`INSERT INTO target_schema (org_id, connector, settings, content) VALUES (?, ?, ?, ?)
			ON CONFLICT (org_id, connector) DO UPDATE SET settings = excluded.settings, content = excluded.content`,
			o.id, connector, settings, string(content))
		return err
	})
}

// TargetSchema returns what a target last said of itself under these settings;
// [ErrNotFound] when that is not known.
func (o *Org) TargetSchema(ctx context.Context, connector, settings string) ([]byte, error) {
	var content string
	err := o.get(ctx, &content, `SELECT content FROM target_schema WHERE org_id = ? AND connector = ? AND settings = ?`, o.id, connector, settings)
	if err != nil {
		return nil, o.s.fail("read the schema of connector "+connector, err)
	}
	return []byte(content), nil
}
