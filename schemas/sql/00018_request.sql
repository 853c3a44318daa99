-- +goose Up

-- What a command that is run beside a node that serves asks it to do: the node that
-- leads does it, and writes the answer. ended_at is 0 as long as there is none.
CREATE TABLE request (
    org_id   TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    kind     TEXT   NOT NULL, -- of the run, such as 'cycle'
    subject  TEXT   NOT NULL, -- such as the name of a source
    options  TEXT   NOT NULL, -- JSON
    actor    TEXT   NOT NULL,
    asked_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    failure  TEXT   NOT NULL, -- why it did not work, '' when it did
    failure_code TEXT NOT NULL, -- its kind, '' for one that nobody tells apart
    answer   TEXT   NOT NULL, -- JSON
    PRIMARY KEY (org_id, id)
);
CREATE INDEX request_open ON request (org_id, asked_at) WHERE ended_at = 0;
