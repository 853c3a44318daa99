-- +goose Up

-- The traceparent of the run that put the operation into the queue, '' when that was
-- not traced.
ALTER TABLE operation ADD COLUMN trace TEXT NOT NULL DEFAULT '';
