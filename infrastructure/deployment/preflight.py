"""What must hold before anything is changed: every check is made, then all are told together."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from infrastructure.chalice_config import LAYERS, InvalidConfigError, layer_arn, read
from infrastructure.deployment import quotas
from infrastructure.deployment.failures import DeploymentFailedError, code_of
from infrastructure.deployment.findings import Finding
from infrastructure.deployment.kept import BUCKET, legacy
from infrastructure.deployment.package import PYTHON, Package, build
from infrastructure.provision import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infrastructure.deployment.target import Target

LONGEST_NAME = 64
"""Characters of a function's or a role's name; Chalice does not check it."""

ZIP_LIMIT = 52_428_800
UNZIPPED_LIMIT = 262_144_000
"""Lambda's, in bytes: of the zip in a request, and of a function with its layers."""

LAYER_UNZIPPED = 167_000_000
"""Bytes of the AWS SDK for pandas layer once unpacked, measured; Lambda tells only its zip's."""

NEWER_GLIBC = ("3.12", "3.13", "3.14")
"""Lambda's Pythons on glibc 2.34; those before have 2.26, for which new wheels are no longer made."""

APP_NAME = re.compile(r"[a-z][a-z0-9]{1,19}")
STAGE_NAME = re.compile(r"[a-z][a-z0-9]{0,15}")

STACK_REMEDIES = {
    "ROLLBACK_FAILED": "remove what is left of it: decant destroy --stage {stage}",
    "CREATE_FAILED": "remove what is left of it: decant destroy --stage {stage}",
    "IMPORT_ROLLBACK_FAILED": "delete it, which leaves all data where it is: "
    "aws cloudformation delete-stack --stack-name {stack}",
    "DELETE_FAILED": "go on with its removal: decant destroy --stage {stage}",
    "UPDATE_ROLLBACK_FAILED": "mend what its events name, then: "
    "aws cloudformation continue-update-rollback --stack-name {stack}",
    "UPDATE_FAILED": "aws cloudformation rollback-stack --stack-name {stack}",
}
"""What helps a stack that cannot be updated."""


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What was found.

    Attributes:
        findings: every check with its answer.
        package: the deployment package, or None when it could not be made.
    """

    findings: list[Finding]
    package: Package | None

    @property
    def problems(self) -> list[Finding]:
        """The checks that do not hold."""
        return [finding for finding in self.findings if not finding.ok]


def examine(target: Target) -> Preflight:
    """Make every check and change nothing in the account."""
    findings = [*_names(target), _python(), _config(target)]
    measured, package = _package(target)
    findings += measured
    reached = [_region(target), *_credentials(target)]
    findings = reached + findings
    if all(finding.ok for finding in reached) and not any(
        finding.what in {"stage's name", "app's name"} and not finding.ok for finding in findings
    ):
        findings += [
            _stack(target),
            *_kept(target),
            *_secrets(target),
            *_layer(target),
            *quotas.examine(target),
        ]
    return Preflight(findings=findings, package=package)


def _region(target: Target) -> Finding:
    try:
        return Finding(what="region", found=target.region, ok=bool(target.region))
    except NoRegionError:
        return Finding(
            what="region",
            found="none is set",
            ok=False,
            remedy="export AWS_REGION=eu-west-1, or choose a profile",
        )


def _credentials(target: Target) -> Iterator[Finding]:
    try:
        identity = target.client("sts").get_caller_identity()
    except NoRegionError:
        return
    except (BotoCoreError, ClientError) as error:
        yield Finding(
            what="credentials",
            found=str(error),
            ok=False,
            remedy="sign in (aws sso login), or set AWS_PROFILE, "
            "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
        return
    yield Finding(what="credentials", found=f"account {identity['Account']}, {identity['Arn']}", ok=True)


def _names(target: Target) -> Iterator[Finding]:
    for what, name, pattern, rule in (
        ("app's name", target.app, APP_NAME, "2 to 20"),
        ("stage's name", target.stage, STAGE_NAME, "1 to 16"),
    ):
        good = bool(pattern.fullmatch(name))
        remedy = "" if good else f"use {rule} lower-case letters and digits, a letter first"
        yield Finding(what=what, found=name, ok=good, remedy=remedy)
    if target.stage == "local":
        yield Finding(
            what="stage's name",
            found="local",
            ok=False,
            remedy="`local` is the stage of `decant up`: take another",
        )
    longest = max(target.functions, key=len)
    good = len(longest) <= LONGEST_NAME
    yield Finding(
        what="longest name",
        found=f"{len(longest)} of {LONGEST_NAME} characters: {longest}",
        ok=good,
        remedy="" if good else "choose a shorter name for the stage or the app",
    )


def _python() -> Finding:
    remedy = (
        "" if PYTHON in NEWER_GLIBC else "3.12 or 3.13 is better: on older ones new wheels do not install"
    )
    good = PYTHON in LAYERS
    return Finding(what="functions' Python", found=PYTHON, ok=good, remedy=remedy)


def _config(target: Target) -> Finding:
    path, what = target.config_path, ".chalice/config.json"
    if not path.exists():
        return Finding(what=what, found="none yet: it will be written", ok=True)
    try:
        app = read(path)["app_name"]
    except InvalidConfigError as error:
        return Finding(what=what, found=str(error), ok=False, remedy="correct or remove these keys")
    good = app == target.app
    remedy = "" if good else f"deploy with --app {app}, or change app_name there and in app.py"
    return Finding(what=what, found=f"app_name is {app}", ok=good, remedy=remedy)


def _package(target: Target) -> tuple[list[Finding], Package | None]:
    try:
        package = build(target.root)
    except DeploymentFailedError as error:
        message = str(error).removesuffix(error.remedy).strip()
        return [Finding(what="package", found=message, ok=False, remedy=error.remedy)], None
    whole = package.unzipped + LAYER_UNZIPPED
    remedy = (
        "take packages out of requirements.txt that the layer holds, or files out of chalicelib/ and vendor/"
    )
    return [
        _limit("package", package.zipped, ZIP_LIMIT, remedy),
        _limit("package and layer, unzipped", whole, UNZIPPED_LIMIT, remedy),
    ], package


def _limit(what: str, size: int, limit: int, remedy: str) -> Finding:
    good = size <= limit
    found = f"{size / 1e6:,.1f} of {limit / 1e6:,.1f} MB"
    return Finding(what=what, found=found, ok=good, remedy="" if good else remedy)


def _stack(target: Target) -> Finding:
    what, status = f"stack {target.stack}", Stack(target.stack, target.client("cloudformation")).status()
    if status is None:
        return Finding(what=what, found="none yet", ok=True)
    remedy = STACK_REMEDIES.get(status, "")
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        remedy = "it is being changed now: wait until that has ended, then try again"
    named = {"stage": target.stage, "stack": target.stack}
    if status in {"ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}:
        return Finding(what=what, found="an earlier attempt was taken back: it starts anew", ok=True)
    return Finding(what=what, found=status, ok=not remedy, remedy=remedy.format(**named))


def _kept(target: Target) -> Iterator[Finding]:
    """Tell what an earlier deployment kept, and what has the stage's names and is not known as its."""
    found = legacy(target)
    held = Stack(target.stack, target.client("cloudformation")).resources(BUCKET)
    for each in found.things:
        yield Finding(
            what=f"{each.kind} {each.name}",
            found=each.why or "kept by an earlier deployment: it is taken up",
            ok=not each.blocks,
            remedy=each.remedy,
        )
    names = target.named(BUCKET, "BucketName").values()
    free = set(names) - held - {each.name for each in found.things}
    if free or held:
        yield Finding(what="buckets", found=f"{len(held)} in the stack, {len(free)} names free", ok=True)
    if again := found.parameters.keys() - target.parameters.keys():
        yield Finding(
            what="parameters",
            found=f"{len(again)} as they were before",
            ok=True,
            remedy=_secret_again(target, found.parameters),
        )


