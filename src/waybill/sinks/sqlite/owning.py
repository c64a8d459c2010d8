"""What records own: it lies beside them in the index of keys, and goes when they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.ports.sink import KEY_SEPARATOR
from waybill.sinks.sqlite.incoming import DELETES
from waybill.sinks.sqlite.names import quote

if TYPE_CHECKING:
    from waybill.model.entity import Entity, Partition
    from waybill.sinks.sqlite.incoming import Incoming
    from waybill.sinks.sqlite.target import Target

_AFTER_SEPARATOR: Final = chr(ord(KEY_SEPARATOR) + 1)


def takes_what_it_has(entity: Entity, incoming: Incoming) -> bool:
    """Whether some records may be deleted with an owner that is deleted in the same chunk."""
    partition = entity.partition
    if partition is None or not np.isin(incoming.operations, DELETES).any():
        return False
    kinds = np.array(incoming.text_of(partition.field).to_pylist(), dtype=object)
    deleted = set(kinds[np.isin(incoming.operations, DELETES)])
    owned = {kind for kind, owner in partition.owners.items() if owner in deleted}
    return not owned.isdisjoint(kinds)


def delete_owned(target: Target, owners: Incoming) -> int:
    """Delete what these records own; gives how many records that were."""
    partition = target.layout.entity.partition
    if partition is None:
        return 0
    before = target.db.total_changes()
    delete = f"DELETE FROM {target.name} WHERE {_is_owned(target, partition)}"  # noqa: S608 - quoted names
    target.db.executemany(delete, _ranges(target, partition, owners))
    return target.db.total_changes() - before


def find_owned(target: Target, owners: Incoming) -> set[int]:
    """The ``_id`` of everything that these records own."""
    partition = target.layout.entity.partition
    if partition is None:
        return set()
    find = f"SELECT _id FROM {target.name} WHERE {_is_owned(target, partition)}"  # noqa: S608 - quoted names
    rows = target.db.executemany(find, _ranges(target, partition, owners))
    return {number for (number,) in rows if isinstance(number, int)}


def _is_owned(target: Target, partition: Partition) -> str:
    """SQL: the record is of one kind and its key lies between two."""
    return f"_key >= ? AND _key < ? AND {quote(target.layout.columns[partition.field])} = ?"


def _ranges(target: Target, partition: Partition, owners: Incoming) -> list[tuple[str, str, str]]:
    """Where the keys of what is owned begin and end, and its kind."""
    width = target.layout.entity.key.index(partition.field)
    kinds = owners.text_of(partition.field).to_pylist()
    found = []
    for kind, key in zip(kinds, owners.keys.to_pylist(), strict=True):
        shared = KEY_SEPARATOR.join(str(key).split(KEY_SEPARATOR)[:width])
        found += [
            (shared + KEY_SEPARATOR, shared + _AFTER_SEPARATOR, owned)
            for owned in partition.owned_by(str(kind))
        ]
    return found
