"""`awsglue.transforms`: the classes whose `apply` calls a DynamicFrame's method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

__all__ = [
    "ApplyMapping",
    "DropFields",
    "DropNullFields",
    "Filter",
    "Join",
    "Map",
    "Relationalize",
    "RenameField",
    "ResolveChoice",
    "SelectFields",
    "SelectFromCollection",
    "UnnestFrame",
]


class ApplyMapping:
    """Select, rename and cast fields."""

    @staticmethod
    def apply(frame: DynamicFrame, mappings: list[Any], **options: Any) -> DynamicFrame:
        """Return the mapped frame."""
        return frame.apply_mapping(mappings, **options)


class DropFields:
    """Leave fields out."""

    @staticmethod
    def apply(frame: DynamicFrame, paths: list[str], **options: Any) -> DynamicFrame:
        """Return the frame without the fields."""
        return frame.drop_fields(paths, **options)


class DropNullFields:
    """Leave out fields whose type is null."""

    @staticmethod
    def apply(frame: DynamicFrame, **_: Any) -> DynamicFrame:
        """Return the frame without them."""
        return frame.drop_nulls()


class Filter:
    """Keep rows."""

    @staticmethod
    def apply(frame: DynamicFrame, f: Any, **options: Any) -> DynamicFrame:
        """Return the rows for which `f` is true."""
        return frame.filter(f, **options)


class Join:
    """Join two frames."""

    @staticmethod
    def apply(
        frame1: DynamicFrame, frame2: DynamicFrame, keys1: Any, keys2: Any, **options: Any
    ) -> DynamicFrame:
        """Return the rows of both with equal keys."""
        first = [keys1] if isinstance(keys1, str) else list(keys1)
        second = [keys2] if isinstance(keys2, str) else list(keys2)
        return frame1.join(first, second, frame2, **options)


class Map:
    """Change rows."""

    @staticmethod
    def apply(frame: DynamicFrame, f: Any, **options: Any) -> DynamicFrame:
        """Return what `f` makes of each row."""
        return frame.map(f, **options)


class Relationalize:
    """Make nested data flat."""

    @staticmethod
    def apply(
        frame: DynamicFrame, staging_path: str | None = None, name: str = "roottable", **options: Any
    ) -> DynamicFrameCollection:
        """Return the tables by name."""
        collection: DynamicFrameCollection = frame.relationalize(name, staging_path, **options)
        return collection


class RenameField:
    """Rename a field."""

    @staticmethod
    def apply(frame: DynamicFrame, old_name: str, new_name: str, **options: Any) -> DynamicFrame:
        """Return the frame with the new name."""
        return frame.rename_field(old_name, new_name, **options)


class ResolveChoice:
    """Cast fields."""

    @staticmethod
    def apply(
        frame: DynamicFrame, specs: list[Any] | None = None, choice: str = "", **options: Any
    ) -> DynamicFrame:
        """Return the frame with the fields cast."""
        return frame.resolveChoice(specs, choice, **options)


class SelectFields:
    """Keep fields."""

    @staticmethod
    def apply(frame: DynamicFrame, paths: list[str], **options: Any) -> DynamicFrame:
        """Return the frame with only these fields."""
        return frame.select_fields(paths, **options)


class SelectFromCollection:
    """Pick a frame."""

    @staticmethod
    def apply(dfc: DynamicFrameCollection, key: str, **_: Any) -> DynamicFrame:
        """Return the frame of that name."""
        return dfc.select(key)


class UnnestFrame:
    """Flatten structs."""

    @staticmethod
    def apply(frame: DynamicFrame, **options: Any) -> DynamicFrame:
        """Return the frame with structs as columns."""
        return frame.unnest(**options)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotImplementedError(f"awsglue.transforms.{name} is not part of the local awsglue")
