"""Fetches what a job run executes: its script and extra files from S3, its arguments as a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from local_aws.services.glue.job_process import SHIMS

if TYPE_CHECKING:
    from pathlib import Path


class LaunchError(Exception):
    """The run cannot start."""


UNSUPPORTED = {
    "--extra-jars": "Java libraries are not loaded into the local Spark",
    "--user-jars-first": "Java libraries are not loaded into the local Spark",
    "--python-modules-installer-option": "nothing is installed when a job starts here",
}


def fetch(s3: Any, location: str, directory: Path) -> Path:
    """Download `s3://bucket/key` into `directory`.

    Raises:
        LaunchError: the location is no S3 address, or nothing is there.
    """
    address = urlsplit(location)
    bucket, key = address.netloc, address.path.lstrip("/")
    if address.scheme not in {"s3", "s3a", "s3n"} or not bucket or not key:
        raise LaunchError(f"LAUNCH ERROR | {location!r} is not an s3:// address of a file")
    path = directory / key.rsplit("/", 1)[-1]
    try:
        path.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        raise LaunchError(
            f"LAUNCH ERROR | Error downloading from S3 for bucket: {bucket}, key: {key}. "
            f"{error.response['Error'].get('Message', '')} (Service: Amazon S3; "
            f"Status Code: {error.response['ResponseMetadata']['HTTPStatusCode']}; "
            f"Error Code: {error.response['Error']['Code']})"
        ) from error
    return path


def order(s3: Any, command: dict[str, Any], document: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return what the job's process is to do, with everything that it needs in `directory`.

    Raises:
        LaunchError: something is missing, or an argument asks for what cannot be done here.
    """
    arguments: dict[str, str] = document.get("Arguments") or {}
    for name, reason in UNSUPPORTED.items():
        if name in arguments:
            raise LaunchError(f"LAUNCH ERROR | {name}: {reason}")
    script = fetch(s3, command.get("ScriptLocation", ""), directory)
    libraries = [str(fetch(s3, each, directory)) for each in _listed(arguments, "--extra-py-files")]
    for each in _listed(arguments, "--extra-files"):
        fetch(s3, each, directory)
    return {
        "script": str(script),
        "directory": str(directory),
        "python_paths": [*libraries, str(SHIMS)],
        "modules": _listed(arguments, "--additional-python-modules"),
        "arguments": command_line(document),
        "environment": {},
        "data_catalog": arguments.get("--enable-glue-datacatalog", "false").lower() in {"", "true"},
        "properties": spark_properties(arguments.get("--conf", "")),
        "stdout": str(directory / "output.log"),
        "stderr": str(directory / "error.log"),
    }


def command_line(document: dict[str, Any]) -> list[str]:
    """Return a run's arguments as the script's `sys.argv[1:]`: name and value apart, as Glue passes them."""
    arguments = document.get("Arguments") or {}
    line = [part for name, value in arguments.items() for part in ((name, value) if value != "" else (name,))]
    for name, value in (("--JOB_NAME", document["JobName"]), ("--JOB_RUN_ID", document["Id"])):
        if name not in arguments:
            line += [name, value]
    return line


def spark_properties(conf: str) -> dict[str, str]:
    """Read Glue's `--conf` argument: `spark.a=b --conf spark.c=d`."""
    settings = (part.strip().strip("'\"") for part in conf.split("--conf"))
    return dict(setting.split("=", 1) for setting in settings if "=" in setting)


def _listed(arguments: dict[str, str], name: str) -> list[str]:
    return [part.strip() for part in arguments.get(name, "").split(",") if part.strip()]
