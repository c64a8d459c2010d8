"""Checking a file without loading it: every finding of every record, duplicate keys included."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from waybill.engine.runs.cells import ShownCells
from waybill.engine.runs.checking import merge_warnings
from waybill.engine.runs.reporting import MasterList
from waybill.engine.runs.verdicts import LateFindings
from waybill.errors import FileRefused
from waybill.validation.rejects import iterate_rejections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from waybill.engine.runs.duplicates import KeyLedgers
    from waybill.engine.runs.spool import Spool
    from waybill.model.finding import FileWarning, Rejection
    from waybill.model.options import OnDuplicate
    from waybill.ports.reader import Reader
    from waybill.validation.checker import Checker


@dataclass(slots=True)
class FileCheck:
    """One check of one file; after ``run`` the fields hold the result.

    ``on_progress`` is told the share done (0..1), records read and rejected so far. References to
    other entities, and needs of new records, are not checked: there is nothing to ask.
    """

    reader: Reader
    checker: Checker
    spool: Spool
    ledgers: KeyLedgers
    on_duplicate: OnDuplicate
    on_progress: Callable[[float, int, int], None]
    records: int = 0
    rejected: int = 0
    refused: FileRefused | None = None
    warnings: list[FileWarning] = field(default_factory=list)
    _late: LateFindings = field(default_factory=LateFindings)

    def run(self) -> None:
        """Check the whole file, or up to where it cannot be read on."""
        total = max(self.reader.input_bytes_total, 1)
        try:
            with closing(self.reader.map_chunks(self.checker.check)) as chunks:
                for checked in chunks:
                    self.records += checked.records
                    self.rejected += checked.rejected
                    self.spool.add(checked)
                    self.ledgers.note(checked)
                    self.warnings = merge_warnings(self.warnings, checked.warnings)
                    self.on_progress(checked.input_bytes / total, self.records, self.rejected)
        except FileRefused as refusal:
            self.refused = refusal
        self.warnings = [*self.reader.warnings, *self.checker.warnings, *self.warnings]
        self.ledgers.judge(self.spool, self.on_duplicate, self._late)
        self.rejected += len(self._late.records())

    def rejections(self) -> Iterator[Rejection]:
        """The rejected records in input order; can be read once."""
        shown = ShownCells(self.checker.columns, width=len(self.reader.header.own_names))
        master = MasterList(self.spool, self._late, self.reader, shown, self.ledgers.entity.key)
        return iterate_rejections(master.pieces())
