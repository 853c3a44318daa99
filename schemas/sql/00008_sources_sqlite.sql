-- +goose Up

-- The rules that everyone of a source was last evaluated with, by connector: several
-- sources may feed one. '' where everyone must be looked at again.
CREATE TABLE connector_rules (
    org_id     TEXT NOT NULL,
    connector  TEXT NOT NULL,
    source     TEXT NOT NULL,
    rules_hash TEXT NOT NULL,
    PRIMARY KEY (org_id, connector, source)
);

-- Until now a connector had one source: that of the plan last applied, else of its
-- operations, else the only one there is.
CREATE TABLE fed AS
SELECT org_id, connector, COALESCE(
    (SELECT p.source FROM plan p WHERE p.org_id = c.org_id AND p.status = 'applied' AND instr(p.rules, '"' || c.connector || '":') > 0
        ORDER BY p.applied_at DESC LIMIT 1),
    (SELECT p.source FROM operation o JOIN plan p ON p.org_id = o.org_id AND p.hash = o.plan
        WHERE o.org_id = c.org_id AND o.connector = c.connector ORDER BY o.created_at DESC LIMIT 1),
    (SELECT MIN(s.source) FROM source_state s WHERE s.org_id = c.org_id), '') AS source
FROM (SELECT org_id, connector FROM connector_state UNION SELECT org_id, connector FROM account
    UNION SELECT org_id, connector FROM name_reservation) c;

INSERT INTO connector_rules (org_id, connector, source, rules_hash)
SELECT c.org_id, c.connector, f.source, c.rules_hash FROM connector_state c JOIN fed f USING (org_id, connector);
ALTER TABLE connector_state DROP COLUMN rules_hash;

-- An account is of an identity in one source.
CREATE TABLE account_of_source (
    org_id          TEXT   NOT NULL,
    connector       TEXT   NOT NULL,
    source          TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    anchor          TEXT   NOT NULL,
    ownership       TEXT   NOT NULL,
    enabled         TEXT   NOT NULL,
    absent          BIGINT NOT NULL, -- 1: not in the target any more
    disabled_at     BIGINT NOT NULL,
    rev             BIGINT NOT NULL,
    last_success_at BIGINT NOT NULL,
    last_error      TEXT   NOT NULL,
    ref             TEXT   NOT NULL,
    applied         TEXT   NOT NULL,
    PRIMARY KEY (org_id, connector, source, kind, anchor)
);
INSERT INTO account_of_source (org_id, connector, source, kind, anchor, ownership, enabled, absent, disabled_at, rev, last_success_at,
    last_error, ref, applied)
SELECT a.org_id, a.connector, f.source, a.kind, a.anchor, a.ownership, a.enabled, a.absent, a.disabled_at, a.rev, a.last_success_at,
    a.last_error, a.ref, a.applied
FROM account a JOIN fed f USING (org_id, connector);
DROP TABLE account;
ALTER TABLE account_of_source RENAME TO account;
CREATE INDEX account_identity ON account (org_id, source, kind, anchor);
CREATE INDEX account_disabled ON account (org_id, connector, source, disabled_at) WHERE disabled_at > 0;
CREATE INDEX account_population ON account (org_id, connector, source, absent, enabled) WHERE absent = 0;

CREATE TABLE grant_of_source (
    org_id      TEXT NOT NULL,
    connector   TEXT NOT NULL,
    source      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    anchor      TEXT NOT NULL,
    entitlement TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (org_id, connector, source, kind, anchor, entitlement)
);
INSERT INTO grant_of_source (org_id, connector, source, kind, anchor, entitlement, reason)
SELECT g.org_id, g.connector, f.source, g.kind, g.anchor, g.entitlement, g.reason FROM grant_edge g JOIN fed f USING (org_id, connector);
DROP TABLE grant_edge;
ALTER TABLE grant_of_source RENAME TO grant_edge;
CREATE INDEX grant_entitlement ON grant_edge (org_id, connector, entitlement);

CREATE TABLE replan_of_source (
    org_id     TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    connector  TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    anchor     TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    PRIMARY KEY (org_id, source, connector, kind, anchor)
);
INSERT INTO replan_of_source (org_id, source, connector, kind, anchor, generation)
SELECT r.org_id, f.source, r.connector, r.kind, r.anchor, r.generation FROM replan r JOIN fed f USING (org_id, connector);
DROP TABLE replan;
ALTER TABLE replan_of_source RENAME TO replan;

ALTER TABLE name_reservation ADD COLUMN source TEXT NOT NULL DEFAULT '';
UPDATE name_reservation SET source = (SELECT f.source FROM fed f
    WHERE f.org_id = name_reservation.org_id AND f.connector = name_reservation.connector);
DROP INDEX name_account;
CREATE INDEX name_account ON name_reservation (org_id, connector, source, kind, anchor);

-- Operations say it in the body too.
ALTER TABLE operation ADD COLUMN source TEXT NOT NULL DEFAULT '';
UPDATE operation SET source = (SELECT p.source FROM plan p WHERE p.org_id = operation.org_id AND p.hash = operation.plan);
UPDATE operation SET body = json_set(body, '$.replaces', json_object('source', source, 'kind', kind, 'anchor', json_extract(body, '$.replaces')))
    WHERE op = 'adopt' AND json_extract(body, '$.replaces') IS NOT NULL;
UPDATE operation SET body = '{"source":"' || source || '",' || substr(body, 2);
DROP INDEX operation_open;
CREATE UNIQUE INDEX operation_open ON operation (org_id, source, kind, anchor, connector)
    WHERE state IN ('ready', 'leased', 'sent', 'retry', 'unknown', 'parked');

-- What was planned and not applied does not say of which source: it is planned again.
UPDATE plan SET status = 'superseded' WHERE status IN ('proposed', 'held', 'approved');

DROP TABLE fed;

DELETE FROM sqlite_stat1 WHERE tbl IN ('account', 'grant_edge', 'replan') OR idx IN ('name_account', 'operation_open');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('account', 'sqlite_autoindex_account_1', '2000000 2000000 100000 50000 50000 1'),
    ('account', 'account_identity', '2000000 2000000 1000000 1000000 20'),
    ('account', 'account_disabled', '100000 100000 5000 5000 1'),
    ('account', 'account_population', '1900000 1900000 95000 95000 95000 50000'),
    ('grant_edge', 'sqlite_autoindex_grant_edge_1', '5000000 5000000 250000 250000 125000 3 1'),
    ('grant_edge', 'grant_entitlement', '5000000 5000000 250000 1000'),
    ('replan', 'sqlite_autoindex_replan_1', '1000 1000 1000 100 50 1'),
    ('name_reservation', 'name_account', '1000000 1000000 100000 100000 50000 1'),
    ('operation', 'operation_open', '100000 100000 100000 50000 10 1');
ANALYZE sqlite_schema;
