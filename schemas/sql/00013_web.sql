-- +goose Up

-- Who signs in to the pages with a password that is kept here. Names are in lower
-- case; password is a PHC string of argon2id.
CREATE TABLE web_user (
    org_id       TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    password     TEXT   NOT NULL,
    disabled     BIGINT NOT NULL, -- 1: may not sign in
    created_at   BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL, -- of the password
    signed_in_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, name)
);

-- Who is signed in. id is the hash of what the browser holds, so that a copy of the
-- database lets nobody in. user_name is '' for whom an identity provider vouches.
CREATE TABLE web_session (
    org_id     TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    user_name  TEXT   NOT NULL,
    actor      TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX web_session_actor ON web_session (org_id, actor);
CREATE INDEX web_session_expires ON web_session (org_id, expires_at);

-- Tries to sign in that did not succeed, by account and by address. subject is a
-- hash: people type passwords into the wrong field.
CREATE TABLE web_try (
    org_id   TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    failures BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (org_id, subject)
);
CREATE INDEX web_try_last ON web_try (org_id, last_at);
