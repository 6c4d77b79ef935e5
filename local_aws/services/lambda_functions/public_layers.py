"""The layers that AWS publishes: a deployment asks for them by ARN, as if they were here."""

from __future__ import annotations

import re

from moto.awslambda.models import Layer, LayerVersion

ACCOUNT = "336392948345"
"""AWS's own, which publishes the AWS SDK for pandas."""

CODE_SIZE = 48_500_000
"""Bytes of the zip of one version of the layer."""

_NAME = re.compile(rf"arn:aws:lambda:[a-z0-9-]+:{ACCOUNT}:layer:(AWSSDKPandas-Python3\d+(-Arm64)?)")


def public_layer(arn: str, version: int) -> LayerVersion | None:
    """Return a version of a public layer by the layer's ARN, or None for another account's."""
    found = _NAME.fullmatch(arn)
    if found is None:
        return None
    layer_version = LayerVersion(
        {
            "LayerName": found[1],
            "Content": {"ZipFile": ""},
            "Description": "AWS SDK for pandas",
            "CompatibleRuntimes": [],
            "LicenseInfo": "",
        },
        ACCOUNT,
        arn.split(":")[3],
    )
    layer_version.code_size = CODE_SIZE
    layer_version.attach(Layer(layer_version), version)
    return layer_version
