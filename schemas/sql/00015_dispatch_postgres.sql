-- +goose Up

-- There are five lanes now: before 0 stand leavers who were pushed, and before 1
-- whoever else was.
UPDATE operation SET lane = CASE lane WHEN 0 THEN 1 WHEN 1 THEN 3 ELSE 4 END
    WHERE state IN ('planned', 'ready', 'leased', 'sent', 'retry', 'unknown', 'parked');

-- Two kinds of operations are unknown: those in doubt, which are looked up, and
-- those that the target has accepted, which is asked after them.
CREATE INDEX operation_doubt ON operation (org_id, connector, next_attempt_at, lane, seq, lease_until)
    WHERE state = 'unknown' AND COALESCE(length(continuation), 0) = 0;
CREATE INDEX operation_accepted ON operation (org_id, connector, next_attempt_at, lane, seq, lease_until)
    WHERE state = 'unknown' AND length(continuation) > 0;

-- Why nothing is sent to any target, and since when; '': it is.
ALTER TABLE org_state ADD COLUMN stopped TEXT NOT NULL DEFAULT '';
ALTER TABLE org_state ADD COLUMN stopped_at BIGINT NOT NULL DEFAULT 0;

-- Too many operations failed: since quarantined_at only single ones are tried, the
-- next at probe_at, after so many that failed, and so many that did not, in a row.
ALTER TABLE connector_state ADD COLUMN quarantined TEXT NOT NULL DEFAULT '';
ALTER TABLE connector_state ADD COLUMN quarantined_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connector_state ADD COLUMN probe_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connector_state ADD COLUMN probes_failed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connector_state ADD COLUMN probes_passed BIGINT NOT NULL DEFAULT 0;

-- Who drains the connector: what has the number drain_seq or a later one waits.
ALTER TABLE connector_state ADD COLUMN drained_by TEXT NOT NULL DEFAULT '';
ALTER TABLE connector_state ADD COLUMN drain_seq BIGINT NOT NULL DEFAULT 0;
