-- +goose Up

-- Every table begins its key with org_id. Times are microseconds since 1970,
-- UTC, 0 for "none"; text columns named like a list or an object hold JSON.
-- The types are those that SQLite and PostgreSQL both understand.

-- Counters of one org. generation moves whenever the desired or the known state
-- changes other than by the outcome of an operation.
CREATE TABLE org_state (
    org_id     TEXT   NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    next_seq   BIGINT NOT NULL
);

CREATE TABLE source_state (
    org_id             TEXT   NOT NULL,
    source             TEXT   NOT NULL,
    snapshot           TEXT   NOT NULL,
    dated              BIGINT NOT NULL,
    read_at            BIGINT NOT NULL,
    people             BIGINT NOT NULL,
    groups_count       BIGINT NOT NULL,
    applied_generation BIGINT NOT NULL, -- up to where changes are planned and applied
    applied_plan       TEXT   NOT NULL, -- hash of the plan applied last
    report             TEXT   NOT NULL,
    PRIMARY KEY (org_id, source)
);

CREATE TABLE identity (
    org_id       TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    anchor       TEXT   NOT NULL,
    hash         BYTEA  NOT NULL,
    state        TEXT   NOT NULL,
    due_at       BIGINT NOT NULL,
    first_seen   BIGINT NOT NULL,
    absent_since BIGINT NOT NULL,
    rev          BIGINT NOT NULL,
    changed_gen  BIGINT NOT NULL,
    position     TEXT   NOT NULL,
    reference    TEXT   NOT NULL, -- anchor of the manager, '' for none
    attributes   TEXT   NOT NULL,
    PRIMARY KEY (org_id, source, kind, anchor)
);

-- Holds all that a cycle compares with, so that it never reads the wide rows.
CREATE INDEX identity_present ON identity (org_id, source, kind, anchor, hash, absent_since) WHERE absent_since = 0;
CREATE INDEX identity_changed ON identity (org_id, source, changed_gen, kind, anchor);
CREATE INDEX identity_due ON identity (org_id, source, due_at) WHERE due_at > 0;
CREATE INDEX identity_reference ON identity (org_id, source, reference) WHERE reference <> '';

-- Identities that could not be evaluated: looked at again in every cycle.
CREATE TABLE evaluation_fault (
    org_id    TEXT NOT NULL,
    source    TEXT NOT NULL,
    kind      TEXT NOT NULL,
    anchor    TEXT NOT NULL,
    connector TEXT NOT NULL,
    code      TEXT NOT NULL,
    text      TEXT NOT NULL,
    PRIMARY KEY (org_id, source, kind, anchor, connector)
);

-- Accounts to be looked at again once a plan of this generation or later is made.
CREATE TABLE replan (
    org_id     TEXT   NOT NULL,
    connector  TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    anchor     TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    PRIMARY KEY (org_id, connector, kind, anchor)
);
CREATE INDEX replan_identity ON replan (org_id, kind, anchor, generation);

CREATE TABLE account (
    org_id          TEXT   NOT NULL,
    connector       TEXT   NOT NULL,
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
    PRIMARY KEY (org_id, connector, kind, anchor)
);
CREATE INDEX account_identity ON account (org_id, kind, anchor);
CREATE INDEX account_disabled ON account (org_id, connector, disabled_at) WHERE disabled_at > 0;
CREATE INDEX account_population ON account (org_id, connector, absent, enabled) WHERE absent = 0;

CREATE TABLE grant_edge (
    org_id      TEXT NOT NULL,
    connector   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    anchor      TEXT NOT NULL,
    entitlement TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (org_id, connector, kind, anchor, entitlement)
);
CREATE INDEX grant_entitlement ON grant_edge (org_id, connector, entitlement);

-- A value that belongs to one account. keep_until 0: in use; else it was given
-- up and nobody else gets it before then.
CREATE TABLE name_reservation (
    org_id     TEXT   NOT NULL,
    connector  TEXT   NOT NULL,
    attribute  TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    anchor     TEXT   NOT NULL,
    keep_until BIGINT NOT NULL,
    PRIMARY KEY (org_id, connector, attribute, value)
);
CREATE INDEX name_account ON name_reservation (org_id, connector, kind, anchor);
CREATE INDEX name_kept ON name_reservation (org_id, keep_until) WHERE keep_until > 0;

-- The attributes whose values are reserved; those that accounts held before the
-- first reservation are in name_reservation too.
CREATE TABLE name_attribute (
    org_id    TEXT NOT NULL,
    connector TEXT NOT NULL,
    attribute TEXT NOT NULL,
    PRIMARY KEY (org_id, connector, attribute)
);

