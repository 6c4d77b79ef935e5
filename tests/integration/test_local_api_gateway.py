"""Imported REST APIs answer as API Gateway would."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.parse
import uuid
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import running_aws
from tests.integration.deployment import deploy

HANDLERS = '''
import base64, json, time

def proxy(event, context):
    one, many = {"X-One": "1"}, {"X-Many": ["a", "b"]}
    return {"statusCode": 200, "body": json.dumps(event), "headers": one, "multiValueHeaders": many}

def picture(event, context):
    body, headers = base64.b64encode(b"\\x89PNG").decode(), {"Content-Type": "image/png"}
    return {"statusCode": 200, "body": body, "isBase64Encoded": True, "headers": headers}

def malformed(event, context):
    return {"status": 200}

def fails(event, context):
    raise ValueError("no")

calls = 0

def authorize(event, context):
    """Allow GET of one path; the token says how."""
    global calls
    calls += 1
    token, arn = event["authorizationToken"], event["methodArn"]
    if token == "unauthorized":
        raise Exception("Unauthorized")
    if token == "broken":
        return {"principalId": "x"}
    effect = "Deny" if token == "denied" else "Allow"
    resource = arn.split("/GET/")[0] + "/GET/allowed*"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": [resource]}
    return {
        "principalId": "ada",
        "policyDocument": {"Statement": [statement]},
        "context": {"calls": calls, "admin": True},
    }
'''


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    directory = tmp_path_factory.mktemp("api")
    project = directory / "project"
    project.mkdir()
    (project / "app.py").write_text(HANDLERS)
    with running_aws(directory / "state", project) as running:
        yield running


def uri(aws, name):
    arn = aws.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def proxied(aws, name, **options):
    """Return an operation that a function answers."""
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri(aws, name)}
    return {"responses": {}, "x-amazon-apigateway-integration": integration} | options


def import_api(aws, paths, **document):
    """Import and deploy a Swagger document; return the API's id."""
    swagger = {"swagger": "2.0", "info": {"title": uuid.uuid4().hex}, "paths": paths} | document
    gateway = aws.client("apigateway")
    api = gateway.import_rest_api(body=json.dumps(swagger))["id"]
    gateway.create_deployment(restApiId=api, stageName="live")
    return api


