"""Glue job: the crawled delivery reports to one clean Parquet table.

Arguments: --source_database --source_table (a Data Catalog table that a crawler wrote) --target_path, and
--run (any text; it lets a caller find the run again).

Of several rows with one delivery_id the one delivered last is kept. Rows without an id, without a moment of
dispatch, with a weight that is not positive or delivered before they were dispatched are left out and
counted. The target is overwritten, so a retried run replaces its own output. Prints one JSON line with the
counts. A missing column and a table without a good row fail the run.
"""

import json
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

ARGUMENTS = ["JOB_NAME", "source_database", "source_table", "target_path"]
COLUMNS = {
    "delivery_id": "bigint",
    "order_id": "bigint",
    "carrier": "string",
    "country": "string",
    "dispatched_at": "timestamp",
    "delivered_at": "timestamp",
    "weight_kg": "double",
    "status": "string",
}

LONGEST_INITIALS = 3
"""Letters of a carrier's name that is written in capitals, such as DHL."""


def main() -> None:
    """Run the job."""
    named = any(part.split("=")[0] == "--run" for part in sys.argv)
    options = {"run": ""} | getResolvedOptions(sys.argv, [*ARGUMENTS, *(["run"] if named else [])])
    context = GlueContext(SparkContext.getOrCreate())
    spark = context.spark_session
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "false")  # what does not fit its type is null, and then left out
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    job = Job(context)
    job.init(options["JOB_NAME"], options)
    source = context.create_dynamic_frame.from_catalog(
        database=options["source_database"], table_name=options["source_table"]
    ).toDF()
    raw = typed(source, options["source_table"]).cache()
    kept = clean(raw).cache()
    counts = {"read": raw.count(), "kept": kept.count(), "target": options["target_path"]}
    told = {
        "level": "INFO",
        "run": options["run"],
        "message": "kept {kept:,} of {read:,} rows".format(**counts),
    }
    print(json.dumps({**told, **counts}))
    if counts["kept"] == 0:
        raise ValueError(f"none of the {counts['read']} rows of {options['source_table']} is a good delivery")
    kept.write.mode("overwrite").parquet(options["target_path"])
    job.commit()


def typed(frame: DataFrame, table: str) -> DataFrame:
    """Return the columns that are wanted in their types, whatever the crawler took them for."""
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ValueError(f"{table} lacks the column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    return frame.select(
        [F.trim(F.col(name).cast("string")).cast(kind).alias(name) for name, kind in COLUMNS.items()]
    )


def clean(frame: DataFrame) -> DataFrame:
    """Keep one good row for each delivery, and add how many hours it took."""
    good = frame.where(
        F.col("delivery_id").isNotNull()
        & F.col("dispatched_at").isNotNull()
        & (F.col("weight_kg") > 0)
        & (F.col("delivered_at").isNull() | (F.col("delivered_at") >= F.col("dispatched_at")))
    )
    newest = Window.partitionBy("delivery_id").orderBy(
        F.col("delivered_at").desc_nulls_last(), F.col("status"), F.col("weight_kg")
    )
    one = good.withColumn("place", F.row_number().over(newest)).where("place = 1").drop("place")
    seconds = F.col("delivered_at").cast("long") - F.col("dispatched_at").cast("long")
    short = F.length("carrier") <= LONGEST_INITIALS
    carrier = F.when(short, F.upper("carrier")).otherwise(F.initcap("carrier"))
    return one.withColumn("carrier", carrier).select(
        "delivery_id",
        "order_id",
        "carrier",
        F.upper("country").alias("country"),
        "dispatched_at",
        "delivered_at",
        F.round(seconds / 3600, 2).alias("hours"),
        "weight_kg",
        F.lower("status").alias("status"),
    )


if __name__ == "__main__":
    main()
