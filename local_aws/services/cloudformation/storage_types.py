"""Resource types of S3."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.cloudformation.resource_type import (
    Clients,
    Properties,
    ResourceType,
    UnsupportedError,
    picked,
    tags,
)


class Bucket(ResourceType):
    """A bucket; its notifications belong to whoever deploys the functions."""

    type = "AWS::S3::Bucket"
    name_property = import_identifier = "BucketName"
    accepts = frozenset(
        {
            "BucketEncryption",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        }
    )

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the bucket; one that exists is another's, even of this account."""
        s3 = aws("s3")
        if _exists(s3, name):
            raise UnsupportedError(f"{name} already exists")
        region = s3.meta.region_name
        # us-east-1 is the one region that must not be named.
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        return name

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Apply every property."""
        self.update(aws, identifier, properties, {})

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Apply each property that differs; one that went is taken back."""
        s3 = aws("s3")
        for name, (put, take_back) in _BUCKET_PROPERTIES.items():
            if properties.get(name) == before.get(name):
                continue
            if name in properties:
                put(s3, identifier, properties[name])
            else:
                take_back(s3, identifier)

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the bucket, which must be empty, as on AWS."""
        aws("s3").delete_bucket(Bucket=identifier)

    def exists(self, aws: Clients, identifier: str) -> bool:
        """Tell whether there is such a bucket."""
        return _exists(aws("s3"), identifier)

    def not_found(self, identifier: str) -> str:
        """Return how AWS says that there is no such bucket."""
        return "Bucket not found"

    def attributes(self, aws: Clients, identifier: str, properties: Properties) -> dict[str, Any]:
        """Return the bucket's ARN and domain names."""
        region = aws("s3").meta.region_name
        return {
            "Arn": f"arn:aws:s3:::{identifier}",
            "DomainName": f"{identifier}.s3.amazonaws.com",
            "RegionalDomainName": f"{identifier}.s3.{region}.amazonaws.com",
        }


def _exists(s3: Any, name: str) -> bool:
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # noqa: PLR2004 - HTTP's not found
            return False
        raise
    return True


def _encryption(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                **picked(rule, "BucketKeyEnabled"),
            }
            for rule in value["ServerSideEncryptionConfiguration"]
        ]
    }


_LIFECYCLE_RULE = {
    "Id",
    "Status",
    "Prefix",
    "ExpirationInDays",
    "ExpiredObjectDeleteMarker",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
    "Transitions",
}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(rule) - _LIFECYCLE_RULE):
        raise UnsupportedError(f"Encountered unsupported property {', '.join(unknown)} of a lifecycle rule")
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = rule["ExpiredObjectDeleteMarker"]
    result: dict[str, Any] = {
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        **picked(rule, "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"),
    }
    if "Id" in rule:
        result["ID"] = rule["Id"]
    if expiration:
        result["Expiration"] = expiration
    if "Transitions" in rule:
        result["Transitions"] = [
            {"StorageClass": each["StorageClass"], "Days": int(each["TransitionInDays"])}
            for each in rule["Transitions"]
        ]
    return result


_BUCKET_PROPERTIES: dict[str, tuple[Any, Any]] = {
    "VersioningConfiguration": (
        lambda s3, bucket, value: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=value),
        lambda s3, bucket: s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
        ),
    ),
    "PublicAccessBlockConfiguration": (
        lambda s3, bucket, value: s3.put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=value
        ),
        lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
    ),
    "BucketEncryption": (
        lambda s3, bucket, value: s3.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration=_encryption(value)
        ),
        lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
    ),
    "LifecycleConfiguration": (
        lambda s3, bucket, value: s3.put_bucket_lifecycle_configuration(
            Bucket=bucket,
            LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]},
        ),
        lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket),
    ),
    "OwnershipControls": (
        lambda s3, bucket, value: s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=value),
        lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
    ),
    "Tags": (
        lambda s3, bucket, value: s3.put_bucket_tagging(
            Bucket=bucket, Tagging={"TagSet": tags({"Tags": value})}
        ),
        lambda s3, bucket: s3.delete_bucket_tagging(Bucket=bucket),
    ),
}


class BucketPolicy(ResourceType):
    """The policy of a bucket. It is kept and shown, not enforced."""

    type = "AWS::S3::BucketPolicy"
    accepts = frozenset({"Bucket", "PolicyDocument"})
    replaces = frozenset({"Bucket"})

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Put the policy on its bucket."""
        self.update(aws, properties["Bucket"], properties, {})
        return str(properties["Bucket"])

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Replace the policy."""
        aws("s3").put_bucket_policy(Bucket=identifier, Policy=json.dumps(properties["PolicyDocument"]))

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Take the policy from its bucket."""
        aws("s3").delete_bucket_policy(Bucket=identifier)
