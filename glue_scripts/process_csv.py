"""Glue job: one large CSV file from the landing bucket to typed Parquet in the curated bucket.

Arguments: --source_bucket --source_key --target_path --columns (JSON list of name, type, precision, scale),
and when wanted --processing_date YYYY-MM-DD (today, UTC), --delimiter, --quote, --extra_columns keep
(reject), --run (any text; it lets a caller find the run again).

Writes the declared columns in their order, then any kept extra columns as text, then `processing_date`, and
prints one JSON line with the run and its rows. The target is overwritten, so a retried run replaces its own
output. A value that does not fit its type, a row of another width than the header, a missing column and a
file without rows fail the run.
"""

import json
import sys
from typing import Any

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import Column, DataFrame, DataFrameReader, Observation, SparkSession
from pyspark.sql import functions as F

REQUIRED = ["JOB_NAME", "source_bucket", "source_key", "target_path", "columns"]
OPTIONAL = {"processing_date": "", "delimiter": ",", "quote": '"', "extra_columns": "reject", "run": ""}

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
EXACT_DIGITS = 15  # of a number with an exponent: a double tells such numbers apart
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIMESTAMP = (
    rf"^{DAY}([Tt ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?([Zz]|[+-][0-9]{{2}}(:?[0-9]{{2}})?)?)?$"
)


def main() -> None:
    """Run the job."""
    options = resolved_options()
    context = GlueContext(SparkContext.getOrCreate())
    spark = context.spark_session
    job = Job(context)
    job.init(options["JOB_NAME"], options)
    settings(spark)
    source = f"s3://{options['source_bucket']}/{options['source_key']}"
    texts = read(spark, source, options["delimiter"], options["quote"])
    frame = typed(texts, json.loads(options["columns"]), source, options["extra_columns"])
    rows = write(frame, options["target_path"], options["processing_date"])
    if rows == 0:
        raise ValueError(f"{source} has no rows; the target {options['target_path']} is empty")
    told = {"level": "INFO", "run": options["run"], "message": f"wrote {rows:,} rows"}
    print(json.dumps({**told, "source": source, "target": options["target_path"], "rows": rows}))
    job.commit()


def resolved_options() -> dict[str, Any]:
    """Return the arguments; Glue itself knows no optional ones."""
    given = [name for name in OPTIONAL if any(part.split("=")[0] == f"--{name}" for part in sys.argv)]
    return OPTIONAL | getResolvedOptions(sys.argv, REQUIRED + given)


def settings(spark: SparkSession) -> None:
    """Make types and times what Redshift and Athena expect."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "false")  # what does not fit is null; `cell` sees it
    spark.conf.set("spark.sql.parquet.compression.codec", "snappy")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    spark.conf.set("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")


def read(spark: SparkSession, source: str, delimiter: str, quote: str) -> DataFrame:
    """Return every column of the file as text, under the names in its header."""

    def reader(*, multi_line: bool) -> DataFrameReader:
        return (
            spark.read.option("header", "true")
            .option("sep", delimiter)
            .option("quote", quote)
            .option("escape", quote)
            .option("encoding", "UTF-8")
            .option("mode", "FAILFAST")
            .option("columnPruning", "false")  # FAILFAST counts a row's cells only when all of them are read
            .option("multiLine", multi_line)
        )

    return reader(multi_line=has_line_breaks_in_values(spark, source, quote)).csv(source)


def has_line_breaks_in_values(spark: SparkSession, source: str, quote: str) -> bool:
    """Say whether any line holds an odd number of quotes.

    Spark can split a file among its cores only when every line is a row, and this look is far cheaper than
    parsing on one core.
    """
    value = F.col("value")
    without = F.replace(value, F.lit(quote), F.lit(""))
    odd = (F.length(value) - F.length(without)) % 2 == 1
    return bool(spark.read.text(source).where(odd).take(1))


def typed(texts: DataFrame, columns: list[dict[str, Any]], source: str, extra_columns: str) -> DataFrame:
    """Return the declared columns in their order and type, then the extra ones when they are to be kept."""
    names = [column["name"] for column in columns]
    missing = [name for name in names if name not in texts.columns]
    if missing:
        raise ValueError(f"{source} lacks the column {', '.join(missing)}; it has {', '.join(texts.columns)}")
    extra = [name for name in texts.columns if name not in names]
    if extra and extra_columns != "keep":
        raise ValueError(
            f"{source} has the undeclared column {', '.join(extra)}; declare it or keep extra columns"
        )
    return texts.select([cell(column) for column in columns] + [F.col(f"`{name}`") for name in extra])


def cell(column: dict[str, Any]) -> Column:
    """Return a column of texts as its declared type; the run fails at a value that does not fit."""
    name = column["name"]
    text = F.col(f"`{name}`")
    fits, value = READERS[column["type"]](text, column)
    message = F.concat(F.lit(f"column {name}: "), text, F.lit(f" is not a valid {described(column)}"))
    wrong = F.raise_error(message).cast(TYPES[column["type"]](column))
    return (
        F.when(text.isNull() | (text == ""), F.lit(None))
        .when(fits & value.isNotNull(), value)
        .otherwise(wrong)
        .alias(name)
    )


def described(column: dict[str, Any]) -> str:
    """Name a column's type for people."""
    if column["type"] == "decimal":
        return f"decimal({column['precision']},{column['scale']})"
    return column["type"]