def _secret_again(target: Target, values: Mapping[str, str]) -> str:
    """Return what to do about the warehouse's password, which is kept nowhere, or an empty text."""
    signs_in = values.get("Warehouse", "given") == "given" and not values.get("WarehouseSecretArn")
    if not signs_in or not values.get("WarehouseHost") or "WarehousePassword" in values:
        return ""
    return f"give WarehousePassword again, or put it into the secret {target.prefix}-warehouse afterwards"


def _secrets(target: Target) -> Iterator[Finding]:
    """Look for secrets that wait for their deletion: their names are taken until then."""
    pages = target.client("secretsmanager").get_paginator("list_secrets")
    found = pages.paginate(
        IncludePlannedDeletion=True, Filters=[{"Key": "name", "Values": [f"{target.prefix}-"]}]
    )
    for secret in itertools.chain.from_iterable(page["SecretList"] for page in found):
        if "DeletedDate" in secret and target.owns(secret["Name"]):
            yield Finding(
                what=f"secret {secret['Name']}",
                found=f"waits for its deletion since {secret['DeletedDate']:%Y-%m-%d}",
                ok=False,
                remedy="aws secretsmanager delete-secret --force-delete-without-recovery "
                f"--secret-id {secret['Name']}",
            )


def _layer(target: Target) -> Iterator[Finding]:
    if PYTHON not in LAYERS:
        return
    name, _, version = layer_arn(target.region, PYTHON).rpartition(":")
    what = "AWS SDK for pandas layer"
    try:
        answer: dict[str, Any] = target.client("lambda").get_layer_version(
            LayerName=name, VersionNumber=int(version)
        )
    except ClientError as error:
        yield Finding(
            what=what,
            found=f"{name}:{version} is not to be had: {code_of(error)}",
            ok=False,
            remedy=f"choose a region that has it, or set the version of {target.region} in "
            "infrastructure/chalice_config.py: https://aws-sdk-pandas.readthedocs.io/en/stable/layers.html",
        )
        return
    yield Finding(
        what=what, found=f"version {version}, {answer['Content']['CodeSize'] / 1e6:,.1f} MB zipped", ok=True
    )
