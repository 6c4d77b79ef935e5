-- What the report shows, over every published sale.

-- name: totals
SELECT
    count(*) AS sales,
    count(DISTINCT customer) AS customers,
    sum(amount) AS revenue,
    min(sold_on) AS first_day,
    max(sold_on) AS last_day
FROM sales

-- name: by_month
SELECT month AS name, sum(amount) AS revenue, count(*) AS sales
FROM sales GROUP BY month ORDER BY month

-- name: by_category
SELECT category AS name, sum(amount) AS revenue, count(*) AS sales
FROM sales GROUP BY category ORDER BY revenue DESC, category

-- name: by_region
-- A sale without a region is revenue too.
SELECT coalesce(region, 'not given') AS name, sum(amount) AS revenue, count(*) AS sales
FROM sales GROUP BY coalesce(region, 'not given') ORDER BY revenue DESC, name

-- name: by_product
SELECT product AS name, sum(amount) AS revenue, count(*) AS sales
FROM sales GROUP BY product ORDER BY revenue DESC, product LIMIT 10

-- name: quality
-- What was read, kept, mended and refused in the published batches, and why.
SELECT kind, reason, sum(row_count) AS row_count
FROM sales_quality
WHERE batch IN (SELECT batch FROM sales_batches)
GROUP BY kind, reason ORDER BY kind, row_count DESC, reason

-- name: batches
-- One line for each published batch, the newest last.
SELECT
    batches.published_at AS published_at,
    coalesce(sum(CASE WHEN quality.kind = 'kept' THEN quality.row_count END), 0) AS kept,
    coalesce(sum(CASE WHEN quality.kind = 'rejected' THEN quality.row_count END), 0) AS rejected
FROM sales_batches AS batches
JOIN sales_quality AS quality ON quality.batch = batches.batch
GROUP BY batches.published_at, batches.batch ORDER BY batches.published_at