CREATE TABLE plan (
    org_id      TEXT   NOT NULL,
    hash        TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    generation  BIGINT NOT NULL,
    status      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    applied_at  BIGINT NOT NULL,
    approved_by TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    approved_at BIGINT NOT NULL,
    until_at    BIGINT NOT NULL,
    operations  BIGINT NOT NULL,
    inputs      TEXT   NOT NULL,
    counts      TEXT   NOT NULL,
    verdicts    TEXT   NOT NULL,
    notes       TEXT   NOT NULL,
    faults      TEXT   NOT NULL,
    withdraw    TEXT   NOT NULL,
    names       TEXT   NOT NULL,
    rules       TEXT   NOT NULL,
    PRIMARY KEY (org_id, hash)
);
CREATE INDEX plan_source ON plan (org_id, source, status);
CREATE INDEX plan_created ON plan (org_id, created_at);

CREATE TABLE operation (
    org_id          TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    plan            TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    connector       TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    anchor          TEXT   NOT NULL,
    op              TEXT   NOT NULL,
    lane            BIGINT NOT NULL,
    account_rev     BIGINT NOT NULL,
    identity_rev    BIGINT NOT NULL,
    revokes         BIGINT NOT NULL, -- grants it removes
    clears          BIGINT NOT NULL, -- attributes it empties
    renames         BIGINT NOT NULL, -- 1: it changes the object's name
    out_of_scope    BIGINT NOT NULL, -- 1: because the scope covers its owner no more
    changed         TEXT   NOT NULL, -- names of the attributes it changes
    state           TEXT   NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 0, -- that count towards giving up
    tries           BIGINT NOT NULL DEFAULT 0, -- all attempts ever
    steps_done      BIGINT NOT NULL DEFAULT 0,
    maybe_applied   BIGINT NOT NULL DEFAULT 0,
    edited          BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL DEFAULT 0,
    fence           BIGINT NOT NULL DEFAULT 0,
    lease_owner     TEXT   NOT NULL DEFAULT '',
    lease_until     BIGINT NOT NULL DEFAULT 0,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    sent_at         BIGINT NOT NULL DEFAULT 0, -- first time it went out
    code            TEXT   NOT NULL, -- of the last error
    last_error      TEXT   NOT NULL,
    continuation    BYTEA, -- of work the target has accepted and not finished
    body            TEXT   NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, plan) REFERENCES plan (org_id, hash)
);

-- At most one open operation per account.
CREATE UNIQUE INDEX operation_open ON operation (org_id, kind, anchor, connector)
    WHERE state IN ('ready', 'leased', 'sent', 'retry', 'unknown', 'parked');
CREATE UNIQUE INDEX operation_plan ON operation (org_id, plan, seq);
CREATE INDEX operation_seq ON operation (org_id, seq);
CREATE INDEX operation_anchor ON operation (org_id, anchor, seq);
-- The queue: what is ready has next_attempt_at 0, so it stands here by lane and seq.
CREATE INDEX operation_state ON operation (org_id, connector, state, lane, next_attempt_at, seq, lease_until);
CREATE INDEX operation_leased ON operation (org_id, lease_until) WHERE lease_until > 0;
CREATE INDEX operation_sent ON operation (org_id, connector, sent_at) WHERE sent_at > 0;

CREATE TABLE attempt (
    org_id     TEXT   NOT NULL,
    operation  TEXT   NOT NULL,
    n          BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    took       BIGINT NOT NULL, -- microseconds
    outcome    TEXT   NOT NULL,
    class      TEXT   NOT NULL,
    code       TEXT   NOT NULL,
    answer     TEXT   NOT NULL,
    PRIMARY KEY (org_id, operation, n),
    FOREIGN KEY (org_id, operation) REFERENCES operation (org_id, id)
);

CREATE TABLE connector_state (
    org_id     TEXT   NOT NULL,
    connector  TEXT   NOT NULL,
    rules_hash TEXT   NOT NULL,
    stopped    TEXT   NOT NULL,
    stopped_at BIGINT NOT NULL,
    paused_by  TEXT   NOT NULL,
    resume_at  BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    PRIMARY KEY (org_id, connector)
);

-- What a target last said of itself, so that plans are made while it is down.
-- settings names the plugin and the config it was said under.
CREATE TABLE target_schema (
    org_id    TEXT NOT NULL,
    connector TEXT NOT NULL,
    settings  TEXT NOT NULL,
    content   TEXT NOT NULL,
    PRIMARY KEY (org_id, connector)
);

-- Each entry's hash covers the one before it; audit_head says where it ends.
CREATE TABLE audit (
    org_id TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    object TEXT   NOT NULL,
    detail TEXT   NOT NULL,
    hash   TEXT   NOT NULL,
    PRIMARY KEY (org_id, seq)
);
CREATE INDEX audit_object ON audit (org_id, object, seq);

CREATE TABLE audit_head (
    org_id TEXT   NOT NULL PRIMARY KEY,
    seq    BIGINT NOT NULL,
    hash   TEXT   NOT NULL
);
