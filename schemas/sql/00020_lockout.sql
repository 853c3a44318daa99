-- +goose Up

-- Since when somebody is in the state they are in, as first read or as a date came; 0:
-- since before this was written down.
ALTER TABLE identity ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0;

-- Of an operation that locks somebody out because of that state: since when; else 0.
ALTER TABLE operation ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX operation_lockout ON operation (org_id, connector, updated_at, told_at) WHERE told_at > 0 AND state = 'done';
