"""The ports that reports and downloads are made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from waybill.model.entity import Entity
    from waybill.ports.blobs import Blobs
    from waybill.ports.clock import Clock, IdSource
    from waybill.ports.job_store import JobStore
    from waybill.ports.reader import OpenReader
    from waybill.ports.sink import Sink
    from waybill.validation.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportParts:
    """The ports that downloads need.

    ``scratch``: a local folder for files being made. ``sandbox``: where cells are typed, opened
    when it is first asked for.
    """

    store: JobStore
    blobs: Blobs
    sink_for: Callable[[Entity], Sink]
    open_reader: OpenReader
    clock: Clock
    ids: IdSource
    scratch: Path
    sandbox: Callable[[], Sandbox]
