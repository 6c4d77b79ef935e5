"""Redshift Serverless: namespaces and workgroups that stand for the local warehouse."""

from __future__ import annotations

import json
import re
import threading
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local_aws.dispatcher import WITHOUT_MOTO
from local_aws.runtime import ACCOUNT, REGION
from local_aws.services.redshift import administration
from local_aws.services.redshift.defaults import DATABASE, LOOPBACK, MASTER_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from local_aws.runtime import Runtime

TARGET = "RedshiftServerless."
SHORTEST, LONGEST = 900, 3600

NAMESPACE_NOTES = ("defaultIamRoleArn", "kmsKeyId", "logExports")
WORKGROUP_NOTES = (
    "configParameters",
    "enhancedVpcRouting",
    "maxCapacity",
    "port",
    "securityGroupIds",
    "subnetIds",
)
"""What is kept and shown, and changes nothing here."""

# moto has no such service, so its requests are answered before they reach moto.
_stores: list[Store] = []


class ServerlessError(Exception):
    """An answer with an error code of AWS."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Store:
    """Namespaces and workgroups, written to disk before they are acknowledged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.namespaces: dict[str, dict[str, Any]] = {}
        self.workgroups: dict[str, dict[str, Any]] = {}
        self.limits: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        if path.exists():
            kept = json.loads(path.read_text())
            self.namespaces, self.workgroups = kept["namespaces"], kept["workgroups"]
            self.limits, self.tags = kept.get("limits", {}), kept.get("tags", {})

    def add(self, kind: str, name: str, made: dict[str, Any]) -> None:
        """Keep a new one."""
        with self._lock:
            known: dict[str, Any] = getattr(self, kind)
            if name in known:
                raise ServerlessError("ConflictException", f"{name} already exists")
            known[name] = made
            self._save()

    def remove(self, kind: str, name: str) -> dict[str, Any]:
        """Forget one and return it."""
        with self._lock:
            gone: dict[str, Any] | None = getattr(self, kind).pop(name, None)
            self._save()
        if gone is None:
            raise ServerlessError("ResourceNotFoundException", f"{name} does not exist")
        return gone

    def change(self, kind: str, name: str, changes: dict[str, Any]) -> dict[str, Any]:
        """Change one and return it."""
        found = self.get(kind, name)
        with self._lock:
            found.update(changes)
            self._save()
        return found

    def tag(self, arn: str, tags: Iterable[dict[str, str]], without: Iterable[str] = ()) -> None:
        """Give a namespace or workgroup tags, and take others from it."""
        with self._lock:
            kept = {key: value for key, value in self.tags.get(arn, {}).items() if key not in set(without)}
            self.tags[arn] = kept | {each["key"]: each["value"] for each in tags}
            self._save()

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return one."""
        found: dict[str, Any] | None = getattr(self, kind).get(name)
        if found is None:
            raise ServerlessError("ResourceNotFoundException", f"{name} does not exist")
        return found

    def _save(self) -> None:
        unfinished = self._path.with_name(self._path.name + ".new")
        kinds = ("namespaces", "workgroups", "limits", "tags")
        kept = {kind: getattr(self, kind) for kind in kinds}
        unfinished.write_text(json.dumps(kept))
        unfinished.replace(self._path)


def workgroup_database(name: str) -> str | None:
    """Return the database of a workgroup's namespace, or None when there is no such workgroup."""
    store = _stores[0]
    workgroup = store.workgroups.get(name)
    return str(store.namespaces[workgroup["namespaceName"]]["dbName"]) if workgroup else None


def install(runtime: Runtime) -> None:
    """Answer Redshift Serverless's requests."""
    _stores[:] = [Store(runtime.path("warehouse", "serverless.json"))]
    runtime.wrap(_Serverless)
    WITHOUT_MOTO[TARGET] = answer


