"""Which IAM actions AWS asks for when an API operation is called."""

from __future__ import annotations

from dataclasses import dataclass

ServiceOperation = tuple[str, str]
"""A service and an operation as boto3 names them, such as ("s3", "head_object")."""


@dataclass(frozen=True, kw_only=True)
class Needed:
    """IAM actions of a call.

    Attributes:
        always: each call needs them.
        sometimes: whether they are needed depends on the request or on the resource's state.
    """

    always: frozenset[str] = frozenset()
    sometimes: frozenset[str] = frozenset()

    def __or__(self, other: Needed) -> Needed:
        """Return what two calls need."""
        return Needed(always=self.always | other.always, sometimes=self.sometimes | other.sometimes)


def _needed(always: str, sometimes: str = "") -> Needed:
    return Needed(always=frozenset(always.split()), sometimes=frozenset(sometimes.split()))


PREFIXES = {"stepfunctions": "states"}
"""IAM's name of a service where boto3 has another."""

# Without s3:ListBucket a read of a missing object answers 403 in the place of 404.
_READ = _needed("s3:GetObject", "s3:GetObjectVersion s3:ListBucket")
_COPY = _needed(
    "s3:GetObject s3:PutObject s3:GetObjectTagging s3:PutObjectTagging",
    "s3:GetObjectVersion s3:GetObjectVersionTagging s3:ListBucket s3:AbortMultipartUpload",
)

EXCEPTIONS: dict[ServiceOperation, Needed] = {
    ("s3", "head_object"): _READ,
    ("s3", "get_object"): _READ,
    ("s3", "head_bucket"): _needed("s3:ListBucket"),
    ("s3", "list_objects_v2"): _needed("s3:ListBucket"),
    ("s3", "list_object_versions"): _needed("s3:ListBucketVersions", "s3:ListBucket"),
    ("s3", "put_object"): _needed("s3:PutObject", "s3:GetObject s3:PutObjectTagging s3:ListBucket"),
    ("s3", "create_multipart_upload"): _needed("s3:PutObject"),
    ("s3", "upload_part"): _needed("s3:PutObject"),
    ("s3", "complete_multipart_upload"): _needed("s3:PutObject"),
    ("s3", "delete_object"): _needed("s3:DeleteObject", "s3:DeleteObjectVersion"),
    ("s3", "copy_object"): _COPY,
    # boto3's own methods, each of several operations:
    ("s3", "copy"): _COPY,
    ("s3", "upload_file"): _needed("s3:PutObject", "s3:AbortMultipartUpload"),
    ("s3", "upload_fileobj"): _needed("s3:PutObject", "s3:AbortMultipartUpload"),
}
"""What is not `service:Operation`. A write with If-Match reads nothing, but S3 asks for GetObject."""


OF_A_VERSION: dict[ServiceOperation, Needed] = {
    ("s3", "get_object"): _needed("s3:GetObjectVersion"),
    ("s3", "copy"): _needed("s3:GetObjectVersion s3:GetObjectVersionTagging"),
    ("s3", "delete_object"): _needed("s3:DeleteObjectVersion"),
}
"""What a call needs beside that when it names a version of the object."""


def needed(service: str, operation: str, api_name: str) -> Needed:
    """Return the actions of an operation.

    Args:
        service: boto3's name of the service.
        operation: boto3's name of the method, such as `head_object`.
        api_name: the API's own name, such as `HeadObject`.
    """
    found = EXCEPTIONS.get((service, operation))
    return found or _needed(f"{PREFIXES.get(service, service)}:{api_name}")


LOG_DELIVERY = frozenset(
    {
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
    }
)
"""What a state machine with a logging configuration needs."""

TRACING = frozenset(
    {
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    }
)
"""What a state machine with tracing needs."""

NETWORK = frozenset(
    {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    }
)
"""What Lambda does with a function's role when the function is in a VPC."""

KEYS = frozenset({"kms:Decrypt", "kms:GenerateDataKey"})
"""What S3, SNS, SQS and Secrets Manager do with the caller's role when the stage has a key of its own."""

EVERYWHERE = {
    **dict.fromkeys(LOG_DELIVERY, "log delivery knows no resource"),
    **dict.fromkeys(TRACING, "X-Ray knows no resource for what a service sends"),
    **dict.fromkeys(NETWORK, "Lambda's network interfaces are not made when the policy is written"),
    "cloudwatch:PutMetricData": "metrics have no ARN; a condition names the namespace",
}
"""Actions that may be allowed on `*`, each with the reason."""
