-- +goose Up

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('identity', 'identity_source_id', '900000 900000 900000 450000 1');
ANALYZE sqlite_schema;
