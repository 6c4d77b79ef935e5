"""What every resource type is: properties in, calls to the service's own API, an identifier out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

Clients = Callable[[str], Any]
"""Gives the boto3 client of a service, in the stack's account and region."""

Properties = Mapping[str, Any]

TYPES: dict[str, ResourceType] = {}
"""Every supported type by its name, such as `AWS::SNS::Topic`."""


class UnsupportedError(Exception):
    """The template asks for something that is not executed here."""


class ResourceType:
    """One type of resource; a subclass registers itself by its `type`.

    Attributes:
        type: CloudFormation's name of it.
        name_property: the property that names the resource, or "" for a type without one.
        accepts: every property that is applied; another one fails the stack.
        replaces: a change of one of these makes a new resource; the name is always one of them.
        import_identifier: what identifies one that is imported, or "" for a type that is not.
    """

    type: ClassVar[str]
    name_property: ClassVar[str] = ""
    accepts: ClassVar[frozenset[str]] = frozenset()
    replaces: ClassVar[frozenset[str]] = frozenset()
    import_identifier: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "type"):
            TYPES[cls.type] = cls()

    def check(self, properties: Properties) -> None:
        """Raise UnsupportedError for a property that is not executed here."""
        if unknown := sorted(set(properties) - self.accepts - {self.name_property}):
            raise UnsupportedError(
                f"Encountered unsupported property {', '.join(unknown)} of {self.type}; here it takes "
                f"{', '.join(sorted((self.accepts | {self.name_property}) - {''}))}"
            )

    def needs_replacement(self, before: Properties, after: Properties) -> bool:
        """Return whether the change is one that AWS answers with a new resource."""
        return any(
            before.get(name) != after.get(name) for name in (*self.replaces, self.name_property) if name
        )

    def create(self, aws: Clients, name: str, properties: Properties) -> str:
        """Make the resource, called `name` when it has a name, and return its physical id."""
        raise NotImplementedError

    def settle(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Give the resource that was just made what its making could not; a failure deletes it again."""

    def identifier(self, aws: Clients, name: str, properties: Properties) -> str:  # noqa: ARG002 - some types ask
        """Return the physical id of the resource of this name, or "" for a type without names."""
        return name if self.name_property else ""

    def update(self, aws: Clients, identifier: str, properties: Properties, before: Properties) -> None:
        """Bring the resource from the properties `before` to `properties`."""
        raise NotImplementedError

    def delete(self, aws: Clients, identifier: str, properties: Properties) -> None:
        """Delete the resource; one that is already gone may raise the service's not-found error."""
        raise NotImplementedError

    def exists(self, aws: Clients, identifier: str) -> bool:
        """Tell whether there is a resource to import; the service's refusal is why there is not."""
        raise NotImplementedError

    def not_found(self, identifier: str) -> str:
        """Return how AWS says that there is none."""
        return f"Resource of type '{self.type}' with identifier '{identifier}' was not found."

    def attributes(
        self,
        aws: Clients,  # noqa: ARG002 - the types that have attributes use them
        identifier: str,  # noqa: ARG002
        properties: Properties,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return what `Fn::GetAtt` can give."""
        return {}


def picked(properties: Properties, *names: str) -> dict[str, Any]:
    """Return the given ones of these properties."""
    return {name: properties[name] for name in names if name in properties}


def tags(properties: Properties, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return the property Tags as a service wants it."""
    return [{key: each["Key"], value: str(each["Value"])} for each in properties.get("Tags", [])]


def tag_map(properties: Properties) -> dict[str, str]:
    """Return the property Tags as a dict, whichever way the template writes it."""
    found = properties.get("Tags", {})
    if isinstance(found, Mapping):
        return dict(found)
    return {each["Key"]: str(each["Value"]) for each in found}


def tagged(kind: ResourceType, properties: Properties, stack_tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties with the stack's tags, where the type takes tags and has no own of the name."""
    if not stack_tags or "Tags" not in kind.accepts:
        return dict(properties)
    own = tag_map(properties)
    merged = [{"Key": key, "Value": value} for key, value in {**stack_tags, **own}.items()]
    return {**properties, "Tags": merged}