def call(aws, api, path, method="GET", body=None, **headers):
    """Make a request; return status, headers and body."""
    address = urllib.parse.urlsplit(aws.endpoint_url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    target = path if "Host" in headers else f"/_aws/execute-api/{api}/live{path}"
    with closing(connection):
        connection.request(method, target, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.fixture(scope="module")
def echo(aws):
    """An API whose function returns its event."""
    proxy = deploy(aws, "proxy")
    operation = proxied(aws, proxy)
    paths = {
        "/things": {"get": operation, "post": operation},
        "/things/{name}": {"get": operation},
        "/things/special": {"get": operation},
        "/files/{path+}": {"x-amazon-apigateway-any-method": operation},
    }
    return import_api(aws, paths, **{"x-amazon-apigateway-binary-media-types": ["application/octet-stream"]})


def event(answer):
    status, _, body = answer
    assert status == 200
    return json.loads(body)


def test_a_proxy_event_holds_the_request(aws, echo):
    seen = event(call(aws, echo, "/things?a=1&a=2&b=", method="POST", body="hello", X_Mine="yes"))
    assert (seen["httpMethod"], seen["path"], seen["resource"]) == ("POST", "/things", "/things")
    assert seen["queryStringParameters"] == {"a": "2", "b": ""}
    assert seen["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert (seen["body"], seen["isBase64Encoded"], seen["headers"]["X-Mine"]) == ("hello", False, "yes")
    context = seen["requestContext"]
    assert (context["apiId"], context["stage"], context["path"]) == (echo, "live", "/live/things")
    assert context["identity"]["sourceIp"] == "127.0.0.1"


def test_a_slash_at_the_end_leads_to_the_same_route_and_is_told(aws, echo):
    """So does AWS: a route cannot end with one."""
    seen = event(call(aws, echo, "/things/other/"))
    assert (seen["resource"], seen["path"]) == ("/things/{name}", "/things/other/")
    assert seen["pathParameters"] == {"name": "other"}
    assert seen["requestContext"]["path"] == "/live/things/other/"


def test_what_a_request_does_not_have_is_null(aws, echo):
    seen = event(call(aws, echo, "/things"))
    assert (
        seen["queryStringParameters"]
        is seen["pathParameters"]
        is seen["body"]
        is seen["stageVariables"]
        is None
    )


def test_a_literal_path_wins_over_a_placeholder(aws, echo):
    assert event(call(aws, echo, "/things/special"))["resource"] == "/things/special"
    assert event(call(aws, echo, "/things/other"))["pathParameters"] == {"name": "other"}


def test_a_greedy_placeholder_takes_the_rest_of_the_path(aws, echo):
    seen = event(call(aws, echo, "/files/a/b/c", method="DELETE"))
    assert (seen["pathParameters"], seen["httpMethod"]) == ({"path": "a/b/c"}, "DELETE")


def test_headers_of_the_function_come_back_single_and_repeated(aws, echo):
    _, headers, _ = call(aws, echo, "/things")
    assert (headers["X-One"], headers.get_all("X-Many")) == ("1", ["a", "b"])
    assert headers["x-amzn-RequestId"]


def test_an_api_also_answers_by_its_host_name(aws, echo):
    host = f"{echo}.execute-api.us-east-1.amazonaws.com"
    assert event(call(aws, echo, "/live/things", Host=host))["requestContext"]["domainName"] == host


def test_a_body_of_a_binary_type_arrives_in_base64(aws, echo):
    seen = event(
        call(aws, echo, "/things", method="POST", body=b"\xff\x00", Content_Type="application/octet-stream")
    )
    assert (base64.b64decode(seen["body"]), seen["isBase64Encoded"]) == (b"\xff\x00", True)


def test_a_binary_answer_is_decoded_when_the_client_accepts_its_type(aws):
    paths = {"/": {"get": proxied(aws, deploy(aws, "picture"))}}
    api = import_api(aws, paths, **{"x-amazon-apigateway-binary-media-types": ["image/png"]})
    assert call(aws, api, "/", Accept="image/png")[2] == b"\x89PNG"
    assert call(aws, api, "/", Accept="text/html")[2] == base64.b64encode(b"\x89PNG")


@pytest.mark.parametrize(
    ("path", "method"), [("/nowhere", "GET"), ("/things", "PUT"), ("/things/a/b", "GET")]
)
def test_an_unknown_route_asks_for_a_token(aws, echo, path, method):
    status, _, body = call(aws, echo, path, method=method)
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})


def test_an_unknown_api_or_stage_is_forbidden(aws, echo):
    assert call(aws, "nothing", "/things")[0] == 403
    assert call(aws, echo, "/dead/things", Host=f"{echo}.execute-api.local")[0] == 403


def test_a_body_beyond_ten_megabytes_is_too_large(aws, echo):
    status, _, body = call(aws, echo, "/things", method="POST", body=b"x" * 10_485_761)
    assert (status, json.loads(body)) == (413, {"message": "Request Too Long"})


@pytest.mark.parametrize("handler", ["malformed", "fails"])
def test_a_function_that_gives_no_answer_is_a_bad_gateway(aws, handler):
    api = import_api(aws, {"/": {"get": proxied(aws, deploy(aws, handler))}})
    status, _, body = call(aws, api, "/")
    assert (status, json.loads(body)) == (502, {"message": "Internal server error"})


def guarded_api(aws, **authorizer):
    """Import an API with a token authorizer on every route."""
    settings = {
        "type": "token",
        "authorizerUri": uri(aws, deploy(aws, "authorize")),
        "authorizerResultTtlInSeconds": 300,
    }
    scheme = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": settings | authorizer,
    }
    operation = proxied(aws, deploy(aws, "proxy"), security=[{"guard": []}])
    paths = {"/allowed": {"get": operation}, "/allowed/too": {"get": operation}, "/other": {"get": operation}}
    return import_api(aws, paths, securityDefinitions={"guard": scheme})


@pytest.fixture(scope="module")
def guarded(aws):
    return guarded_api(aws)


def test_an_authorizer_context_reaches_the_function_as_text(aws, guarded):
    context = event(call(aws, guarded, "/allowed", Authorization="good"))["requestContext"]["authorizer"]
    assert (context["principalId"], context["admin"]) == ("ada", "true")


def test_an_authorizer_is_asked_once_per_token(aws, guarded):
    first = event(call(aws, guarded, "/allowed", Authorization="mine"))["requestContext"]["authorizer"]
    second = event(call(aws, guarded, "/allowed/too", Authorization="mine"))["requestContext"]["authorizer"]
    assert first["calls"] == second["calls"]