class _Serverless:
    """Answers what is meant for Redshift Serverless and passes every other request on."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(TARGET):
            return self._application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, headers, payload = answer(target.removeprefix(TARGET), body)
        start_response(f"{status} {'OK' if status == HTTPStatus.OK else 'Error'}", list(headers.items()))
        return [payload]


def answer(action: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body that answer an action."""
    try:
        status, found = int(HTTPStatus.OK), _answered(action, json.loads(body or b"{}"))
    except ServerlessError as error:
        status, found = error.status, {"__type": error.code, "message": str(error)}
    payload = json.dumps(found).encode()
    return (
        status,
        {"Content-Type": "application/x-amz-json-1.1", "Content-Length": str(len(payload))},
        payload,
    )


def _answered(action: str, given: dict[str, Any]) -> dict[str, Any]:
    found = _ACTIONS.get(action)
    if found is None:
        raise ServerlessError(
            "NotImplementedException", f"{action} is not supported by the local warehouse", 501
        )
    return found(given, _stores[0])


def _named(given: dict[str, Any], field: str) -> str:
    name = given.get(field, "")
    if not re.fullmatch(r"[a-z0-9-]{3,64}", name):
        raise ServerlessError(
            "ValidationException", f"{field} must be 3 to 64 of a-z, 0-9 and -, not {name!r}"
        )
    return str(name)


def _create_namespace(given: dict[str, Any], store: Store) -> dict[str, Any]:
    name = _named(given, "namespaceName")
    identity = str(uuid.uuid4())
    made = {
        "namespaceName": name,
        "namespaceId": identity,
        "namespaceArn": f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:namespace/{identity}",
        "adminUsername": given.get("adminUsername", MASTER_USER),
        "dbName": given.get("dbName", DATABASE),
        "iamRoles": given.get("iamRoles", []),
        **{name: given[name] for name in NAMESPACE_NOTES if name in given},
        "status": "AVAILABLE",
        "creationDate": _now(),
    }
    administration.ensure_database(made["dbName"])
    administration.ensure_user(made["adminUsername"], given.get("adminUserPassword"), superuser=True)
    store.add("namespaces", name, made)
    store.tag(made["namespaceArn"], given.get("tags", []))
    return {"namespace": made}


def _delete_namespace(given: dict[str, Any], store: Store) -> dict[str, Any]:
    name = _named(given, "namespaceName")
    if any(one["namespaceName"] == name for one in store.workgroups.values()):
        raise ServerlessError("ConflictException", f"{name} has a workgroup: delete that first")
    return {"namespace": store.remove("namespaces", name)}


def _create_workgroup(given: dict[str, Any], store: Store) -> dict[str, Any]:
    name = _named(given, "workgroupName")
    namespace = store.get("namespaces", _named(given, "namespaceName"))
    identity = str(uuid.uuid4())
    made = {
        "workgroupName": name,
        "workgroupId": identity,
        "workgroupArn": f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{identity}",
        "namespaceName": namespace["namespaceName"],
        "baseCapacity": given.get("baseCapacity", 128),
        "publiclyAccessible": given.get("publiclyAccessible", False),
        **{name: given[name] for name in WORKGROUP_NOTES if name in given},
        "status": "AVAILABLE",
        "creationDate": _now(),
    }
    store.add("workgroups", name, made)
    store.tag(made["workgroupArn"], given.get("tags", []))
    return {"workgroup": _with_endpoint(made)}


def _update_namespace(given: dict[str, Any], store: Store) -> dict[str, Any]:
    name = _named(given, "namespaceName")
    user = given.get("adminUsername", store.get("namespaces", name)["adminUsername"])
    if "adminUserPassword" in given:
        administration.ensure_user(user, given["adminUserPassword"], superuser=True)
    notes = {note: given[note] for note in (*NAMESPACE_NOTES, "iamRoles") if note in given}
    return {"namespace": store.change("namespaces", name, {**notes, "adminUsername": user})}


def _update_workgroup(given: dict[str, Any], store: Store) -> dict[str, Any]:
    names = (*WORKGROUP_NOTES, "baseCapacity", "publiclyAccessible")
    notes = {name: given[name] for name in names if name in given}
    return {"workgroup": _with_endpoint(store.change("workgroups", _named(given, "workgroupName"), notes))}


