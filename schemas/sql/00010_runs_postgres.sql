-- +goose Up

-- What was run and what became of it: readings of sources, reconciliations of
-- connectors, and other work that is scheduled or asked for. ended_at 0: it runs,
-- or its node is gone.
CREATE TABLE run (
    org_id     TEXT COLLATE "C"   NOT NULL,
    kind       TEXT COLLATE "C"   NOT NULL,
    subject    TEXT COLLATE "C"   NOT NULL, -- what it is about: a source, a connector
    started_at BIGINT NOT NULL,
    slot       BIGINT NOT NULL, -- the time of the schedule it is for, 0 for none
    missed     BIGINT NOT NULL, -- slots before it that nobody ran
    why        TEXT   NOT NULL,
    node       TEXT   NOT NULL,
    ended_at   BIGINT NOT NULL,
    outcome    TEXT   NOT NULL,
    summary    TEXT   NOT NULL,
    PRIMARY KEY (org_id, kind, subject, started_at)
);
CREATE INDEX run_started ON run (org_id, started_at);
CREATE INDEX run_open ON run (org_id, kind, subject) WHERE ended_at = 0;

-- The slot that was run last; at first, when counting began.
CREATE TABLE schedule (
    org_id  TEXT COLLATE "C"   NOT NULL,
    kind    TEXT COLLATE "C"   NOT NULL,
    subject TEXT COLLATE "C"   NOT NULL,
    slot    BIGINT NOT NULL,
    PRIMARY KEY (org_id, kind, subject)
);
