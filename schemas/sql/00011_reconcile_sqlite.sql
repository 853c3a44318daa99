-- +goose Up

-- What reconciliations found: what is so still (resolved_at 0), and what was.
CREATE TABLE finding (
    org_id      TEXT   NOT NULL,
    connector   TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    target_id   TEXT   NOT NULL, -- of the object in the target
    situation   TEXT   NOT NULL,
    anchor      TEXT   NOT NULL, -- whose account it is or would be, '' for nobody's
    reaction    TEXT   NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    resolved_at BIGINT NOT NULL,
    object      TEXT   NOT NULL, -- what people call it
    text        TEXT   NOT NULL, -- what is the matter, in one sentence
    body        TEXT   NOT NULL,
    PRIMARY KEY (org_id, connector, kind, target_id)
);
CREATE INDEX finding_open ON finding (org_id, connector, situation, kind, target_id) WHERE resolved_at = 0;
CREATE INDEX finding_anchor ON finding (org_id, anchor) WHERE anchor <> '';

-- What the target calls an account.
CREATE INDEX account_target ON account (org_id, connector, kind, json_extract(ref, '$.id')) WHERE ref <> '';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('finding', 'sqlite_autoindex_finding_1', '100000 100000 5000 5000 1'),
    ('finding', 'finding_open', '10000 10000 500 100 100 1'),
    ('finding', 'finding_anchor', '10000 10000 2'),
    ('account', 'account_target', '2000000 2000000 100000 50000 1');
ANALYZE sqlite_schema;
