"""Time and identifiers, handed in so that tests own them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from waybill.model.ids import HolderId, JobId


class Clock(Protocol):
    """The time of day, and a monotonic one that survives changes of the first."""

    def now(self) -> datetime:
        """Current time, aware, UTC."""

    def monotonic_seconds(self) -> float:
        """Seconds since the host started; the same origin in all its processes, never falls."""

    @property
    def boot_id(self) -> str:
        """Names the host's current boot; monotonic times of two boots do not compare."""

    def sleep(self, seconds: float) -> None:
        """Block this thread."""


class IdSource(Protocol):
    """New identifiers and secrets, from the system's random source."""

    def job_id(self) -> JobId:
        """A new id: 128 random bits, sortable by time."""

    def token(self) -> str:
        """A new secret of 256 random bits, safe in headers and URLs."""

    def random_bytes(self, count: int) -> bytes:
        """So many random bytes, for ids in the form of a dialect."""

    def name(self, prefix: str) -> str:
        """A new unguessable name that begins with ``prefix``, for blobs, holders, credentials."""


class Presence(Protocol):
    """Which processes live: each holds an OS lock that ends with it."""

    @property
    def holder(self) -> HolderId:
        """This process."""

    def is_gone(self, holder: HolderId) -> bool:
        """Whether that process is certainly dead; ``False`` when in doubt."""