def read_integer(text: Column, _: dict[str, Any]) -> tuple[Column, Column]:
    """Read digits with or without a sign, within 64 bits."""
    return text.rlike("^[+-]?[0-9]+$"), text.cast("bigint")


def read_decimal(text: Column, column: dict[str, Any]) -> tuple[Column, Column]:
    """Read a number that keeps every digit at the declared precision and scale."""
    precision, scale = column["precision"], column["scale"]
    value = text.cast(f"decimal({precision},{scale})")
    exact = text.rlike(rf"^[+-]?([0-9]+(\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{max(scale, 1)}}}0*)$")
    short = text.rlike(NUMBER) & (F.length(F.regexp_replace(text, "[eE].*|[^0-9]", "")) <= EXACT_DIGITS)
    return exact | (short & (value.cast("double") == text.cast("double"))), value


def read_float(text: Column, _: dict[str, Any]) -> tuple[Column, Column]:
    """Read a finite number."""
    value = text.cast("double")
    return text.rlike(NUMBER) & (F.abs(value) != F.lit(float("inf"))), value


def read_boolean(text: Column, _: dict[str, Any]) -> tuple[Column, Column]:
    """Read true or false in any case, 1 or 0."""
    return F.lower(text).isin("true", "false", "1", "0"), F.lower(text).isin("true", "1")


def read_date(text: Column, _: dict[str, Any]) -> tuple[Column, Column]:
    """Read a day as YYYY-MM-DD."""
    return text.rlike(f"^{DAY}$"), text.cast("date")


def read_timestamp(text: Column, _: dict[str, Any]) -> tuple[Column, Column]:
    """Read a moment in ISO 8601 and turn it into UTC; without an offset it is UTC."""
    # Before an offset Spark wants the seconds, and in it the colon.
    seconds = F.regexp_replace(F.upper(text), "([T ][0-9]{2}:[0-9]{2})([Z+-])", "$1:00$2")
    offset = F.regexp_replace(seconds, "([+-][0-9]{2})([0-9]{2})$", "$1:$2")
    plain = F.length(text) <= len("2026-01-02T03:04:05Z")
    spelled = F.when(plain & (F.substring(text, 17, 1) == ":"), text).otherwise(offset)
    return text.rlike(TIMESTAMP), F.upper(spelled).cast("timestamp").cast("timestamp_ntz")


def read_text(text: Column, _: dict[str, Any]) -> tuple[Column, Column]:
    """Read any text."""
    return F.lit(True), text


READERS = {
    "integer": read_integer,
    "decimal": read_decimal,
    "float": read_float,
    "boolean": read_boolean,
    "date": read_date,
    "timestamp": read_timestamp,
    "text": read_text,
}
TYPES = {
    "integer": lambda _: "bigint",
    "decimal": lambda column: f"decimal({column['precision']},{column['scale']})",
    "float": lambda _: "double",
    "boolean": lambda _: "boolean",
    "date": lambda _: "date",
    "timestamp": lambda _: "timestamp_ntz",
    "text": lambda _: "string",
}


def write(frame: DataFrame, target: str, processing_date: str) -> int:
    """Write the frame as Parquet in place of what is at the target; return the number of rows."""
    day = F.lit(processing_date).cast("date") if processing_date else F.current_date()
    counted = Observation("written")
    frame = frame.withColumn("processing_date", day).observe(counted, F.count(F.lit(1)).alias("rows"))
    frame.write.mode("overwrite").parquet(target)
    return counted.get["rows"]


if __name__ == "__main__":
    main()
