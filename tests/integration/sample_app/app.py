"""A small Chalice app with one of everything: what the tests of the embedded AWS deploy."""

import json
import os

import boto3
from chalice import AuthResponse, Chalice, Rate, Response

app = Chalice(app_name="sample")
BUCKET = os.environ.get("SAMPLE_BUCKET", "sample-landing")


def record(kind, fact):
    """Leave a trace that a test can wait for."""
    key = f"{kind}/{json.dumps(fact, sort_keys=True)}"
    boto3.client("s3").put_object(Bucket=os.environ["SAMPLE_RECORDS"], Key=key, Body=b"")


@app.authorizer(ttl_seconds=60)
def authorize(request):
    if request.token == "viewer":
        return AuthResponse(routes=["/hello"], principal_id="viewer", context={"role": "viewer"})
    return AuthResponse(routes=[], principal_id="nobody")


@app.route("/hello", authorizer=authorize, cors=True)
def hello():
    return {"role": app.current_request.context["authorizer"]["role"]}


@app.route("/secret", authorizer=authorize)
def secret():
    return {"secret": True}


@app.route("/open/{name}", methods=["POST"])
def echo(name):
    request = app.current_request
    return Response(
        {"name": name, "body": request.json_body, "query": request.query_params}, {"X-Sample": "yes"}, 201
    )


@app.route("/fails")
def fails():
    raise SystemExit(1)


@app.on_s3_event(bucket=BUCKET, events=["s3:ObjectCreated:*"], prefix="in/", suffix=".txt")
def file_landed(event):
    record("file", event.key)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def minute_passed(event):
    record("minute", event.source)


@app.lambda_function()
def double(event, context):
    return {"doubled": event["number"] * 2, "function": context.function_name}
