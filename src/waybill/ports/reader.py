"""How a format hands over the input: chunks of raw values with exact positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from waybill.model.options import FileFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from waybill.model.feed import Feed
    from waybill.model.finding import FileWarning, Finding, Rejection

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPosition:
    """Where reading can begin: before a record.

    ``byte``: offset in the decoded text of the next record. ``line``: physical number of its first
    line. ``record``: number of the last record before it (0 at the start).
    """

    byte: int
    line: int
    record: int


class Kind(IntEnum):
    """What a cell of a typed format is, beside its text.

    ``CELL_BOOLEAN`` and ``CELL_DATE`` are what a spreadsheet shows as a word or a date: taken
    wherever text is, and where a field writes truth values or dates in its own way, put into that.
    ``ABSENT`` is no cell at all: the record lacks a member that others have.
    """

    STRING = 1
    NUMBER = 2
    BOOLEAN = 3
    OBJECT = 4
    ARRAY = 5
    CELL_BOOLEAN = 6
    CELL_DATE = 7
    ABSENT = 8


class Places(Protocol):
    """Says where findings stand in formats that have more than lines: cells, elements."""

    def placed(self, rejection: Rejection) -> Rejection:
        """The rejection with ``cell`` or ``pointer`` in each of its findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The columns of a file.

    ``names``: in the original spelling and order. ``facts``: what the reader chose and why
    (``format``, ``compression``, ``encoding``, ``encoding_confidence``, ``delimiter``, ...), JSON
    values for people. ``escaped``: the file has our ``_record`` column or was declared escaped, so
    formula escapes have been undone and quoted empty cells stay apart from missing ones.
    ``is_typed``: cells have kinds. ``is_complete``: no later record brings another column.
    ``added``: how many of the last columns no record has; they were added to the file's own.
    ``lacking``: how many of those are there for the values that new records get alone.
    ``line``, ``byte``: where the names stand, ``None`` where they stand nowhere. ``places``:
    ``None`` where lines say all.
    """

    names: tuple[str, ...]
    facts: Mapping[str, object] = field(default_factory=dict)
    escaped: bool = False
    is_typed: bool = False
    is_complete: bool = True
    added: int = 0
    lacking: int = 0
    line: int | None = None
    byte: int | None = None
    places: Places | None = None

    @property
    def own_names(self) -> tuple[str, ...]:
        """The columns of the file itself."""
        return self.names[: len(self.names) - self.lacking]


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedRecord:
    """A record that cannot become a row of the table: ragged, bad quotes, bad bytes.

    ``kinds``: of the cells, as in ``Rejection``.
    """

    record: int
    line: int
    byte: int | None
    cells: tuple[str | None, ...]
    findings: tuple[Finding, ...]
    kinds: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTraits:
    """What may occur in the cells of a chunk; ``True`` only makes checking slower.

    ``has_separators``: the control characters 1E and 1F. ``has_invisible``: characters without
    width. ``has_blanks``: cells that are empty but not missing. ``size_bytes``: of all together.
    """

    is_ascii: bool
    has_nul: bool
    has_separators: bool
    has_invisible: bool
    has_blanks: bool
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    """A well-formed record that was read again, with its raw cells in file order.

    ``kinds``: of the cells, as in ``Rejection``.
    """

    record: int
    line: int
    byte: int | None
    cells: tuple[str | None, ...]
    kinds: str = ""


class Positions(Protocol):
    """Finds a record of one chunk again; costs nothing until asked."""

    def locate(self, records: Sequence[int]) -> Sequence[tuple[int, int | None]]:
        """(physical line, byte offset) of each record number, which rise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawChunk:
    """A slice of the input at record boundaries; the same for every attempt at a job.

    ``table``: text columns ``c0`` ... ``cn`` in file order, one row per well-formed record,
    ``None`` for an empty unquoted cell. In a typed format the text of a string, and what the file
    has for anything else; then columns ``k0`` ... ``kn`` follow, uint8 of ``Kind``, ``None`` for
    text that stands for any value, and for a missing one.
    ``record_numbers``: of each row, int64, rising.
    ``records``: how many records the chunk has, the malformed ones included.
    ``traits``: over its bytes.
    ``marks``: places where reading can begin again, the first record's and some between, so that
    any record is found again without reading much else. ``input_bytes``: bytes of the stored input
    consumed so far, for progress. ``rank``: chunks of a lower one are applied first; of one rank in
    their order.
    """

    ordinal: int
    first_record: int
    records: int
    table: pa.Table
    record_numbers: np.ndarray
    malformed: Sequence[MalformedRecord]
    positions: Positions
    marks: Sequence[ReadPosition]
    input_bytes: int
    traits: TextTraits
    places: Places | None = None
    warnings: tuple[FileWarning, ...] = ()
    rank: int = 0


