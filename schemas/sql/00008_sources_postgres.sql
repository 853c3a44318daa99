-- +goose Up

-- The rules that everyone of a source was last evaluated with, by connector: several
-- sources may feed one. '' where everyone must be looked at again.
CREATE TABLE connector_rules (
    org_id     TEXT COLLATE "C" NOT NULL,
    connector  TEXT COLLATE "C" NOT NULL,
    source     TEXT COLLATE "C" NOT NULL,
    rules_hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, connector, source)
);

-- Until now a connector had one source: that of the plan last applied, else of its
-- operations, else the only one there is.
CREATE TABLE fed AS
SELECT org_id, connector, COALESCE(
    (SELECT p.source FROM plan p WHERE p.org_id = c.org_id AND p.status = 'applied' AND strpos(p.rules, '"' || c.connector || '":') > 0
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
ALTER TABLE account ADD COLUMN source TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE account a SET source = f.source FROM fed f WHERE f.org_id = a.org_id AND f.connector = a.connector;
ALTER TABLE account DROP CONSTRAINT account_pkey, ADD PRIMARY KEY (org_id, connector, source, kind, anchor);
DROP INDEX account_identity, account_disabled, account_population;
CREATE INDEX account_identity ON account (org_id, source, kind, anchor);
CREATE INDEX account_disabled ON account (org_id, connector, source, disabled_at) WHERE disabled_at > 0;
CREATE INDEX account_population ON account (org_id, connector, source, absent, enabled) WHERE absent = 0;

ALTER TABLE grant_edge ADD COLUMN source TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE grant_edge g SET source = f.source FROM fed f WHERE f.org_id = g.org_id AND f.connector = g.connector;
ALTER TABLE grant_edge DROP CONSTRAINT grant_edge_pkey, ADD PRIMARY KEY (org_id, connector, source, kind, anchor, entitlement);

ALTER TABLE replan ADD COLUMN source TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE replan r SET source = f.source FROM fed f WHERE f.org_id = r.org_id AND f.connector = r.connector;
ALTER TABLE replan DROP CONSTRAINT replan_pkey, ADD PRIMARY KEY (org_id, source, connector, kind, anchor);
DROP INDEX replan_identity;

ALTER TABLE name_reservation ADD COLUMN source TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE name_reservation n SET source = f.source FROM fed f WHERE f.org_id = n.org_id AND f.connector = n.connector;
DROP INDEX name_account;
CREATE INDEX name_account ON name_reservation (org_id, connector, source, kind, anchor);

-- Operations say it in the body too.
ALTER TABLE operation ADD COLUMN source TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE operation o SET source = p.source FROM plan p WHERE p.org_id = o.org_id AND p.hash = o.plan;
UPDATE operation SET body = jsonb_set(body::jsonb, '{replaces}',
        jsonb_build_object('source', source, 'kind', kind, 'anchor', body::json ->> 'replaces'))::text
    WHERE op = 'adopt' AND body::json ->> 'replaces' IS NOT NULL;
UPDATE operation SET body = '{"source":"' || source || '",' || substr(body, 2);
DROP INDEX operation_open;
CREATE UNIQUE INDEX operation_open ON operation (org_id, source, kind, anchor, connector)
    WHERE state IN ('ready', 'leased', 'sent', 'retry', 'unknown', 'parked');

-- What was planned and not applied does not say of which source: it is planned again.
UPDATE plan SET status = 'superseded' WHERE status IN ('proposed', 'held', 'approved');

DROP TABLE fed;
