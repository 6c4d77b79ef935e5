-- What a batch must keep to before it is published. Each query takes the batch as a parameter and
-- returns one row: how many are bad, and of how many.

-- name: rows_match_summary
-- Athena sees as many rows as the job says it kept: no file is lost, none is read twice.
SELECT
    abs(written.row_count - told.row_count) AS bad,
    told.row_count AS total
FROM (SELECT count(*) AS row_count FROM sales_rows WHERE batch = ?) AS written
CROSS JOIN (
    SELECT coalesce(sum(row_count), 0) AS row_count
    FROM sales_quality WHERE kind = 'kept' AND batch = ?
) AS told

-- name: no_duplicate_ids
-- An id comes once in this batch and all published ones.
SELECT count(*) - count(DISTINCT sale_id) AS bad, count(*) AS total
FROM sales_rows
WHERE batch = ? OR batch IN (SELECT batch FROM sales_batches)

-- name: no_negative_amounts
-- The export holds sales; refunds come another way.
SELECT count_if(amount < 0) AS bad, count(*) AS total
FROM sales_rows WHERE batch = ?

-- name: no_future_sales
-- Nothing was sold after today; a day is left for time zones.
SELECT count_if(sold_on > date_add('day', 1, current_date)) AS bad, count(*) AS total
FROM sales_rows WHERE batch = ?

-- name: few_missing
-- Most sales name their region and their customer.
SELECT count_if(region IS NULL OR customer IS NULL) AS bad, count(*) AS total
FROM sales_rows WHERE batch = ?

-- name: few_rejected
-- Most rows could be read. A row that came before is no sign of a broken export.
SELECT
    coalesce(sum(CASE
        WHEN kind = 'rejected' AND reason NOT IN ('duplicate', 'already_loaded') THEN row_count
    END), 0) AS bad,
    coalesce(sum(CASE WHEN kind = 'read' THEN row_count END), 0) AS total
FROM sales_quality WHERE batch = ?
