-- The statements of nyc_taxi, in Athena's SQL (engine version 3; DDL is Hive's).
-- $word is filled in by the step plan_taxi, {} by the workflow, for each month.

-- name: create_raw_trips
-- The CSV files as they land, every column a text: a table of text must not guess. Its partitions are computed from the
-- folders' names, so that a month is there as soon as its folder is. LazySimpleSerDe knows no quotes; TLC writes none.
CREATE EXTERNAL TABLE IF NOT EXISTS raw_trips (
    vendorid string,
    tpep_pickup_datetime string,
    tpep_dropoff_datetime string,
    passenger_count string,
    trip_distance string,
    ratecodeid string,
    store_and_fwd_flag string,
    pulocationid string,
    dolocationid string,
    payment_type string,
    fare_amount string,
    extra string,
    mta_tax string,
    tip_amount string,
    tolls_amount string,
    improvement_surcharge string,
    total_amount string,
    congestion_surcharge string,
    airport_fee string,
    cbd_congestion_fee string
)
PARTITIONED BY (month string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
STORED AS TEXTFILE
LOCATION '$landing/yellow/'
TBLPROPERTIES (
    'skip.header.line.count' = '1',
    'projection.enabled' = 'true',
    'projection.month.type' = 'date',
    'projection.month.format' = 'yyyy-MM',
    'projection.month.range' = '$first_month,NOW',
    'projection.month.interval' = '1',
    'projection.month.interval.unit' = 'MONTHS',
    'storage.location.template' = '$landing/yellow/$${month}/'
)

-- name: create_zones
-- The zone lookup, quoted as TLC publishes it; OpenCSVSerde reads a number only where the column says so.
CREATE EXTERNAL TABLE IF NOT EXISTS zones (
    locationid int,
    borough string,
    zone string,
    service_zone string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '"', 'escapeChar' = '\\')
STORED AS TEXTFILE
LOCATION '$landing/zones/'
TBLPROPERTIES ('skip.header.line.count' = '1')

-- name: typed_trips
-- A trip in its types. A value that is not of its type fails the query, and with it the run. TLC writes whole numbers
-- that may be missing as 1.0, so they go through double; nothing at all is NULL. Money is exact.
SELECT
    CAST(vendorid AS integer) AS vendorid,
    date_parse(tpep_pickup_datetime, '%Y-%m-%d %H:%i:%s') AS tpep_pickup_datetime,
    date_parse(tpep_dropoff_datetime, '%Y-%m-%d %H:%i:%s') AS tpep_dropoff_datetime,
    CAST(CAST(nullif(passenger_count, '') AS double) AS integer) AS passenger_count,
    CAST(trip_distance AS double) AS trip_distance,
    CAST(CAST(nullif(ratecodeid, '') AS double) AS integer) AS ratecodeid,
    nullif(store_and_fwd_flag, '') AS store_and_fwd_flag,
    CAST(pulocationid AS integer) AS pulocationid,
    CAST(dolocationid AS integer) AS dolocationid,
    CAST(payment_type AS integer) AS payment_type,
    CAST(fare_amount AS decimal(10, 2)) AS fare_amount,
    CAST(extra AS decimal(10, 2)) AS extra,
    CAST(mta_tax AS decimal(10, 2)) AS mta_tax,
    CAST(tip_amount AS decimal(10, 2)) AS tip_amount,
    CAST(tolls_amount AS decimal(10, 2)) AS tolls_amount,
    CAST(improvement_surcharge AS decimal(10, 2)) AS improvement_surcharge,
    CAST(total_amount AS decimal(10, 2)) AS total_amount,
    CAST(nullif(congestion_surcharge, '') AS decimal(10, 2)) AS congestion_surcharge,
    CAST(nullif(airport_fee, '') AS decimal(10, 2)) AS airport_fee,
    CAST(nullif(cbd_congestion_fee, '') AS decimal(10, 2)) AS cbd_congestion_fee$more
FROM raw_trips
WHERE month IN ($months)

-- name: convert
-- The first run: every month at once, each a partition, whose key comes last. Athena writes at most 100 of them.
CREATE TABLE yellow_trips
WITH (format = 'PARQUET', write_compression = 'SNAPPY', partitioned_by = ARRAY['month'])
AS $trips

-- name: drop_loading
-- What a run that died half-way left behind; the files stay where they are, and no table knows them.
DROP TABLE IF EXISTS {}

-- name: write_month
-- A later run: one new month, in a table and a folder of its own. Nobody reads it there.
CREATE TABLE {}
WITH (format = 'PARQUET', write_compression = 'SNAPPY')
AS $trips

-- name: add_month
-- The month is in the table from here on, whole: the catalogue gains one entry or none. Who comes second changes nothing.
ALTER TABLE yellow_trips ADD IF NOT EXISTS PARTITION (month = '{}') LOCATION '{}'

-- name: replace_month
-- A month that was asked for again: the entry is pointed at the new files.
ALTER TABLE yellow_trips PARTITION (month = '{}') SET LOCATION '{}'

-- name: create_view
-- Trips in words. Vendors, rates and payments are those of TLC's data dictionary of March 2025.
CREATE OR REPLACE VIEW trips AS
SELECT
    CASE t.vendorid
        WHEN 1 THEN 'Creative Mobile Technologies' WHEN 2 THEN 'Curb Mobility'
        WHEN 6 THEN 'Myle Technologies' WHEN 7 THEN 'Helix' ELSE 'Unknown'
    END AS vendor,
    t.tpep_pickup_datetime AS picked_up_at,
    t.tpep_dropoff_datetime AS dropped_off_at,
    t.passenger_count AS passengers,
    t.trip_distance AS miles,
    CASE t.ratecodeid
        WHEN 1 THEN 'Standard' WHEN 2 THEN 'JFK' WHEN 3 THEN 'Newark' WHEN 4 THEN 'Nassau or Westchester'
        WHEN 5 THEN 'Negotiated' WHEN 6 THEN 'Group ride' ELSE 'Unknown'
    END AS rate,
    coalesce(up.borough, 'Unknown') AS pickup_borough,
    coalesce(up.zone, 'Unknown') AS pickup_zone,
    coalesce(down.borough, 'Unknown') AS dropoff_borough,
    coalesce(down.zone, 'Unknown') AS dropoff_zone,
    CASE t.payment_type
        WHEN 0 THEN 'Flex fare' WHEN 1 THEN 'Credit card' WHEN 2 THEN 'Cash' WHEN 3 THEN 'No charge'
        WHEN 4 THEN 'Dispute' WHEN 6 THEN 'Voided' ELSE 'Unknown'
    END AS payment,
    t.fare_amount AS fare,
    t.tip_amount AS tip,
    t.tolls_amount AS tolls,
    t.total_amount AS total,
    t.month AS month
FROM yellow_trips t
LEFT JOIN zones up ON up.locationid = t.pulocationid
LEFT JOIN zones down ON down.locationid = t.dolocationid

-- name: count_trips
-- Trips by month, which Athena reads from the footers of the Parquet files.
SELECT month, count(*) AS trips FROM yellow_trips GROUP BY month ORDER BY month

-- name: trips_by_borough
-- Where the trips and the money come from.
SELECT pickup_borough AS borough, count(*) AS trips, sum(total) AS revenue
FROM trips GROUP BY pickup_borough ORDER BY revenue DESC

-- name: busiest_hours
-- The five hours of the day in which most trips begin.
SELECT hour(picked_up_at) AS hour, count(*) AS trips
FROM trips GROUP BY hour(picked_up_at) ORDER BY trips DESC, hour LIMIT 5

-- name: tip_share
-- The mean tip of a trip that was paid by card, in per cent of its fare; TLC records no tips in cash.
SELECT month, count(*) AS card_trips, round(100 * avg(CAST(tip AS double) / CAST(fare AS double)), 1) AS tip_percent
FROM trips WHERE payment = 'Credit card' AND fare > 0 GROUP BY month ORDER BY month
