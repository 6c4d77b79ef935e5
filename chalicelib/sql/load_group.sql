-- What a load of several files adds to the queries of one load.

-- name: find_tokens
-- Which of these files have been loaded, and by which run?
SELECT token, run, loaded_rows FROM $tokens WHERE token IN ($places)

-- name: count_files
-- Redshift took in as many rows of each file as were written.
SELECT $number, COUNT(*) FROM $staging GROUP BY $number

-- name: count_kept
-- How many rows the target would gain of each file, were it loaded by itself.
SELECT $number, COUNT(*) FROM (SELECT DISTINCT $number, $keys FROM $staging) AS kept GROUP BY $number

-- name: leave_out
-- Files that another run loaded since the batch was planned.
DELETE FROM $staging WHERE $number IN ($places)

-- name: insert_tokens
-- From here on each file counts as loaded, if and only if the transaction commits.
INSERT INTO $tokens (token, run, target, source, loaded_rows, loaded_at) VALUES $places
