"""One run for each content, one load for each file, whatever the events do."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector

from chalicelib.files import File
from cli.sample_data.load_file import ORDER_COLUMNS, order_rows
from tests.acceptance.conftest import LANDING, own, wait_for
from tests.factories import an_s3_event

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage


def orders(first: int, count: int = 3, **same: object) -> str:
    """Return a CSV of orders; a keyword gives every row that value."""
    rows = []
    for row in order_rows(first, count):
        for column, value in same.items():
            row[ORDER_COLUMNS.index(column)] = str(value)
        rows.append(",".join('"' + value.replace('"', '""') + '"' for value in row))
    return ",".join(ORDER_COLUMNS) + "\n" + "\n".join(rows) + "\n"


def test_fifty_deliveries_of_one_event_make_one_run_and_one_load(stage: Stage) -> None:
    key = f"incoming/orders/{own('many')}.csv"
    first = random.randrange(10**9, 2 * 10**9)
    put = stage.put(key, orders(first))
    size = stage.client("s3").head_object(Bucket=LANDING, Key=key)["ContentLength"]
    file = File(bucket=LANDING, key=key, etag=put["ETag"].strip('"'), version=put.get("VersionId"), size=size)
    event = json.dumps(an_s3_event(file))

    def deliver(_: int) -> Any:
        return stage.client("lambda").invoke(FunctionName="decant-local-file_landed", Payload=event)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(deliver, range(50)))
    assert not any("FunctionError" in answer for answer in answers)
    (run,) = stage.ended(key)
    assert run["outcome"] == "succeeded"
    assert stage.sql(f"SELECT count(*) FROM orders WHERE order_id BETWEEN {first} AND {first + 2}") == [[3]]
    token = run["name"]
    assert stage.sql(f"SELECT count(*) FROM decant_loads WHERE token = '{token}'") == [[1]]


def test_two_contents_of_one_key_make_two_runs_and_the_newer_orders_win(stage: Stage) -> None:
    key = f"incoming/orders/{own('twice')}.csv"
    first = random.randrange(10**9, 2 * 10**9)
    stage.put(key, orders(first, quantity=1))
    stage.ended(key)
    stage.put(key, orders(first, quantity=2))
    runs = stage.ended(key, count=2)
    assert [run["outcome"] for run in runs] == ["succeeded", "succeeded"]
    found = stage.sql(
        f"SELECT count(*), min(quantity) FROM orders WHERE order_id BETWEEN {first} AND {first + 2}"
    )
    assert found == [[3, 2]]


@pytest.mark.parametrize(
    "name", ["a b+c.csv", "größe 日本.csv", 'it\'s "quoted".csv', "100%25.csv", "a&b=c;d.csv"]
)
def test_a_key_is_loaded_whatever_it_is_called(stage: Stage, name: str) -> None:
    key = f"incoming/orders/{own('odd')}/{name}"
    stage.put(key, orders(random.randrange(10**9, 2 * 10**9)))
    (run,) = stage.ended(key)
    assert (run["outcome"], run["cause"]) == ("succeeded", None)


def test_a_load_that_meets_error_1023_is_tried_again_and_succeeds(stage: Stage) -> None:
    first = random.randrange(10**9, 2 * 10**9)
    key = f"incoming/orders/{own('before')}.csv"
    stage.put(key, orders(first))
    stage.ended(key)
    other = _connect(stage)
    cursor = other.cursor()
    cursor.execute(f"UPDATE orders SET gift = gift WHERE order_id = {first}")
    key = f"incoming/orders/{own('busy')}.csv"
    stage.put(key, orders(first, quantity=7))
    wait_for(lambda: stage.sql("SELECT 1 FROM pg_locks WHERE NOT granted"), "a load that waits for the other")
    other.commit()
    other.close()
    (run,) = stage.ended(key)
    (copy,) = (step for step in run["steps"] if step["state"] == "CopyToRedshift")
    assert (run["outcome"], copy["attempts"]) == ("succeeded", 2)
    events = stage.api.get(f"/runs/{run['name']}/events")["events"]
    assert any(event["details"].get("error") == "WarehouseIsBusy" for event in events)
    assert stage.sql(f"SELECT quantity FROM orders WHERE order_id = {first}") == [[7]]


def test_a_run_whose_notice_failed_is_red_and_its_next_attempt_loads_nothing_twice(stage: Stage) -> None:
    sns = stage.client("sns")
    topic = next(
        found["TopicArn"] for found in sns.list_topics()["Topics"] if found["TopicArn"].endswith("-notices")
    )
    key = f"incoming/events/{own('mute')}.ndjson"
    event_id = own("event")
    line = {
        "event_id": event_id,
        "happened_at": "2026-01-01T00:00:00",
        "kind": "view",
        "visitor": 1,
        "page": "/",
    }
    sns.delete_topic(TopicArn=topic)
    try:
        stage.put(key, json.dumps(line))
        (run,) = stage.ended(key)
        assert (run["outcome"], run["error"]) == ("failed", "NoticeNotSent")
    finally:
        sns.create_topic(Name=topic.rpartition(":")[2])
    again = stage.api.post(f"/runs/{run['name']}/redrive")
    assert again == {"run": run["name"] + "-2", "new": True}
    newest, _ = stage.ended(key, count=2)
    assert newest["outcome"] == "succeeded"
    assert newest["output"]["copy_to_redshift"]["already"] is True
    assert stage.sql(f"SELECT count(*) FROM events WHERE event_id = '{event_id}'") == [[1]]


def _connect(stage: Stage) -> Any:
    secret = json.loads(
        stage.client("secretsmanager").get_secret_value(SecretId="decant-local-warehouse")["SecretString"]
    )
    return redshift_connector.connect(
        host=secret["host"],
        port=int(secret["port"]),
        user=secret["username"],
        password=secret["password"],
        database=secret["dbname"],
        ssl=False,
    )
