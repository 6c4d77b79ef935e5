"""What an earlier deployment of a stage kept when it was destroyed, and which of it this one takes up.

Taken up is only what shows that it is this stage's: its name, its account and region, and the tags that the
stage's stack put on it. The KMS key has no name, so the kept buckets name it: their files need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, EndpointConnectionError

from infrastructure.chalice_config import tags_of
from infrastructure.deployment import inventory, parameters
from infrastructure.deployment.failures import DENIED, code_of
from infrastructure.deployment.ownership import other_owner, why_not_ours
from infrastructure.importing import import_template
from infrastructure.provision import Stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infrastructure.deployment.target import Target

BUCKET, NAMESPACE, KEY = "AWS::S3::Bucket", "AWS::RedshiftServerless::Namespace", "AWS::KMS::Key"

ABANDON = "delete it with its data (decant destroy --stage {stage} --delete-data)"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One thing under the stage's names that is in no stack.

    Attributes:
        resource: its name in the template.
        kind: what it is, such as `bucket`.
        name: its name or id.
        why: why it is not taken up, or an empty text.
        remedy: what to do about that.
        blocks: whether the stage cannot be deployed before that is done.
    """

    resource: str
    kind: str
    name: str
    why: str = ""
    remedy: str = ""
    blocks: bool = False


@dataclass(frozen=True, kw_only=True)
class Legacy:
    """What an earlier deployment left.

    Attributes:
        things: each of them, taken up or not.
        parameters: of the template: what is given, or else what the stage had, as far as it was kept.
    """

    things: list[Kept]
    parameters: dict[str, str]

    @property
    def taken_up(self) -> dict[str, str]:
        """What is taken up: its id at AWS, by its name in the template."""
        return {each.resource: each.name for each in self.things if not each.why}

    @property
    def refused(self) -> list[Kept]:
        """What stands in the way."""
        return [each for each in self.things if each.blocks]


def legacy(target: Target) -> Legacy:
    """Look for what is there under the stage's names and in no stack; nothing is changed."""
    stack = Stack(target.stack, target.client("cloudformation"))
    held = stack.resources(BUCKET)
    stands = not stack.is_new()
    buckets = list(_buckets(target, held, stands=stands))
    if stands:
        return Legacy(things=buckets, parameters=dict(target.parameters))
    taken = {each.resource: each.name for each in buckets if not each.why}
    found = parameters.recall(target) if "ArtifactsBucket" in taken else {}
    named = _keys_of(target, taken.values())
    if taken and "EncryptionKey" not in found:
        found["EncryptionKey"] = "own" if named else "aws"
    values = {**found, **target.parameters}
    keys = _key(target, named, values) if taken else ()
    return Legacy(things=[*buckets, *keys, *_namespace(target, values)], parameters=values)


def take_up(target: Target, found: Legacy) -> None:
    """Make the stage's stack of what is taken up, with its data.

    Raises:
        ProvisioningFailedError: CloudFormation refused it; nothing was changed.
    """
    names = found.taken_up
    template = import_template(target.template, names, tags_of(target.app, target.stage))
    # A bucket can name no key before there is one: the update after this makes it.
    key = {} if "Key" in names else {"EncryptionKey": "aws"}
    given = {**found.parameters, **key, "App": target.app, "Stage": target.stage}
    Stack(target.stack, target.client("cloudformation")).take_up(template, given, names)


def bucket_status(target: Target, name: str) -> str:
    """Return `free`, `ours` or `another's`."""
    try:
        target.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=target.account)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchBucket"}:
            return "free"
        if code_of(error) in DENIED:
            return "another's"
        if code_of(error) != "301":  # it is in another region
            raise
    return "ours"


