"""moto's API Gateway with the whole of an imported definition: authorizers, mocks, binary types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import moto.apigateway.urls
from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import APIGatewayBackend, RestAPI

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_FUNCTION_URI = re.compile(r".*/functions/(?P<arn>arn:[^/]+)/invocations")


class Backend(APIGatewayBackend):
    """moto's API Gateway service; it cannot import what Chalice exports, so this one does."""

    @property
    def _url_module(self) -> Any:
        return moto.apigateway.urls

    def import_rest_api(self, api_doc: dict[str, Any], fail_on_warnings: bool) -> RestAPI:
        """Create an API from a Swagger 2.0 or OpenAPI 3 document."""
        _check_document(api_doc)
        info = api_doc["info"]
        api = self.create_rest_api(name=info["title"], description=info.get("description", ""))
        return self.put_rest_api(api.id, api_doc, fail_on_warnings)

    def put_rest_api(
        self, function_id: str, api_doc: dict[str, Any], fail_on_warnings: bool, mode: str = "merge"
    ) -> RestAPI:
        """Merge a document into an API, or replace the API with it."""
        del fail_on_warnings  # what this cannot import it refuses
        api = self.get_rest_api(function_id)
        _check_document(api_doc)
        if mode == "overwrite":
            api.resources, api.authorizers = {}, {}
            api.default = api.add_child("/")
            api.root_resource_id = api.default.id
        api.name = api_doc["info"]["title"]
        api.binaryMediaTypes = api_doc.get("x-amazon-apigateway-binary-media-types") or []
        api.policy = api_doc.get("x-amazon-apigateway-policy") or api.policy
        schemes = {
            name: self._import_scheme(api, name, scheme) for name, scheme in _security_schemes(api_doc)
        }
        for path, operations in sorted(api_doc["paths"].items()):
            resource = self._resource(api, path)
            for method, operation in _operations(operations):
                self._import_operation(api, resource, method, operation, schemes, api_doc.get("security"))
        return api

    def _import_scheme(self, api: RestAPI, name: str, scheme: dict[str, Any]) -> dict[str, Any]:
        """Create the authorizer that a security scheme describes; return what its methods hold."""
        authorizer = scheme.get("x-amazon-apigateway-authorizer")
        if not authorizer:
            if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
                return {"authorization_type": "AWS_IAM"}
            return {"api_key_required": True}
        kind = authorizer["type"].upper()
        created = self.create_authorizer(
            api.id,
            name,
            kind,
            provider_arns=authorizer.get("providerARNs"),
            auth_type=scheme.get("x-amazon-apigateway-authtype"),
            authorizer_uri=authorizer.get("authorizerUri"),
            authorizer_credentials=authorizer.get("authorizerCredentials"),
            identity_source=authorizer.get("identitySource") or f"method.request.header.{scheme['name']}",
            authorizer_result_ttl=authorizer.get("authorizerResultTtlInSeconds", 300),
        )
        # moto loses this one on the way, by a misspelt keyword.
        created.identity_validation_expression = authorizer.get("identityValidationExpression")
        method_type = "COGNITO_USER_POOLS" if kind == "COGNITO_USER_POOLS" else "CUSTOM"
        return {"authorization_type": method_type, "authorizer_id": created.id}

    def _resource(self, api: RestAPI, path: str) -> Any:
        """Return the resource of a path; it and its parents are made when missing."""
        parent, walked = api.default, ""
        for part in filter(None, path.split("/")):
            walked += f"/{part}"
            found = api.get_resource_for_path(walked)
            parent = found or self.create_resource(api.id, parent.id, part)
        return parent

    def _import_operation(
        self,
        api: RestAPI,
        resource: Any,
        method: str,
        operation: dict[str, Any],
        schemes: dict[str, dict[str, Any]],
        default_security: list[dict[str, Any]] | None,
    ) -> None:
        security: dict[str, Any] = {"authorization_type": "NONE"}
        for requirement in operation.get("security", default_security or []):
            for name in requirement:
                security |= schemes[name]
        resource.add_method(
            method, security.pop("authorization_type"), security.pop("api_key_required", False), **security
        )
        for status in operation.get("responses", {}):
            self.put_method_response(api.id, resource.id, method, status, None, None)
        if integration := operation.get(_INTEGRATION):
            _import_integration(resource, method, integration)


def function_arn(uri: str) -> str:
    """Return the function that an integration's or authorizer's URI names, or an empty string."""
    match = _FUNCTION_URI.fullmatch(uri or "")
    return match["arn"] if match else ""


def _check_document(api_doc: dict[str, Any]) -> None:
    if api_doc.get("swagger") != "2.0" and not str(api_doc.get("openapi", "")).startswith("3."):
        raise BadRequestException("Unable to import: the document is neither Swagger 2.0 nor OpenAPI 3")
    if missing := [part for part in ("info", "paths") if not isinstance(api_doc.get(part), dict)]:
        raise BadRequestException(f"Unable to import: the document has no {' and no '.join(missing)}")


def _security_schemes(api_doc: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    components = api_doc.get("components", {})
    yield from (api_doc.get("securityDefinitions") or components.get("securitySchemes") or {}).items()


def _operations(path_item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, operation in path_item.items():
        if key in _METHODS:
            yield key.upper(), operation
        elif key == _ANY:
            yield "ANY", operation


def _import_integration(resource: Any, method: str, integration: dict[str, Any]) -> None:
    kind = integration["type"].upper()
    made = resource.add_integration(
        method,
        kind,
        integration.get("uri", ""),
        integration_method=integration.get("httpMethod"),
        request_templates=integration.get("requestTemplates"),
        passthrough_behavior=integration.get("passthroughBehavior", "when_no_match").upper(),
        timeout_in_millis=integration.get("timeoutInMillis"),
        request_parameters=integration.get("requestParameters"),
        content_handling=integration.get("contentHandling"),
        credentials=integration.get("credentials"),
    )
    for pattern, response in integration.get("responses", {}).items():
        made.create_integration_response(
            response["statusCode"],
            "" if pattern == "default" else pattern,
            response.get("responseTemplates") or {},
            response.get("responseParameters") or {},
            response.get("contentHandling"),
        )