def test_an_authorizer_without_a_ttl_is_asked_every_time(aws):
    api = guarded_api(aws, authorizerResultTtlInSeconds=0)
    contexts = [
        event(call(aws, api, "/allowed", Authorization="mine"))["requestContext"]["authorizer"] for _ in "12"
    ]
    assert contexts[0]["calls"] != contexts[1]["calls"]


@pytest.mark.parametrize(
    ("path", "token", "status", "answer"),
    [
        ("/allowed", None, 401, {"message": "Unauthorized"}),
        ("/allowed", "unauthorized", 401, {"message": "Unauthorized"}),
        ("/other", "good", 403, {"Message": "User is not authorized to access this resource"}),
        (
            "/allowed",
            "denied",
            403,
            {"Message": "User is not authorized to access this resource with an explicit deny"},
        ),
        ("/allowed", "broken", 500, {"message": None}),
    ],
)
def test_an_authorizer_refuses_as_on_aws(aws, guarded, path, token, status, answer):
    headers = {"Authorization": token} if token else {}
    found, _, body = call(aws, guarded, path, **headers)
    assert (found, json.loads(body)) == (status, answer)


def test_a_token_that_does_not_look_like_one_is_unauthorized(aws):
    api = guarded_api(aws, identityValidationExpression="Bearer .+")
    assert call(aws, api, "/allowed", Authorization="mine")[0] == 401
    assert call(aws, api, "/allowed", Authorization="Bearer mine")[0] == 200


def test_a_method_with_an_api_key_is_forbidden_without_one(aws):
    operation = proxied(aws, deploy(aws, "proxy"), security=[{"key": []}])
    scheme = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    api = import_api(aws, {"/": {"get": operation}}, securityDefinitions={"key": scheme})
    key = aws.client("apigateway").create_api_key(name=uuid.uuid4().hex, enabled=True)["value"]
    assert call(aws, api, "/", x_api_key="wrong")[0] == 403
    assert call(aws, api, "/", x_api_key=key)[0] == 200


def throttled(aws, api, where, rate, burst):
    """Let a method of the stage take so many requests a second, and so many at once."""
    limits = {"rateLimit": rate, "burstLimit": burst}
    changes = [
        {"op": "replace", "path": f"/{where}/throttling/{name}", "value": value}
        for name, value in limits.items()
    ]
    aws.client("apigateway").update_stage(restApiId=api, stageName="live", patchOperations=changes)


def test_what_comes_faster_than_the_stage_allows_is_429(aws):
    operation = proxied(aws, deploy(aws, "proxy"))
    api = import_api(aws, {"/things": {"get": operation}, "/others": {"get": operation}})
    throttled(aws, api, "*/*", "0.001", "3")
    answers = [call(aws, api, "/things") for _ in range(5)]
    assert [answer[0] for answer in answers] == [200, 200, 200, 429, 429]
    assert json.loads(answers[-1][2]) == {"message": "Too Many Requests"}
    assert call(aws, api, "/others")[0] == 200  # each method has the limit to itself
    throttled(aws, api, "~1others/GET", "0", "0")
    assert call(aws, api, "/others")[0] == 429


def test_a_mock_answers_with_its_own_headers(aws):
    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {"statusCode": "200", "responseParameters": {"method.response.header.X-Mock": "'yes'"}}
        },
    }
    api = import_api(aws, {"/": {"options": {"responses": {}, "x-amazon-apigateway-integration": mock}}})
    status, headers, _ = call(aws, api, "/", method="OPTIONS")
    assert (status, headers["X-Mock"]) == (200, "yes")


def test_what_is_not_executed_says_so(aws):
    integration = {"type": "http_proxy", "httpMethod": "GET", "uri": "https://example.com"}
    api = import_api(aws, {"/": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}})
    status, _, body = call(aws, api, "/")
    assert status == 501
    assert "HTTP_PROXY integrations" in json.loads(body)["message"]


def test_a_replaced_api_answers_by_its_new_definition(aws):
    operation = proxied(aws, deploy(aws, "proxy"))
    api = import_api(aws, {"/old": {"get": operation}})
    document = {"swagger": "2.0", "info": {"title": "new"}, "paths": {"/new": {"get": operation}}}
    aws.client("apigateway").put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document))
    assert call(aws, api, "/old")[0] == 403
    assert call(aws, api, "/new")[0] == 200


def test_a_document_without_paths_is_refused(aws):
    with pytest.raises(ClientError, match="paths"):
        aws.client("apigateway").import_rest_api(body=json.dumps({"swagger": "2.0", "info": {"title": "x"}}))
