-- +goose Up

-- What reconciliations found: what is so still (resolved_at 0), and what was.
CREATE TABLE finding (
    org_id      TEXT COLLATE "C"   NOT NULL,
    connector   TEXT COLLATE "C"   NOT NULL,
    kind        TEXT COLLATE "C"   NOT NULL,
    target_id   TEXT COLLATE "C"   NOT NULL, -- of the object in the target
    situation   TEXT COLLATE "C"   NOT NULL,
    anchor      TEXT COLLATE "C"   NOT NULL, -- whose account it is or would be, '' for nobody's
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
CREATE INDEX account_target ON account (org_id, connector, kind, ((CAST(ref AS json) ->> 'id') COLLATE "C")) WHERE ref <> '';
