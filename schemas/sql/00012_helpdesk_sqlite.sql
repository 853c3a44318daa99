-- +goose Up

-- cause is what failed operations are grouped by, failing_since when the operation
-- began to fail for it. Who handed it to the operators of the hub, when and with
-- which words; handed_at 0: nobody did.
ALTER TABLE operation ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE operation ADD COLUMN failing_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operation ADD COLUMN handed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operation ADD COLUMN handed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE operation ADD COLUMN handed_note TEXT NOT NULL DEFAULT '';

-- What failed before is grouped by connector and code until it fails again.
UPDATE operation SET cause = connector || '/' || code, failing_since = updated_at
    WHERE state IN ('retry', 'unknown', 'parked') AND code <> '';

-- Only what is to be tried again has a time for that: so the others stand in
-- operation_state in the order of the queue.
UPDATE operation SET next_attempt_at = 0 WHERE state NOT IN ('retry', 'unknown') AND next_attempt_at <> 0;

-- Lists by state in the order of the queue; without a state they are merged.
DROP INDEX operation_seq;
CREATE INDEX operation_list ON operation (org_id, state, seq);
-- Holds all that the failed ones are grouped and filtered by.
CREATE INDEX operation_failed ON operation (org_id, cause, state, lane, op, seq, failing_since, handed_at, connector, code, created_at)
    WHERE state IN ('retry', 'unknown', 'parked');

DELETE FROM sqlite_stat1 WHERE tbl = 'operation' AND idx = 'operation_seq';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('operation', 'operation_list', '2000000 2000000 200000 1'),
    ('operation', 'operation_failed', '50000 50000 1000 500 400 300 1 1 1 1 1 1');
ANALYZE sqlite_schema;
