"""What parent and child say to each other: one task in, frames out, each with its length."""

from __future__ import annotations

import struct
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from waybill.model.limits import Limits

if TYPE_CHECKING:
    from typing import BinaryIO

FRAME_BYTES: Final = 256 * 1024 * 1024
"""No frame is larger; a batch of rows is far smaller."""

LINE: Final = "line"
"""The column of a batch that has the line of each row."""

_HEAD: Final = struct.Struct(">BI")
_CONSUMED: Final = struct.Struct(">Q")


class Job(StrEnum):
    """What the child is to do."""

    INSPECT = "inspect"
    UNPACK = "unpack"
    WORKBOOK = "workbook"
    XML = "xml"
    PARQUET = "parquet"


class FrameKind(IntEnum):
    """What a frame holds."""

    HEADER = 1
    BATCH = 2
    DATA = 3
    REFUSAL = 4
    GREW = 5
    END = 6


class Frame(NamedTuple):
    """One frame; ``payload`` is JSON, an Arrow stream or bytes, as ``kind`` says."""

    kind: FrameKind
    payload: bytes


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the child reads on its standard input, as one line of JSON.

    ``known_columns``: the columns that an earlier reading has found; with ``collects_names`` the
    header is all that is wanted, and names every column there is. ``batch_rows``: most rows of
    one batch.
    """

    job: Job
    path: str
    stored_bytes: int
    limits: Limits
    scratch: str
    encoding: str = ""
    records_path: str = ""
    sheet: str = ""
    header_row: int = 0
    has_header: bool = True
    column_names: tuple[str, ...] = ()
    array_columns: tuple[str, ...] = ()
    known_columns: tuple[str, ...] = ()
    collects_names: bool = False
    batch_rows: int = 8_192


class Archive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a zip file is. ``member``: the only file in it, empty for a workbook."""

    is_workbook: bool
    member: str = ""


class Warned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A warning about the file, by its code."""

    code: str
    count: int = 1
    parameters: dict[str, str | int] = {}


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The header of a table.

    ``steps``: of XML, what leads from a record's element to each column. ``is_complete``: no later
    record brings another column. ``line``: where the names stand.
    """

    names: tuple[str, ...]
    facts: dict[str, str | int | float | bool]
    steps: tuple[str, ...] = ()
    is_typed: bool = True
    is_complete: bool = True
    line: int | None = None
    first_column: int = 0
    warnings: tuple[Warned, ...] = ()


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record that cannot become a row, by the code of its finding.

    ``record`` counts from 0 in its batch. ``column`` from 1, ``None`` for the record as a whole.
    """

    record: int
    line: int
    code: str
    cells: tuple[str | None, ...] = ()
    column: int | None = None
    value: str | None = None
    parameters: dict[str, str | int] = {}


class BatchFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes with the rows of a batch. ``input_bytes``: of the stored file, consumed so far."""

    records: int
    input_bytes: int
    faults: tuple[Fault, ...] = ()


class Refusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the file cannot be read on: an error of ours, or one of the child's own."""

    code: str
    message: str
    line: int | None = None
    byte: int | None = None


def data_payload(consumed: int, piece: bytes) -> bytes:
    """What a frame of data holds: how many stored bytes were read for it so far, and the bytes."""
    return _CONSUMED.pack(consumed) + piece


def split_data(payload: bytes) -> tuple[int, bytes]:
    """Both parts of a frame of data; one that is cut has no bytes."""
    if len(payload) < _CONSUMED.size:
        return 0, b""
    return _CONSUMED.unpack_from(payload)[0], payload[_CONSUMED.size :]


def write_frame(stream: BinaryIO, kind: FrameKind, payload: bytes) -> None:
    """Send one frame."""
    stream.write(_HEAD.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()
