-- +goose Up

-- What was run and what became of it: readings of sources, reconciliations of
-- connectors, and other work that is scheduled or asked for. ended_at 0: it runs,
-- or its node is gone.
CREATE TABLE run (
    org_id     TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    subject    TEXT   NOT NULL, -- what it is about: a source, a connector
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
    org_id  TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    slot    BIGINT NOT NULL,
    PRIMARY KEY (org_id, kind, subject)
);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('run', 'sqlite_autoindex_run_1', '100000 100000 50000 1000 1'),
    ('run', 'run_started', '100000 100000 1'),
    ('run', 'run_open', '10 10 5 1'),
    ('schedule', 'sqlite_autoindex_schedule_1', '100 100 50 1');
ANALYZE sqlite_schema;
