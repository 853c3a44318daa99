-- +goose Up

-- Of which source the person is whose account was found not to be as it should.
ALTER TABLE finding ADD COLUMN source TEXT NOT NULL DEFAULT '';
UPDATE finding SET source = COALESCE((SELECT MIN(a.source) FROM account a
    WHERE a.org_id = finding.org_id AND a.connector = finding.connector AND a.kind = finding.kind AND a.anchor = finding.anchor), '')
    WHERE anchor <> '';
