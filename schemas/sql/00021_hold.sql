-- +goose Up

-- The legal hold that somebody is under, as JSON; '': none.
ALTER TABLE identity ADD COLUMN held TEXT NOT NULL DEFAULT '';
CREATE INDEX identity_held ON identity (org_id, source, kind, anchor) WHERE held <> '';
