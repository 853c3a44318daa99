-- +goose Up

-- SQLite plans queries by these numbers and never measures for itself, so every
-- database runs the same plans. Without them it takes org_id for a good filter
-- and walks whole orgs. Each line: rows, then rows per value of the first
-- column, of the first two, and so on; the numbers are those of a large org.
ANALYZE;
DELETE FROM sqlite_stat1 WHERE tbl <> 'goose_db_version';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('identity', 'sqlite_autoindex_identity_1', '1000000 1000000 1000000 500000 1'),
    ('identity', 'identity_present', '1000000 1000000 1000000 500000 1 1 1'),
    ('identity', 'identity_changed', '1000000 1000000 1000000 1000 1000 1'),
    ('identity', 'identity_due', '10000 10000 10000 10'),
    ('identity', 'identity_reference', '900000 900000 900000 10'),
    ('account', 'sqlite_autoindex_account_1', '2000000 2000000 100000 50000 1'),
    ('account', 'account_identity', '2000000 2000000 1000000 20'),
    ('account', 'account_disabled', '100000 100000 5000 1'),
    ('account', 'account_population', '1900000 1900000 95000 95000 50000'),
    ('grant_edge', 'sqlite_autoindex_grant_edge_1', '5000000 5000000 250000 125000 3 1'),
    ('grant_edge', 'grant_entitlement', '5000000 5000000 250000 1000'),
    ('replan', 'sqlite_autoindex_replan_1', '1000 1000 100 50 1'),
    ('replan', 'replan_identity', '1000 1000 500 2 1'),
    ('evaluation_fault', 'sqlite_autoindex_evaluation_fault_1', '1000 1000 1000 500 2 1'),
    ('name_reservation', 'sqlite_autoindex_name_reservation_1', '1000000 1000000 100000 100000 1'),
    ('name_reservation', 'name_account', '1000000 1000000 100000 50000 1'),
    ('name_reservation', 'name_kept', '10000 10000 1'),
    ('plan', 'sqlite_autoindex_plan_1', '10000 10000 1'),
    ('plan', 'plan_source', '10000 10000 5000 1000'),
    ('plan', 'plan_created', '10000 10000 1'),
    ('operation', 'sqlite_autoindex_operation_1', '2000000 2000000 1'),
    ('operation', 'operation_open', '100000 100000 50000 10 1'),
    ('operation', 'operation_plan', '2000000 2000000 1000 1'),
    ('operation', 'operation_seq', '2000000 2000000 1'),
    ('operation', 'operation_anchor', '2000000 2000000 20 1'),
    ('operation', 'operation_state', '2000000 2000000 100000 20000 10000 100 1 1'),
    ('operation', 'operation_leased', '1000 1000 64'),
    ('operation', 'operation_sent', '1900000 1900000 95000 64'),
    ('attempt', 'sqlite_autoindex_attempt_1', '3000000 3000000 2 1'),
    ('audit', 'sqlite_autoindex_audit_1', '3000000 3000000 1'),
    ('audit', 'audit_object', '3000000 3000000 20 1');
ANALYZE sqlite_schema;