def _delete_workgroup(given: dict[str, Any], store: Store) -> dict[str, Any]:
    gone = store.remove("workgroups", _named(given, "workgroupName"))
    for limit in [each for each in store.limits.values() if each["resourceArn"] == gone["workgroupArn"]]:
        store.remove("limits", limit["usageLimitId"])
    return {"workgroup": gone}


def _tags(given: dict[str, Any], store: Store) -> dict[str, Any]:
    return {"tags": [{"key": k, "value": v} for k, v in store.tags.get(given["resourceArn"], {}).items()]}


def _tag(given: dict[str, Any], store: Store) -> dict[str, Any]:
    store.tag(given["resourceArn"], given.get("tags", []), given.get("tagKeys", []))
    return {}


def _create_usage_limit(given: dict[str, Any], store: Store) -> dict[str, Any]:
    if all(one["workgroupArn"] != given["resourceArn"] for one in store.workgroups.values()):
        raise ServerlessError("ResourceNotFoundException", f"{given['resourceArn']} does not exist")
    identity = str(uuid.uuid4())
    made = {
        "usageLimitId": identity,
        "usageLimitArn": f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:usagelimit/{identity}",
        "breachAction": "log",
        "period": "monthly",
        **given,
    }
    store.add("limits", identity, made)
    return {"usageLimit": made}


def _list_usage_limits(given: dict[str, Any], store: Store) -> dict[str, Any]:
    wanted = {name: given[name] for name in ("resourceArn", "usageType") if name in given}
    return {"usageLimits": [each for each in store.limits.values() if wanted.items() <= each.items()]}


def _update_usage_limit(given: dict[str, Any], store: Store) -> dict[str, Any]:
    changes = {name: value for name, value in given.items() if name in {"amount", "breachAction"}}
    return {"usageLimit": store.change("limits", given["usageLimitId"], changes)}


def _get_credentials(given: dict[str, Any], store: Store) -> dict[str, Any]:
    store.get("workgroups", _named(given, "workgroupName"))
    seconds = given.get("durationSeconds", SHORTEST)
    if not SHORTEST <= seconds <= LONGEST:
        raise ServerlessError("ValidationException", "durationSeconds must be between 900 and 3600")
    user = "iamr:local"
    administration.ensure_user(user, None, superuser=True)
    password, ends = administration.passwords().issue(user, seconds)
    return {"dbUser": user, "dbPassword": password, "expiration": ends, "nextRefreshTime": ends - seconds / 2}


def _with_endpoint(workgroup: dict[str, Any]) -> dict[str, Any]:
    return workgroup | {"endpoint": {"address": LOOPBACK, "port": administration.port()}}


def _now() -> str:
    return datetime.now(UTC).isoformat()


_ACTIONS: dict[str, Callable[[dict[str, Any], Store], dict[str, Any]]] = {
    "CreateNamespace": _create_namespace,
    "GetNamespace": lambda given, store: {
        "namespace": store.get("namespaces", _named(given, "namespaceName"))
    },
    "ListNamespaces": lambda _, store: {"namespaces": list(store.namespaces.values())},
    "DeleteNamespace": _delete_namespace,
    "CreateWorkgroup": _create_workgroup,
    "GetWorkgroup": lambda given, store: {
        "workgroup": _with_endpoint(store.get("workgroups", _named(given, "workgroupName")))
    },
    "ListWorkgroups": lambda _, store: {
        "workgroups": [_with_endpoint(one) for one in store.workgroups.values()]
    },
    "DeleteWorkgroup": _delete_workgroup,
    "UpdateNamespace": _update_namespace,
    "UpdateWorkgroup": _update_workgroup,
    "CreateUsageLimit": _create_usage_limit,
    "ListUsageLimits": _list_usage_limits,
    "UpdateUsageLimit": _update_usage_limit,
    "DeleteUsageLimit": lambda given, store: {"usageLimit": store.remove("limits", given["usageLimitId"])},
    "ListTagsForResource": _tags,
    "TagResource": _tag,
    "UntagResource": _tag,
    "GetCredentials": _get_credentials,
}
