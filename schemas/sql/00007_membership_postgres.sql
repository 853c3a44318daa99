-- +goose Up

-- What groups of a source call an identity by; '' for one that cannot be a member.
ALTER TABLE identity ADD COLUMN name TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX identity_name ON identity (org_id, source, name) WHERE name <> '';

-- The members of the groups of a source, as last read. Those of a group that is
-- gone stay, so that it can come back.
CREATE TABLE membership (
    org_id TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    grp    TEXT COLLATE "C" NOT NULL, -- anchor of the group
    member TEXT COLLATE "C" NOT NULL, -- name of the member
    PRIMARY KEY (org_id, source, grp, member)
);
CREATE INDEX membership_member ON membership (org_id, source, member);
