"""The real clock, the real random source, and which processes of this host live."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
import weakref
from base64 import b32hexencode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from waybill.errors import StorageFull
from waybill.model.ids import HolderId, JobId

if TYPE_CHECKING:
    from waybill.ports.clock import Clock

RUN_FOLDER: Final = "run"
"""Folder under DIR for what lives only as long as a process."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_MONOTONIC: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SUFFIX: Final = ".lock"


class SystemClock:
    """The time of this host. See ``Clock``."""

    def now(self) -> datetime:
        """See ``Clock.now``."""
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        """See ``Clock.monotonic_seconds``; goes on while the host is suspended."""
        return time.clock_gettime(_MONOTONIC)

    @cached_property
    def boot_id(self) -> str:
        """See ``Clock.boot_id``; one constant where the system does not name its boots."""
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            return "unknown"

    def sleep(self, seconds: float) -> None:
        """See ``Clock.sleep``."""
        time.sleep(seconds)


class SystemIds:
    """Identifiers from the system's random source. See ``IdSource``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def job_id(self) -> JobId:
        """See ``IdSource.job_id``: 36 characters 0-9 a-v, by the millisecond in sorting order."""
        milliseconds = (self._clock.now() - _EPOCH) // timedelta(milliseconds=1)
        return JobId(_text(milliseconds.to_bytes(6, "big") + secrets.token_bytes(16)))

    def token(self) -> str:
        """See ``IdSource.token``."""
        return secrets.token_urlsafe(32)

    def random_bytes(self, count: int) -> bytes:
        """See ``IdSource.random_bytes``."""
        return secrets.token_bytes(count)

    def name(self, prefix: str) -> str:
        """See ``IdSource.name``: 26 characters 0-9 a-v after the prefix."""
        return prefix + _text(secrets.token_bytes(16))


def _text(data: bytes) -> str:
    """Base 32 with the digits first, so that texts sort as the bytes do."""
    return b32hexencode(data).decode("ascii").rstrip("=").lower()


class FilePresence:
    """This process's lock file under DIR/run, held until it ends. See ``Presence``.

    The system frees the lock with the process, however that dies. A fork's child gives its copy
    up and needs a presence of its own; a program that is started never inherits it.
    """

    def __init__(self, directory: Path) -> None:
        """Take a place under ``directory``/run, which is made where it is missing.

        Raises:
            StorageFull: the file cannot be made.
        """
        self._folder = directory / RUN_FOLDER
        self._holder = HolderId(f"{os.getpid()}-{_text(secrets.token_bytes(16))}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = self._take_place()
        except OSError as error:
            raise StorageFull(f"no lock file can be made in {self._folder}: {error}") from error
        _close_in_children(self)

    @property
    def holder(self) -> HolderId:
        """See ``Presence.holder``."""
        return self._holder

    def touch(self) -> None:
        """Give a sign of life: the lock file's time of change becomes now."""
        os.utime(self._descriptor)

    def is_gone(self, holder: HolderId) -> bool:
        """See ``Presence.is_gone``; clears away what a dead process left."""
        if holder == self._holder:
            return False
        path = self._path(holder)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            # Shared, so that two who ask at the same time do not take each other for the holder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Give the place up; safe to repeat."""
        if self._descriptor >= 0:
            self._path(self._holder).unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """Close this process's copy of the lock; the lock stays with its other copies."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def _take_place(self) -> int:
        """Lock the file before it gets its name, so that nobody ever sees it free."""
        unnamed = self._folder / f".{self._holder}"
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        descriptor = os.open(unnamed, flags, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(self._path(self._holder))
        return descriptor

    def _path(self, holder: HolderId) -> Path:
        return self._folder / f"{holder}{_SUFFIX}"


def _close_in_children(presence: FilePresence) -> None:
    reference = weakref.ref(presence)

    def forget() -> None:
        held = reference()
        if held is not None:
            held.forget()

    os.register_at_fork(after_in_child=forget)
