-- The queries of one load, in the order in which the transaction runs them.

-- name: create_tokens
-- One row for every load that was committed. It is written in the load's own transaction.
CREATE TABLE IF NOT EXISTS $tokens (
    token VARCHAR(128) NOT NULL,
    run VARCHAR(128) NOT NULL,
    target VARCHAR(256) NOT NULL,
    source VARCHAR(2048) NOT NULL,
    loaded_rows BIGINT NOT NULL,
    loaded_at TIMESTAMP NOT NULL
)

-- name: lock_tokens
-- Loads of one schema wait for each other here, so that two of the same file cannot both miss the token.
LOCK TABLE $tokens

-- name: find_token
-- Has this file been loaded, and by which run?
SELECT loaded_rows, run FROM $tokens WHERE token = %s

-- name: table_columns
-- The columns that the table has now; none when there is no table.
SELECT column_name FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position

-- name: create_table
-- The first load makes the table from the declared columns.
CREATE TABLE $target ($definitions)

-- name: add_column
-- A contract that evolves gains the column.
ALTER TABLE $target ADD COLUMN $definition

-- name: create_staging
-- One temporary table per load, in the order of the file's columns, for COPY places Parquet columns by position.
CREATE TEMP TABLE $staging ($definitions)

-- name: copy
-- Explicit files by manifest: a prefix could take in what another attempt left there.
COPY $staging FROM '$manifest' IAM_ROLE '$role' FORMAT AS PARQUET MANIFEST

-- name: count_staging
-- Redshift took in as many rows as were written.
SELECT COUNT(*) FROM $staging

-- name: delete_replaced
-- The rows that the file brings anew.
DELETE FROM $target USING $staging WHERE $same_keys

-- name: delete_all
-- TRUNCATE would commit the transaction.
DELETE FROM $target

-- name: insert_all
-- Columns by name, never by position.
INSERT INTO $target ($columns) SELECT $columns FROM $staging

-- name: insert_newest
-- One row for each key, chosen the same way every time.
INSERT INTO $target ($columns)
SELECT $columns FROM (
    SELECT $columns, ROW_NUMBER() OVER (PARTITION BY $keys ORDER BY $order) AS nth FROM $staging
) AS numbered WHERE nth = 1

-- name: count_target
-- How many rows the target would gain of this file.
SELECT COUNT(*) FROM (SELECT DISTINCT $keys FROM $staging) AS kept

-- name: insert_token
-- From here on the file counts as loaded, if and only if the transaction commits.
INSERT INTO $tokens (token, run, target, source, loaded_rows, loaded_at) VALUES (%s, %s, %s, %s, %s, %s)

-- name: delete_slice
-- The rows of one date, which come anew.
DELETE FROM $target WHERE $column = %s

-- name: forget_tokens
-- What the slice held before is there no more; should it come back, it is loaded again.
DELETE FROM $tokens WHERE target = %s AND source = %s

-- name: drop_staging
-- A temporary table lives as long as the connection.
DROP TABLE $staging

-- name: load_errors
-- The first rows of a load's files that a COPY refused. Redshift keeps them for seven days.
SELECT file_name, line_number, column_name, column_type, error_message FROM sys_load_error_detail
WHERE strpos(file_name, %s) > 0 ORDER BY start_time DESC, line_number LIMIT 5
