"""What parent and child say to each other: one task in, frames out, each with its length."""

from __future__ import annotations

import struct
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TypeVar

import msgspec

from waybill.model.feed import Feed
from waybill.model.limits import Limits
from waybill.validation.codes import CATALOGUE, file_refused

if TYPE_CHECKING:
    from typing import BinaryIO

    from waybill.errors import FileRefused

T = TypeVar("T")
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

FRAME_BYTES: Final = 256 * 1024 * 1024
"""No frame is larger; a batch of rows is far smaller."""

LINE: Final = "line"
"""The column of a batch that has the line of each row."""

HEAD: Final = struct.Struct(">BI")
"""What goes before the payload of a frame: its kind and its size."""

_CONSUMED: Final = struct.Struct(">Q")
_RESERVED: Final = frozenset({"code", "field", "column", "value", "count", "line", "lines", "byte"})


class Job(StrEnum):
    """What the child is to do."""

    INSPECT = "inspect"
    UNPACK = "unpack"
    WORKBOOK = "workbook"
    XML = "xml"
    FEED = "feed"
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
    header is all that is wanted, and names every column there is. ``feed``: what the records of a
    feed are. ``batch_rows``: most rows of one batch.
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
    feed: Feed | None = None
    batch_rows: int = 8_192


class Archive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a zip file is. ``member``: the only file in it, empty for a workbook."""

    is_workbook: bool
    member: str = ""


class Coded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has a code of the catalogue, and parameters for its message."""

    code: str
    parameters: dict[str, str | int] = {}

    def __post_init__(self) -> None:
        """Take nothing else.

        Raises:
            ValueError: there is no such code, or a parameter would stand for something else.
        """
        if self.code not in CATALOGUE or not _RESERVED.isdisjoint(self.parameters):
            raise ValueError("no such code, or a parameter that is none")


class Warned(Coded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A warning about the file."""

    count: Count = 1


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The header of a table.

    ``steps``: of XML, what leads from a record's element to each column. ``is_complete``: no later
    record brings another column. ``line``: where the names stand.
    """

    names: tuple[str, ...]
    facts: dict[str, str | int | float | bool]
    steps: tuple[str, ...] = ()
    is_complete: bool = True
    line: Count | None = None
    first_column: Count = 0
    warnings: tuple[Warned, ...] = ()


class Fault(Coded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record that cannot become a row, and the finding that says why.

    ``record`` counts from 0 in its batch. ``column`` from 1, ``None`` for the record as a whole.
    """

    record: Count
    line: Count
    cells: tuple[str | None, ...] = ()
    column: Count | None = None
    value: str | None = None


class BatchFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes with the rows of a batch.

    ``input_bytes``: of the stored file, consumed so far. ``rank``: as in ``RawChunk``. ``cleared``:
    kinds of records that the file says are to go, found since the last batch.
    """

    records: Count
    input_bytes: Count
    faults: tuple[Fault, ...] = ()
    rank: Count = 0
    cleared: tuple[str, ...] = ()


class Refusal(Coded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the file cannot be read on, in words."""

    message: str
    line: Count | None = None
    byte: Count | None = None


def decoded(payload: bytes, kind: type[T]) -> T:
    """What the child sent as JSON.

    Raises:
        FileRefused: ``PARSER_CRASHED``: it is nothing of that kind.
    """
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.DecodeError as error:
        raise broken_protocol() from error


def broken_protocol() -> FileRefused:
    """The error for a child that does not speak as it should."""
    return file_refused("PARSER_CRASHED", reason="it did not speak as it should")


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
    stream.write(HEAD.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()
