-- +goose Up

-- What the source itself calls an identity where that is not the anchor: a
-- directory tells no more of an entry that was deleted.
ALTER TABLE identity ADD COLUMN source_id TEXT NOT NULL DEFAULT '';
CREATE INDEX identity_source_id ON identity (org_id, source, kind, source_id) WHERE source_id <> '';
