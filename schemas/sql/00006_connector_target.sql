-- +goose Up

-- Why the plugin of a connector could not be used when it was last needed, and
-- when that was. Which target the ledger is about, as the target names itself, and
-- which other one the config led to since.
ALTER TABLE connector_state ADD COLUMN unusable TEXT NOT NULL DEFAULT '';
ALTER TABLE connector_state ADD COLUMN unusable_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connector_state ADD COLUMN target TEXT NOT NULL DEFAULT '';
ALTER TABLE connector_state ADD COLUMN other_target TEXT NOT NULL DEFAULT '';
