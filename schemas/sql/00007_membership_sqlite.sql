-- +goose Up

-- What groups of a source call an identity by; '' for one that cannot be a member.
ALTER TABLE identity ADD COLUMN name TEXT NOT NULL DEFAULT '';
CREATE INDEX identity_name ON identity (org_id, source, name) WHERE name <> '';

-- The members of the groups of a source, as last read. Those of a group that is
-- gone stay, so that it can come back.
CREATE TABLE membership (
    org_id TEXT NOT NULL,
    source TEXT NOT NULL,
    grp    TEXT NOT NULL, -- anchor of the group
    member TEXT NOT NULL, -- name of the member
    PRIMARY KEY (org_id, source, grp, member)
);
CREATE INDEX membership_member ON membership (org_id, source, member);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('identity', 'identity_name', '900000 900000 900000 1'),
    ('membership', 'sqlite_autoindex_membership_1', '5000000 5000000 5000000 100 1'),
    ('membership', 'membership_member', '5000000 5000000 5000000 5');
ANALYZE sqlite_schema;
