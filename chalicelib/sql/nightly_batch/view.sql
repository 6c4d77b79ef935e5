-- What readers see: the rows of the batches that passed their checks.

-- name: create_view
-- A batch becomes visible as a whole, at the moment when the ledger names it.
CREATE OR REPLACE VIEW sales AS
SELECT
    sale_id, sold_on, region, customer, category, product, quantity, unit_price, amount,
    source_file, source_line, batch, month
FROM sales_rows
WHERE batch IN (SELECT batch FROM sales_batches)
