"""What every process of an embedded server shares: SQLite, local disk, sockets under one folder."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

from waybill.blobs.local import LocalBlobs
from waybill.dispatch.embedded import EmbeddedDispatcher
from waybill.engine.catalogue import Catalogue
from waybill.errors import SettingsInvalid
from waybill.registry import load_sink_factory
from waybill.settings import DataDirectory, read_settings
from waybill.sinks.sqlite.sink import SqliteSink
from waybill.stores.sqlite.store import SqliteStore
from waybill.system import FilePresence, SystemClock, SystemIds
from waybill.validation.entity_files import load_bundles, load_entities
from waybill.validation.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from waybill.dispatch.embedded import Role
    from waybill.model.entity import Entity
    from waybill.model.settings import Settings
    from waybill.ports.sink import Sink
    from waybill.validation.sandbox import Sandbox

PEPPER: Final = "pepper"
"""Name of the key that hashes of secret fields are made with."""
SIGNING: Final = "signing"
"""Name of the key that links and access tokens are signed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """The opened parts; ``holder`` lives as long as this process."""

    directory: DataDirectory
    settings: Settings
    clock: SystemClock
    ids: SystemIds
    presence: FilePresence
    store: SqliteStore
    blobs: LocalBlobs
    dispatcher: EmbeddedDispatcher


@contextmanager
def open_embedded(root: Path, role: Role) -> Iterator[Embedded]:
    """Open a server's directory for one process; everything is closed at the end.

    Raises:
        SettingsInvalid: the folder was never made by ``waybill init``, or its settings are wrong.
    """
    directory = DataDirectory(root)
    if not directory.config.exists():
        raise SettingsInvalid(f"{root} is not a Waybill directory; make one: waybill init {root}")
    directory.make_folders()
    settings = read_settings(directory)
    clock = SystemClock()
    presence = FilePresence(root)
    store = SqliteStore(directory.jobs_database)
    dispatcher = EmbeddedDispatcher(root, role)
    try:
        yield Embedded(
            directory=directory,
            settings=settings,
            clock=clock,
            ids=SystemIds(clock),
            presence=presence,
            store=store,
            blobs=LocalBlobs(directory.blobs),
            dispatcher=dispatcher,
        )
    finally:
        dispatcher.close()
        store.close()
        presence.close()


def open_own_sandbox(parts: Embedded) -> Sandbox:
    """The engine that reads cells in this process."""
    return open_sandbox(
        memory_bytes=parts.settings.workers.check_memory_bytes,
        threads=1,
        temp_directory=parts.directory.scratch / parts.presence.holder,
    )


def load_catalogue(directory: DataDirectory) -> Catalogue:
    """The entities of a server's directory, each with its sink, and its bundles.

    Raises:
        SchemaInvalid: a descriptor is refused; names the file and the place.
        SettingsInvalid: an entity names a sink that is not installed.
    """
    entries = load_entities(directory.entities)
    bundles = load_bundles(directory.bundles, entries)
    names = {entry.entity.sink for entry in entries.values()}
    sinks = {name: open_sink(name, directory) for name in names | {""}}
    return Catalogue(entries=entries, bundles=bundles, sink_for=partial(_sink_of, sinks, directory))


def _sink_of(sinks: dict[str, Sink], directory: DataDirectory, entity: Entity) -> Sink:
    """The entity's sink; a job may have pinned one that no entity names any more."""
    if entity.sink not in sinks:
        sinks[entity.sink] = open_sink(entity.sink, directory)
    return sinks[entity.sink]


def open_sink(name: str, directory: DataDirectory) -> Sink:
    """The embedded sink, or the one that a team has installed under that name.

    Raises:
        SettingsInvalid: no such entry point.
    """
    if not name:
        return SqliteSink(directory.sinks)
    return load_sink_factory(name)({}, directory.sinks)


def read_pepper(directory: DataDirectory) -> str:
    """The key for hashes of secret fields, never shown.

    Raises:
        SettingsInvalid: it is gone; without it stored hashes match nothing.
    """
    try:
        return directory.secret(PEPPER).read_text(encoding="ascii")
    except FileNotFoundError:
        raise SettingsInvalid(
            f"the key {directory.secret(PEPPER)} is missing; restore it from a backup"
        ) from None


def read_signing_key(directory: DataDirectory) -> bytes:
    """The key for links and tokens; made anew where it is missing: then those given before end."""
    with suppress(FileExistsError):
        make_key(directory, SIGNING)
    return bytes.fromhex(directory.secret(SIGNING).read_text(encoding="ascii"))


def make_key(directory: DataDirectory, name: str) -> None:
    """Write a new key.

    Raises:
        FileExistsError: there is one.
    """
    with NamedTemporaryFile("w", dir=directory.secrets, encoding="ascii") as stream:  # mode 0600
        stream.write(secrets.token_hex(32))
        stream.flush()
        os.fsync(stream.fileno())
        os.link(stream.name, directory.secret(name))  # never seen half written
