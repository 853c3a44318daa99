-- +goose Up

-- The processes that serve an org. One that was not seen for a while is gone.
CREATE TABLE node (
    org_id     TEXT   NOT NULL,
    node       TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    address    TEXT   NOT NULL, -- where it listens, '' for nowhere
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL, -- by the database's clock
    connectors TEXT   NOT NULL, -- those that it sends for, a JSON list
    PRIMARY KEY (org_id, node)
);

-- Asked for every second.
CREATE INDEX plan_approved ON plan (org_id) WHERE status = 'approved';

-- Moves with every reading, so that of two that were begun beside each other the
-- second one knows of the first.
ALTER TABLE source_state ADD COLUMN rev BIGINT NOT NULL DEFAULT 0;