def _buckets(target: Target, held: Iterable[str], *, stands: bool) -> Iterator[Kept]:
    """Look for buckets of these names: a name is unique among all accounts of AWS."""
    for resource, name in target.named(BUCKET, "BucketName").items():
        if name in held:
            continue
        status, why, remedy = bucket_status(target, name), "", ""
        if status == "free":
            continue
        if status == "another's":
            why = "somebody has it"
            remedy = "another account has it, or these credentials may not see it: choose another --stage"
        elif stands:
            why = "yours, in no stack"
            remedy = (
                f"remove the stage and keep its data (decant destroy --stage {target.stage}), then deploy "
                f"it again, which takes all up; or {ABANDON.format(stage=target.stage)}"
            )
        elif reason := why_not_ours(target, name):
            why = f"yours, in no stack, and {reason}"
            remedy = _how_to_tell(target, name)
        yield Kept(resource=resource, kind="bucket", name=name, why=why, remedy=remedy, blocks=bool(why))


def _how_to_tell(target: Target, bucket: str) -> str:
    tags = ",".join(
        f"{{Key={key},Value={value}}}" for key, value in tags_of(target.app, target.stage).items()
    )
    return (
        f"choose another --stage, or empty and delete it; if it is this stage's, in {target.region}, say so: "
        f"aws s3api put-bucket-tagging --bucket {bucket} --tagging 'TagSet=[{tags}]'"
    )


def _keys_of(target: Target, buckets: Iterable[str]) -> list[str]:
    """Return the ids of the keys that encrypt what is put into the buckets."""
    found = set()
    for bucket in buckets:
        answer = target.client("s3").get_bucket_encryption(Bucket=bucket)
        for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
            key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID", "")
            if key and "alias/" not in key:
                found.add(key.rpartition("/")[2])
    return sorted(found)


def _key(target: Target, named: list[str], values: dict[str, str]) -> Iterator[Kept]:
    """Look for the stage's key: the one that the kept buckets name, or else the only one with its tags."""
    states, own = dict(inventory.keys(target)), values.get("EncryptionKey", "own") == "own"
    working = [key for key, state in states.items() if state == "Enabled"]
    for key in named or (working if own and len(working) == 1 else []):
        state, remedy = states.get(key), ""
        why = "the kept files are encrypted with it, and "
        if state is None:
            why += "it is gone, or has other tags than the stage's"
            remedy = ABANDON.format(stage=target.stage)
        elif state != "Enabled":
            why += f"it is {state}"
            cancel = f"aws kms cancel-key-deletion --key-id {key} && " if state == "PendingDeletion" else ""
            remedy = f"{cancel}aws kms enable-key --key-id {key}"
        elif not own:
            why += "EncryptionKey=aws leaves it out"
            remedy = "--parameter EncryptionKey=own"
        elif len(named) > 1:
            why += "there are others"
            remedy = "encrypt the buckets' files with one key"
        else:
            why = ""
        yield Kept(resource="Key", kind="KMS key", name=key, why=why, remedy=remedy, blocks=bool(why))


def _namespace(target: Target, values: dict[str, str]) -> Iterator[Kept]:
    """Look for the tables of a serverless warehouse."""
    wanted = values.get("Warehouse", "given") == "serverless"
    for resource, name in target.named(NAMESPACE, "NamespaceName").items():
        tags = _namespace_tags(target.client("redshift-serverless"), name)
        if tags is None:
            continue
        why, remedy = other_owner(target, tags), ""
        if why:
            remedy = "choose another --stage, or delete it" if wanted else ""
        elif not wanted:
            why = "this deployment makes no serverless warehouse"
            remedy = "take it up with: --parameter Warehouse=serverless --parameter Network=own"
        blocks = bool(why) and wanted
        kind = "warehouse namespace"
        yield Kept(resource=resource, kind=kind, name=name, why=why, remedy=remedy, blocks=blocks)


def _namespace_tags(serverless: Any, name: str) -> dict[str, str] | None:
    """Return the tags of a namespace, or None without one that these credentials may see."""
    try:
        arn = serverless.get_namespace(namespaceName=name)["namespace"]["namespaceArn"]
        tags = serverless.list_tags_for_resource(resourceArn=arn)["tags"]
    except ClientError as error:
        if code_of(error) not in {"ResourceNotFoundException", *DENIED}:
            raise
        return None
    except EndpointConnectionError:  # not every region has Redshift Serverless
        return None
    return {tag["key"]: tag["value"] for tag in tags}
