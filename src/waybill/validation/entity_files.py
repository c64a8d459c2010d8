"""The entities and bundles of a server: one descriptor file each, read at start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import yaml

from waybill.errors import SchemaInvalid
from waybill.model import strict_json
from waybill.validation.bundle_descriptor import parse_bundle
from waybill.validation.descriptor import NAME, parse_descriptor
from waybill.validation.descriptor_writes import names_written
from waybill.validation.node import did_you_mean, refusal
from waybill.validation.pinned import parse_entities, pin_bundle, pin_entity

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    from waybill.model.bundle import Bundle
    from waybill.model.entity import Entity

SUFFIXES: Final = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedEntity:
    """An entity, its descriptor as read, and what a job of it pins (``validation/pinned.py``)."""

    entity: Entity
    descriptor: Mapping[str, object]
    pinned: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBundle:
    """A bundle, and what a job of it pins: its descriptor and those of its entities."""

    bundle: Bundle
    pinned: str


def load_entities(directory: Path) -> Mapping[str, LoadedEntity]:
    """Every entity described in ``directory`` (``NAME.json``, ``.yaml``, ``.yml``), by name.

    Other files are passed over.

    Raises:
        SchemaInvalid: names the file, the place in it and the reason.
    """
    loaded: dict[str, LoadedEntity] = {}
    for path in _descriptor_files(directory):
        one = load_entity(path)
        if one.entity.name in loaded:
            raise SchemaInvalid(f"{path.name}: the entity {one.entity.name!r} is described twice")
        loaded[one.entity.name] = one
    for one in loaded.values():
        _check_references(one.entity, loaded)
    return loaded


def load_bundles(
    directory: Path, entities: Mapping[str, LoadedEntity]
) -> Mapping[str, LoadedBundle]:
    """Every bundle of these entities described in ``directory``, by name; files as above.

    Raises:
        SchemaInvalid: names the file, the place in it and the reason.
    """
    loaded: dict[str, LoadedBundle] = {}
    for path in _descriptor_files(directory):
        name = path.stem
        if name in loaded:
            raise SchemaInvalid(f"{path.name}: the bundle {name!r} is described twice")
        if name in entities:
            raise SchemaInvalid(f"{path.name}: there is an entity {name!r} already")
        loaded[name] = _load_bundle(path, entities)
    return loaded


def _load_bundle(path: Path, entities: Mapping[str, LoadedEntity]) -> LoadedBundle:
    known = {name: entry.entity for name, entry in entities.items()}
    try:
        descriptor = _read(path)
        bundle = parse_bundle(descriptor, name=path.stem, entities=known)
        used = {
            name: entities[name].descriptor
            for entity in bundle.entities
            for name in (entity.name, *(part.entity.name for part in entity.parts))
        }
        pinned = pin_bundle(descriptor, used)
    except SchemaInvalid as error:
        raise _in_file(path, error) from error
    return LoadedBundle(bundle=bundle, pinned=pinned)


def load_entity(path: Path, *, name: str | None = None) -> LoadedEntity:
    """The entity that one file describes; ``name``: the file's without suffix unless given.

    The entities that it writes are described beside it.

    Raises:
        SchemaInvalid: names the file, the place in it and the reason.
    """
    name = path.stem if name is None else name
    try:
        if not NAME.fullmatch(name):
            raise refusal("", f"{name!r} is no name for an entity: {NAME.pattern}")
        descriptor = _read(path)
        stored = {each: _read_beside(path, each) for each in names_written(descriptor)}
        entity = parse_descriptor(descriptor, name=name, stored=parse_entities(stored))
        pinned = pin_entity(descriptor, stored)
    except SchemaInvalid as error:
        raise _in_file(path, error) from error
    return LoadedEntity(entity=entity, descriptor=descriptor, pinned=pinned)


def _descriptor_files(directory: Path) -> list[Path]:
    found = sorted(directory.iterdir()) if directory.is_dir() else []
    return [path for path in found if path.suffix in SUFFIXES and path.is_file()]


def _read_beside(path: Path, name: str) -> Mapping[str, object]:
    """The descriptor of another entity in the same folder."""
    for other in _descriptor_files(path.parent):
        if other.stem == name and other != path:
            return _read(other)
    near = did_you_mean(name, [other.stem for other in _descriptor_files(path.parent)])
    raise refusal("/waybill/writes", f"there is no entity {name!r}{near}")


def _read(path: Path) -> dict[str, object]:
    try:
        data = path.read_bytes()
        if path.suffix == ".json":
            return _object(strict_json.decode(data))
        return _object(msgspec.json.decode(msgspec.json.encode(yaml.load(data, _UniqueKeys))))  # noqa: S506 - a SafeLoader
    except (ValueError, TypeError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise refusal("", f"cannot be read: {reason}") from error
    except OSError as error:
        raise refusal("", f"cannot be read: {error.strerror}") from error


class _UniqueKeys(yaml.SafeLoader):
    """YAML whose mappings name each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as the library calls it
        """The mapping; a key that stands twice is an error with its line."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"the key {key.value!r} stands twice, again in line {line}")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise refusal("", "must be an object")
    return {str(key): each for key, each in value.items()}


def _in_file(path: Path, error: SchemaInvalid) -> SchemaInvalid:
    return SchemaInvalid(f"{path.name}: {error.message}", pointer=error.pointer, code=error.code)


def _check_references(entity: Entity, known: Mapping[str, LoadedEntity]) -> None:
    """Foreign keys lead to fields of known entities."""
    for index, key in enumerate(entity.foreign_keys):
        pointer = f"/foreignKeys/{index}"
        if key.reference_entity:
            place = f"{pointer}/reference"
            _check_reference(entity, known, place, key.reference_entity, key.reference_fields)
        for at, (name, fields) in enumerate(key.alternatives):
            _check_reference(entity, known, f"{pointer}/waybill/or/{at}", name, fields)


def _check_reference(
    entity: Entity,
    known: Mapping[str, LoadedEntity],
    pointer: str,
    name: str,
    fields: tuple[str, ...],
) -> None:
    target = known.get(name)
    if target is None:
        reason = f"there is no entity {name!r}{did_you_mean(name, known)}"
        raise refusal(f"{pointer}/resource", f"{entity.name}: {reason}")
    if target.entity.parts:
        reason = f"records of {name} are stored in the entities that it writes"
        raise refusal(f"{pointer}/resource", f"{entity.name}: {reason}")
    names = {field.name for field in target.entity.fields}
    for field in fields:
        if field not in names:
            reason = f"{name} has no field {field!r}{did_you_mean(field, names)}"
            raise refusal(f"{pointer}/fields", f"{entity.name}: {reason}")
