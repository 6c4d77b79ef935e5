"""The cleaning job against S3: exact versions in, the same objects out however often it runs."""

from __future__ import annotations

import importlib.util
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from tests.integration.conftest import RunningAWS

HEADER = "sale_id;sold_on;region;customer;category;product;quantity;unit_price\n"
SALE = "{};2025-03-04;Madrid;Eva;Moda;Abrigo;1;5,00\n"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "glue_scripts" / "clean_sales.py"
    spec = importlib.util.spec_from_file_location("clean_sales", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def s3(local_aws: RunningAWS) -> Any:
    return local_aws.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"sales-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def put(s3: Any, bucket: str, key: str, text: str) -> dict[str, Any]:
    answer = s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    etag = answer["ETag"].strip('"')
    return {"bucket": bucket, "key": key, "etag": etag, "version": answer["VersionId"], "size": len(text)}


def outputs(s3: Any, bucket: str) -> dict[str, str]:
    found = s3.list_objects_v2(Bucket=bucket, Prefix="out/").get("Contents", [])
    return {each["Key"]: each["ETag"] for each in found}


def test_a_repeated_run_replaces_its_own_output_and_nothing_else(
    script: ModuleType, s3: Any, bucket: str, tmp_path: Path
) -> None:
    target = script.Target(s3, f"s3://{bucket}/out/")
    files = [put(s3, bucket, "in/a.csv", HEADER + SALE.format("1") + SALE.format("1"))]
    put(s3, bucket, "in/a.csv", "replaced after the batch was found")
    manifest = {"batch": "b1", "files": files, "published": []}
    (tmp_path / "first").mkdir()
    summary = script.clean(s3, manifest, target, tmp_path / "first")
    before = outputs(s3, bucket)
    assert (summary["kept"], summary["rejected"]) == (1, {"duplicate": 1})
    s3.put_object(
        Bucket=bucket, Key="out/sales_rows/batch=b1/month=2024-01/part-0.parquet", Body=b"broken off"
    )
    s3.put_object(
        Bucket=bucket, Key="out/sales_rows/batch=b0/month=2024-01/part-0.parquet", Body=b"another's"
    )
    (tmp_path / "again").mkdir()
    assert script.clean(s3, manifest, target, tmp_path / "again") == summary
    after = outputs(s3, bucket)
    assert after.pop("out/sales_rows/batch=b0/month=2024-01/part-0.parquet")
    assert after == before


def test_ids_of_published_batches_are_refused_and_those_of_others_are_not(
    script: ModuleType, s3: Any, bucket: str, tmp_path: Path
) -> None:
    target = script.Target(s3, f"s3://{bucket}/out/")
    for batch, sale in (("published", "1"), ("refused", "2")):
        folder = tmp_path / batch
        folder.mkdir()
        files = [put(s3, bucket, f"in/{batch}.csv", HEADER + SALE.format(sale))]
        script.clean(s3, {"batch": batch, "files": files, "published": []}, target, folder)
    files = [put(s3, bucket, "in/next.csv", HEADER + "".join(map(SALE.format, "123")))]
    (tmp_path / "next").mkdir()
    manifest = {"batch": "next", "files": files, "published": ["published"]}
    summary = script.clean(s3, manifest, target, tmp_path / "next")
    assert (summary["kept"], summary["rejected"]) == (2, {"already_loaded": 1})


def test_a_batch_without_a_row_to_keep_writes_nothing(
    script: ModuleType, s3: Any, bucket: str, tmp_path: Path
) -> None:
    files = [put(s3, bucket, "in/bad.csv", HEADER + SALE.format(" "))]
    target = script.Target(s3, f"s3://{bucket}/out/")
    with pytest.raises(
        script.WrongFileError, match=r"in/bad\.csv: none of 1 rows can be kept \(1 no_sale_id\)"
    ):
        script.clean(s3, {"batch": "b", "files": files, "published": []}, target, tmp_path)
    assert outputs(s3, bucket) == {}
