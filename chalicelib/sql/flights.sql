-- What is computed from all flights of a month, in the transaction that changes them.

-- name: delete_month
-- The month's figures, which are computed anew.
DELETE FROM $target WHERE flight_month = %s

-- name: insert_delays
-- One row for each group of each grain. PERCENTILE_CONT interpolates linearly and skips cancelled flights.
INSERT INTO $target ($columns)
SELECT
    flight_month,
    grain,
    carrier,
    route,
    COUNT(*),
    SUM(CASE WHEN cancelled THEN 1 ELSE 0 END),
    SUM(CASE WHEN on_time THEN 1 ELSE 0 END),
    CAST(SUM(CASE WHEN on_time THEN 1 ELSE 0 END) AS DOUBLE PRECISION) / COUNT(*),
    AVG(delay_minutes),
    PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY delay_minutes)
FROM (
    SELECT
        CAST(DATE_TRUNC('month', flight.flight_date) AS DATE) AS flight_month,
        grains.grain AS grain,
        CASE WHEN grains.grain IN ('carrier', 'carrier_route') THEN flight.carrier END AS carrier,
        CASE WHEN grains.grain IN ('route', 'carrier_route') THEN flight.route END AS route,
        flight.cancelled AS cancelled,
        flight.on_time AS on_time,
        flight.delay_minutes AS delay_minutes
    FROM $flights AS flight
    CROSS JOIN (
        SELECT CAST('all' AS VARCHAR(13)) AS grain
        UNION ALL SELECT 'carrier'
        UNION ALL SELECT 'route'
        UNION ALL SELECT 'carrier_route'
    ) AS grains
    WHERE flight.flight_date >= %s AND flight.flight_date < %s
) AS counted
GROUP BY flight_month, grain, carrier, route

-- name: insert_feedback
-- One row for each band of delay and one for all; Pearson's correlation is written out, for Redshift has no CORR.
INSERT INTO $target ($columns)
SELECT
    flight_month,
    delay_band,
    COUNT(*),
    SUM(answers),
    SUM(mean_score * answers) / NULLIF(SUM(answers), 0),
    CASE WHEN delay_band = 'all' THEN
        (AVG(delay * score * 1.0) - AVG(delay) * AVG(score)) / NULLIF(STDDEV_POP(delay) * STDDEV_POP(score), 0)
    END
FROM (
    SELECT
        CAST(DATE_TRUNC('month', flight.flight_date) AS DATE) AS flight_month,
        CASE WHEN bands.every = 1 THEN 'all' ELSE flight.delay_band END AS delay_band,
        flight.answers AS answers,
        flight.mean_score AS mean_score,
        CASE WHEN flight.mean_score IS NOT NULL THEN flight.delay_minutes END AS delay,
        CASE WHEN flight.delay_minutes IS NOT NULL THEN flight.mean_score END AS score
    FROM $flights AS flight
    CROSS JOIN (SELECT 0 AS every UNION ALL SELECT 1) AS bands
    WHERE flight.flight_date >= %s AND flight.flight_date < %s
) AS counted
GROUP BY flight_month, delay_band

-- name: select_month
-- The month's figures, in the order of their columns.
SELECT $columns FROM $target WHERE flight_month = %s ORDER BY $columns
