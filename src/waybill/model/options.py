"""What a client may ask of an import, each with its default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Operation(StrEnum):
    """What a record does to the sink, unless its action column says otherwise.

    ``remove`` deletes what is there; where there is nothing, that is no error as it is for
    ``delete``.
    """

    UPSERT = "upsert"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    REMOVE = "remove"


DELETING: Final = (Operation.DELETE, Operation.REMOVE)
"""What takes a record away; of it only the key counts."""


SNAPSHOT_RATIO: Final = 0.5
"""The share of stored records that a snapshot takes away at most, unless a guard says otherwise."""


class Atomicity(StrEnum):
    """Whether good records load beside bad ones, or all load or none."""

    ROW = "row"
    FILE = "file"


class OnDuplicate(StrEnum):
    """What becomes of records of one file that share a key, all in file order.

    ``reject`` rejects every one of them; ``first`` and ``last`` keep one and skip the others with
    a warning; ``apply`` applies them one after the other.
    """

    REJECT = "reject"
    FIRST = "first"
    LAST = "last"
    APPLY = "apply"


class UnknownColumns(StrEnum):
    """What becomes of columns that the entity does not declare."""

    WARN = "warn"
    REJECT = "reject"
    IGNORE = "ignore"
    KEEP = "keep"


class MissingColumns(StrEnum):
    """What becomes of a file that has no column for a field which every record needs.

    ``reject``: every record is rejected for the value that it lacks. ``clear``: so too, and any
    other field that the file has no column for is cleared, as if its cells were empty. ``keep``:
    a stored record keeps its value; a new one is rejected for what it lacks, and gets the defaults
    of other fields that the file has no column for.
    """

    FAIL = "fail"
    REJECT = "reject"
    CLEAR = "clear"
    KEEP = "keep"


class AbsentMembers(StrEnum):
    """What becomes of a field whose member a record lacks, though other records have it.

    ``clear``: as if it were null. ``keep``: a stored record keeps its value. A member that is there
    and null, or empty, clears the value in both.
    """

    CLEAR = "clear"
    KEEP = "keep"


class BrokenJson(StrEnum):
    """What becomes of a record that is no JSON: it is rejected, or the file fails."""

    REJECT = "reject"
    FAIL = "fail"


class HeaderMode(StrEnum):
    """Whether the first line names the columns.

    ``absent``: columns are the entity's fields, in order.
    """

    PRESENT = "present"
    ABSENT = "absent"


class FileFormat(StrEnum):
    """What a file is, declared; ``auto``: by its content, then by its name."""

    AUTO = "auto"
    CSV = "csv"
    JSON = "json"
    NDJSON = "ndjson"
    XLSX = "xlsx"
    XML = "xml"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """The options of one import.

    ``max_errors``: the job fails once more records than this are rejected. ``max_error_ratio``:
    it fails when more than this share (0..1) of the records is rejected. ``max_deletes``,
    ``max_delete_ratio``: it fails when more stored records than this, or more than this share of
    those of any kind, would go. All before any write. ``delete_guard_from``: of a kind with fewer
    stored records any share may go. ``snapshot``: stored records that the file does not have go;
    no more than half of them, where no guard of deletes is given. ``expected_plan``: the hash of
    the plan that is applied; empty for any.
    ``delimiter``: one character; empty means found from the header. ``encoding``: a declared
    encoding name; empty means BOM, else UTF-8, else detected. ``escaped``: cells carry the
    formula escape of ``reports/formula.py`` and are un-escaped on the way in. ``records_path``:
    where the records are, a JSON Pointer to their array in JSON, the name or the path of their
    element in XML; empty means the only array, the children of the root. ``record_members``: names,
    parted by commas, of members that may hold the records of a JSON document; one that has none of
    them is a record itself; empty means any array. ``sheet``: of a workbook; empty means the first.
    ``header_row``: the row of the sheet that names the columns, from 1; 0 means the first that is
    not empty.
    """

    operation: Operation = Operation.UPSERT
    atomicity: Atomicity = Atomicity.ROW
    on_duplicate: OnDuplicate = OnDuplicate.REJECT
    unknown_columns: UnknownColumns = UnknownColumns.WARN
    missing_columns: MissingColumns = MissingColumns.FAIL
    absent_members: AbsentMembers = AbsentMembers.CLEAR
    max_errors: int | None = None
    max_error_ratio: float | None = None
    max_deletes: int | None = None
    max_delete_ratio: float | None = None
    delete_guard_from: int = 0
    snapshot: bool = False
    dry_run: bool = False
    expected_plan: str = ""
    delimiter: str = ""
    encoding: str = ""
    header: HeaderMode = HeaderMode.PRESENT
    escaped: bool = False
    record_members: str = ""
    broken_json: BrokenJson = BrokenJson.REJECT
    format: FileFormat = FileFormat.AUTO
    records_path: str = ""
    sheet: str = ""
    header_row: int = 0

    @property
    def delete_ratio(self) -> float | None:
        """The share of stored records that may go; a snapshot is never without a guard."""
        is_bare = self.max_deletes is None and self.max_delete_ratio is None
        return SNAPSHOT_RATIO if self.snapshot and is_bare else self.max_delete_ratio

    @property
    def is_planned(self) -> bool:
        """Whether all effects must be known before any write."""
        is_guarded = self.max_deletes is not None or self.max_delete_ratio is not None
        return is_guarded or self.snapshot or self.dry_run or bool(self.expected_plan)
