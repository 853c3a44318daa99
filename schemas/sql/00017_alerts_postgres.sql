-- +goose Up

-- What is wrong now and somebody is to look at. scope is '' for what every node sees,
-- else the node that alone sees it. told_at 0: nobody was told yet, because it is to
-- last for a while first; cleared_at 0: it is so still.
CREATE TABLE alert (
    org_id     TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    condition  TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    severity   TEXT   NOT NULL,
    summary    TEXT   NOT NULL,
    todo       TEXT   NOT NULL,
    page       TEXT   NOT NULL,
    since      BIGINT NOT NULL, -- as far as is known
    seen_at    BIGINT NOT NULL, -- when it was noticed
    told_at    BIGINT NOT NULL,
    cleared_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, scope, condition, subject)
);

-- What is to be told on a route and is not yet.
CREATE TABLE alert_notice (
    org_id     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    route      TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    last_error TEXT   NOT NULL,
    PRIMARY KEY (org_id, id, route)
);
CREATE INDEX alert_notice_next ON alert_notice (org_id, next_at);