class Reader(Protocol):
    """One input, opened. Memory is a few chunks, whatever the size of the input."""

    @property
    def header(self) -> Header:
        """The columns, known after opening."""

    @property
    def input_bytes_total(self) -> int:
        """Size of the stored input."""

    @property
    def warnings(self) -> Sequence[FileWarning]:
        """What was odd about the file so far: in the header, in its encoding."""

    @property
    def cleared(self) -> frozenset[str]:
        """The kinds of records that the file says are to go, known once all chunks were read."""

    def map_chunks(self, work: Callable[[RawChunk], T]) -> Generator[T, None, None]:
        """``work`` done on each chunk by a few threads; results in file order.

        At most a few chunks are in flight; closing the iterator stops them.

        Raises:
            ColumnsGrew: a record has a member that the header has not; begin again ``widened``.
            FileRefused: the input cannot be read on; all chunks before were given.
        """

    def find_records(
        self, records: np.ndarray, marks: Sequence[ReadPosition]
    ) -> Iterator[FoundRecord]:
        """The well-formed records of these rising numbers again.

        ``marks``: of all chunks, in file order. Memory is what lies between two marks.
        """

    def widened(self) -> Reader:
        """A reader of the same input whose header names every member of every record."""

    def close(self) -> None:
        """Close the input; safe to repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPath:
    """A member inside of a record's member that is a field.

    ``pointer``: the JSON Pointer from the record to it. ``names``: all names of the field.
    """

    pointer: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How to read: what the job declared, and the width a file without header must have.

    ``array_columns``: names and aliases of fields that hold arrays, for formats in which one item
    looks like none. ``feed``: what XML is a list of operations on. ``repeatable_columns``: of those
    whose column may stand twice in CSV. ``names_of_fields``: of each field, so that records of JSON
    may use any of them. ``member_paths``: for JSON, what fills columns from inside of others.
    ``file_name``: as the client has it. ``known_columns``: the header that an earlier reading has
    found, where it stands in no line. ``while_waiting`` is called about once a second while the
    reader waits for another process; what it raises ends the reading. The rest is as in
    ``ImportOptions``.
    """

    delimiter: str = ""
    encoding: str = ""
    has_header: bool = True
    column_names: tuple[str, ...] = ()
    array_columns: tuple[str, ...] = ()
    repeatable_columns: tuple[str, ...] = ()
    names_of_fields: tuple[tuple[str, ...], ...] = ()
    record_members: tuple[str, ...] = ()
    member_paths: tuple[MemberPath, ...] = ()
    feed: Feed | None = None
    escaped: bool = False
    format: FileFormat = FileFormat.AUTO
    records_path: str = ""
    sheet: str = ""
    header_row: int = 0
    file_name: str = ""
    known_columns: tuple[str, ...] = ()
    threads: int = 2
    while_waiting: Callable[[], None] = lambda: None


class OpenReader(Protocol):
    """Opens a stored input: container by magic bytes, then encoding, then format."""

    def __call__(self, path: str, options: ReadOptions) -> Reader:
        """An opened reader on the file at ``path``.

        Raises:
            FileRefused: not a format, encoding or header that can be read, or a limit was met.
        """
