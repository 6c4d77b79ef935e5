"""A stage's block of .chalice/config.json, filled in from the stack's outputs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from infrastructure.render import ROOT, camel_case

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LAYERS = {"3.11": "Python311:33", "3.12": "Python312:29", "3.13": "Python313:14", "3.14": "Python314:9"}
"""AWS SDK for pandas 3.17 by the Python that runs `chalice deploy`, which decides the functions' runtime."""

NEEDS_LAYER = (
    "api_handler",
    "validate_file",
    "keep_good_rows",
    "transform_file",
    "catalogue",
    "copy_to_redshift",
    "clean_flights",
    "clean_feedback",
    "combine_flights",
    "compute_metrics",
    "load_metrics",
    "publish_metrics",
    "plan_batch",
    "transform_group",
    "copy_group",
    "catalogue_group",
)
"""The functions that use pyarrow or the Redshift driver; with these in it the zip would be over 250 MB."""

COMPRESSED_FROM = 1400
"""Bytes from which API Gateway compresses an answer for who accepts it; a smaller one is one packet."""

FUNCTIONS: dict[str, dict[str, Any]] = {
    "api_handler": {"lambda_timeout": 30, "lambda_memory_size": 512},
    "authorize": {"lambda_timeout": 10, "lambda_memory_size": 256},
    "file_landed": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "reconcile_due": {"lambda_timeout": 300, "lambda_memory_size": 256},
    "digest_due": {"lambda_timeout": 300, "lambda_memory_size": 256},
    "nyc_taxi_due": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "nightly_batch_due": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "validate_file": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "request_approval": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "keep_good_rows": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "transform_file": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "start_glue_job": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "check_glue_job": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "catalogue": {"lambda_timeout": 300, "lambda_memory_size": 512},
    "copy_to_redshift": {"lambda_timeout": 900, "lambda_memory_size": 512},
    "quarantine_file": {"lambda_timeout": 300, "lambda_memory_size": 256},
    "plan_batch": {"lambda_timeout": 900, "lambda_memory_size": 1024},
    "transform_group": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "copy_group": {"lambda_timeout": 900, "lambda_memory_size": 512},
    "catalogue_group": {"lambda_timeout": 300, "lambda_memory_size": 512},
    "start_file_runs": {"lambda_timeout": 300, "lambda_memory_size": 256},
    "summarise_batch": {"lambda_timeout": 900, "lambda_memory_size": 1024},
    "notify": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "plan_taxi": {"lambda_timeout": 300, "lambda_memory_size": 512},
    "flight_metrics_due": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "find_flight_files": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "clean_flights": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "clean_feedback": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "combine_flights": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "compute_metrics": {"lambda_timeout": 900, "lambda_memory_size": 1769},
    "load_metrics": {"lambda_timeout": 900, "lambda_memory_size": 512},
    "publish_metrics": {"lambda_timeout": 300, "lambda_memory_size": 512},
    "find_new_sales": {"lambda_timeout": 300, "lambda_memory_size": 256},
    "plan_sales_queries": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "judge_sales": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "publish_sales": {"lambda_timeout": 60, "lambda_memory_size": 256},
    "report_sales": {"lambda_timeout": 300, "lambda_memory_size": 512},
}
"""Each function by the name that Chalice gives it. 1,769 MB is Lambda's step to one whole CPU."""

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["version", "app_name", "stages"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "2.0"},
        "app_name": {"type": "string", "pattern": "^[a-z][a-z0-9]{1,19}$"},
        "stages": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/stage"}},
    },
    "$defs": {
        "layer": {"type": "string", "pattern": "^arn:.+:layer:.+:[0-9]+$"},
        "function": {
            "type": "object",
            "additionalProperties": False,
            "required": ["manage_iam_role", "iam_role_arn", "lambda_timeout", "lambda_memory_size"],
            "properties": {
                "manage_iam_role": {"const": False},
                "iam_role_arn": {"type": "string", "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:role/.{1,64}$"},
                "lambda_timeout": {"type": "integer", "minimum": 1, "maximum": 900},
                "lambda_memory_size": {"type": "integer", "minimum": 128, "maximum": 10240},
                "layers": {
                    "type": "array",
                    "items": {"type": "string", "pattern": "^arn:.+:layer:.+:[0-9]+$"},
                },
                "environment_variables": {"type": "object", "additionalProperties": {"type": "string"}},
                "reserved_concurrency": {"type": "integer", "minimum": 0},
                "security_group_ids": {"type": "array", "items": {"type": "string"}},
                "subnet_ids": {"type": "array", "items": {"type": "string"}},
            },
        },
        "stage": {
            "type": "object",
            "additionalProperties": False,
            "required": [
                "api_gateway_endpoint_type",
                "api_gateway_stage",
                "environment_variables",
                "lambda_functions",
            ],
            "properties": {
                "api_gateway_endpoint_type": {"const": "REGIONAL"},
                "api_gateway_stage": {"type": "string"},
                "minimum_compression_size": {"type": "integer", "minimum": 0, "maximum": 10_485_760},
                "autogen_policy": {"const": False},
                "environment_variables": {"type": "object", "additionalProperties": {"type": "string"}},
                "lambda_functions": {"type": "object", "additionalProperties": {"$ref": "#/$defs/function"}},
                "xray": {"const": True},  # Chalice switches tracing on and never off again
                "tags": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
    },
}
"""What .chalice/config.json may hold. Chalice ignores a key that it does not know; this refuses it.

`log_retention_in_days` is left out on purpose: with it Chalice manages the wrong log group of the REST
handler, and the stack owns the log groups. So is `lambda_functions` outside a stage, whose environment
variables Chalice ignores.
"""


class InvalidConfigError(ValueError):
    """.chalice/config.json has a key or a value that Chalice would ignore or misread."""


def tags_of(app: str, stage: str) -> dict[str, str]:
    """Return the tags that everything of a stage carries: bills and searches go by them."""
    return {"decant:app": app, "decant:stage": stage}


def stage_block(outputs: Mapping[str, str], python: str | None) -> dict[str, Any]:
    """Return the stage's block from the stack's outputs.

    Args:
        outputs: the stack's outputs by key.
        python: the functions' runtime, such as "3.12", or None for an AWS that mounts no layers.
    """
    layer = layer_arn(outputs["StateMachines"].split(":")[3], python) if python else None
    return {
        "api_gateway_endpoint_type": "REGIONAL",
        "api_gateway_stage": "api",
        "minimum_compression_size": COMPRESSED_FROM,
        "autogen_policy": False,
        "xray": True,
        "tags": tags_of(outputs["App"], outputs["Stage"]),
        "environment_variables": {
            "DECANT_APP": outputs["App"],
            "DECANT_STAGE": outputs["Stage"],
            "DECANT_LANDING_BUCKET": outputs["LandingBucket"],
            "DECANT_CURATED_BUCKET": outputs["CuratedBucket"],
            "DECANT_QUARANTINE_BUCKET": outputs["QuarantineBucket"],
            "DECANT_ARTIFACTS_BUCKET": outputs["ArtifactsBucket"],
            "DECANT_CATALOG_DATABASE": outputs["CatalogDatabase"],
            "DECANT_NOTICES_TOPIC": outputs["NoticesTopic"],
            "DECANT_WAREHOUSE_SECRET": outputs["WarehouseSecret"],
            "DECANT_WAREHOUSE_ROLE": outputs["WarehouseRole"],
            "DECANT_API_TOKENS_SECRET": outputs["ApiTokensSecret"],
            "DECANT_STATE_MACHINES": outputs["StateMachines"],
            "DECANT_GLUE_JOBS": outputs["GlueJobs"],
            "DECANT_TRUSTED_ROLES": outputs["TrustedRoles"],
            "DECANT_EXTERNAL_IDS": outputs["ExternalIds"],
        },
        "lambda_functions": {
            name: _function(name, settings, outputs, layer) for name, settings in FUNCTIONS.items()
        },
    }


def write(path: Path, outputs: Mapping[str, str], python: str | None) -> None:
    """Put the stage's block into the file at `path`, leaving the other stages as they are.

    Raises:
        InvalidConfigError: the file would hold what Chalice ignores; nothing was written.
    """
    document = read(path) if path.exists() else _empty(outputs["App"])
    document["stages"][outputs["Stage"]] = stage_block(outputs, python)
    check(document, path)
    text = json.dumps(document, indent=2) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """Return the file's content once it is known to hold nothing that Chalice ignores."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidConfigError(f"{path}: not JSON: {error}") from error
    check(document, path)
    return document


def check(document: Mapping[str, Any], path: Path) -> None:
    """Raise InvalidConfigError with every wrong key and value."""
    errors = sorted(Draft202012Validator(SCHEMA).iter_errors(document), key=lambda error: list(error.path))
    if errors:
        lines = [f"{path}: {error.json_path}: {error.message}" for error in errors]
        raise InvalidConfigError("\n".join(lines))


def layer_arn(region: str, python: str) -> str:
    """Return the ARN of the AWS SDK for pandas layer.

    Raises:
        InvalidConfigError: there is none for this Python.
    """
    if python not in LAYERS:
        raise InvalidConfigError(f"no AWS SDK for pandas layer for Python {python}; use {', '.join(LAYERS)}")
    return f"arn:aws:lambda:{region}:336392948345:layer:AWSSDKPandas-{LAYERS[python]}"


def _empty(app: str) -> dict[str, Any]:
    return {"version": "2.0", "app_name": app, "stages": {}}


def _function(
    name: str, settings: Mapping[str, Any], outputs: Mapping[str, str], layer: str | None
) -> dict[str, Any]:
    role = "ApiRole" if name == "api_handler" else f"{camel_case(name)}Role"
    block = {"manage_iam_role": False, "iam_role_arn": outputs[role], **settings, **_network(name, outputs)}
    return {**block, "layers": [layer]} if layer and name in NEEDS_LAYER else block


def _network(name: str, outputs: Mapping[str, str]) -> dict[str, list[str]]:
    """Return where a function runs that reaches the warehouse, when the stage has a network."""
    if outputs["FunctionSubnets"] == "none" or name not in outputs["WarehouseFunctions"].split(","):
        return {}
    return {
        "subnet_ids": outputs["FunctionSubnets"].split(","),
        "security_group_ids": outputs["FunctionSecurityGroups"].split(","),
    }


def main() -> None:
    """Check the committed .chalice/config.json."""
    try:
        read(ROOT / ".chalice" / "config.json")
    except InvalidConfigError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
