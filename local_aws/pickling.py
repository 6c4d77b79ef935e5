"""How the objects of moto's services become bytes and back."""

from __future__ import annotations

import copyreg
import hashlib
import importlib
import io
import operator
import pickle
import threading
from types import FunctionType
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto import backends
from moto.core.base_backend import BaseBackend
from moto.logs.models import LogEvent, LogStream
from moto.ssm.models import ParameterDict

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)

BLOB_SIZE = 64 * 1024  # larger bytes and strings, such as a function's zip, are stored once and apart


class UnsavableStateError(RuntimeError):
    """A service holds something that cannot be written to disk."""


class Blobs:
    """Large values, named by their content, so that a save doesn't write them again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._used: set[str] = set()
        self._names: dict[int, tuple[bytes | str, str]] = {}  # holding the value keeps its id its own
        directory.mkdir(exist_ok=True)

    def keep(self, value: bytes | str) -> str:
        """Write `value` unless it is there, and return its name."""
        known = self._names.get(id(value))
        if known:
            return known[1]
        content = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        name = f"{hashlib.sha256(content).hexdigest()}.{'bytes' if isinstance(value, bytes) else 'text'}"
        path = self._directory / name
        if not path.exists():
            new = path.with_suffix(".new")
            new.write_bytes(content)
            new.replace(path)
        self._names[id(value)] = (value, name)
        return name

    def read(self, name: str) -> bytes | str:
        """Return the value named `name`."""
        content = (self._directory / name).read_bytes()
        value = content if name.endswith(".bytes") else content.decode("utf-8", "surrogatepass")
        self._used.add(name)
        self._names[id(value)] = (value, name)
        return value

    def sweep(self) -> None:
        """Delete every value that nothing restored has asked for."""
        for path in self._directory.iterdir():
            if path.name not in self._used:
                path.unlink()


def dump(state: Any, blobs: Blobs, *, attempts: int) -> bytes:
    """Return `state` as bytes.

    Raises:
        UnsavableStateError: something in it cannot be pickled, or it never kept still.
    """
    for _ in range(attempts):
        target = io.BytesIO()
        try:
            _Pickler(target, blobs).dump(state)
        except RuntimeError as error:
            if "during iteration" not in str(error):  # another thread changed a dict or set: try again
                raise
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            raise UnsavableStateError(f"this state cannot be saved: {error}") from error
        else:
            return target.getvalue()
    raise UnsavableStateError(f"the state changed during each of {attempts} attempts to save it")


def load(content: bytes, blobs: Blobs) -> Any:
    """Return what `dump` was given."""
    return _Unpickler(io.BytesIO(content), blobs).load()


def _packed(stream: LogStream) -> tuple[Any, ...]:
    """Pickle a stream's events as one value: `persistent_id` for each part takes seven times as long."""
    events = pickle.dumps([vars(event) for event in list(stream.events)])
    # A bytearray is never a blob: one would stay on disk for each save.
    state = {**vars(stream), "events": bytearray(events)}
    return LogStream.__new__, (LogStream,), state, None, None, _unpack


def _unpack(stream: LogStream, state: dict[str, Any]) -> None:
    vars(stream).update(state)
    stream.events = []
    for attributes in pickle.loads(state["events"]):  # nosec B301  # noqa: S301 - we wrote it
        event = LogEvent.__new__(LogEvent)
        vars(event).update(attributes)
        stream.events.append(event)


def _private_key(key: Any) -> tuple[Any, ...]:
    """Pickle a key of KMS as PKCS #8: the object itself belongs to OpenSSL."""
    content = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _read_private_key, (content,)


def _read_private_key(content: bytes) -> Any:
    return serialization.load_der_private_key(content, None)


RENEWED: dict[Any, Any] = {
    LogStream: _packed,
    threading.Condition: lambda _: (threading.Condition, ()),
    threading.Event: lambda _: (threading.Event, ()),
    type(threading.Lock()): lambda _: (threading.Lock, ()),
    type(threading.RLock()): lambda _: (threading.RLock, ()),
    # A defaultdict is made again from its factory alone, but this one's constructor takes two names.
    ParameterDict: lambda each: (
        ParameterDict,
        (each.account_id, each.region_name),
        vars(each),
        None,
        iter(list(dict.items(each))),
    ),
}


class _Pickler(pickle.Pickler):
    """Names backends, lambdas and large values instead of writing them, and renews locks."""

    def __init__(self, target: io.BytesIO, blobs: Blobs) -> None:
        super().__init__(target, protocol=pickle.HIGHEST_PROTOCOL)
        self.dispatch_table = {**copyreg.dispatch_table, **RENEWED}
        self._blobs = blobs

    def reducer_override(self, value: Any) -> Any:
        return _private_key(value) if isinstance(value, PRIVATE_KEYS) else NotImplemented

    def persistent_id(self, value: Any) -> Any:
        kind = type(value)
        if kind is bytes or kind is str:
            return ("blob", self._blobs.keep(value)) if len(value) > BLOB_SIZE else None
        if isinstance(value, BaseBackend):
            return "backend", service_of(kind), value.account_id, value.region_name
        if kind is FunctionType and "<lambda>" in value.__qualname__:
            return "lambda", value.__module__, _checked(value)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, source: io.BytesIO, blobs: Blobs) -> None:
        super().__init__(source)
        self._blobs = blobs

    def persistent_load(self, reference: Any) -> Any:
        if reference[0] == "blob":
            return self._blobs.read(reference[1])
        if reference[0] == "lambda":
            return _lambda(*reference[1:])
        _, service, account, region = reference
        return backends.get_backend(service)[account][region]


def _checked(value: FunctionType) -> str:
    if _lambda(value.__module__, value.__qualname__).__code__ is not value.__code__ or value.__closure__:
        raise UnsavableStateError(f"the lambda {value.__qualname__} cannot be found again by its name")
    return value.__qualname__


def _lambda(module: str, name: str) -> FunctionType:
    """Return the lambda that a method of `module` makes: moto's defaultdicts hold such."""
    scope = importlib.import_module(module)
    outer = operator.attrgetter(name.partition(".<locals>")[0])(scope)
    codes = [each for each in outer.__code__.co_consts if getattr(each, "co_qualname", "") == name]
    if len(codes) != 1:
        raise UnsavableStateError(f"{len(codes)} lambdas are named {name}")
    return FunctionType(codes[0], vars(scope))


def service_of(kind: type) -> str:
    """Return moto's package of a backend or response class: ours have moto's among their bases."""
    modules = (base.__module__.split(".") for base in kind.__mro__)
    return next(parts[1] for parts in modules if parts[0] == "moto" and parts[1] != "core")
