"""Checks chunks: raw cells in, typed good rows and exact rejections out.

SQL does the work (``statements.py``): over all rows, then over the bad rows only. Python sees
rejected rows alone. A checker is made once per entity, header and options, and may be kept: its
statements stay prepared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from waybill.errors import ColumnsGrew, FileRefused
from waybill.model.options import DELETING
from waybill.ports.sink import ABSENT, ACTION, HASH, RECORD
from waybill.validation.arrow_text import (
    INVISIBLE,
    blank_to_null,
    empty_rows,
    leading_int64,
    rows_matching,
)
from waybill.validation.cell_faults import CellFaults
from waybill.validation.checked import CheckedChunk
from waybill.validation.codes import file_warning
from waybill.validation.columns import match_columns
from waybill.validation.compiled import compile_file, self_references, unique_sets
from waybill.validation.kinds import absent_names, are_absent, letters_of, misfits
from waybill.validation.rejecting import BadRows, Rejecter
from waybill.validation.session import SessionPool
from waybill.validation.statements import (
    REFERENCE_PREFIX,
    UNIQUE_PREFIX,
    Variant,
    first_statement,
    may_be_deleted,
    rules_statement,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from waybill.model.entity import Entity
    from waybill.model.finding import FileWarning
    from waybill.model.limits import Limits
    from waybill.ports.reader import Header, RawChunk
    from waybill.validation.cell_faults import Faults
    from waybill.validation.columns import ColumnMap
    from waybill.validation.compiled import CheckOptions
    from waybill.validation.rules import FieldPlan
    from waybill.validation.sandbox import Sandbox
    from waybill.validation.session import Session

_FIRST_LINES: Final = 5
_FEW_SUBJECTS: Final = 3
"""As many are asked one by one; more cost less all together."""


class Checker:
    """Checks the chunks of files with one header; ``check`` may run in several threads."""

    def __init__(
        self,
        entity: Entity,
        header: Header,
        options: CheckOptions,
        *,
        limits: Limits,
        sandbox: Sandbox,
        pepper: str,
    ) -> None:
        """Match the header and compile the statements.

        ``pepper``: secret text hashed in front of the values of secret fields.

        Raises:
            ColumnsGrew: the columns do not fit the entity, but those found so far are not all.
            FileRefused: the columns do not fit the entity.
        """
        try:
            self.columns: ColumnMap = _match(entity, header, options)
        except FileRefused as refusal:
            if header.is_complete:
                raise
            raise ColumnsGrew("the first records may not have every member") from refusal
        self.warnings: tuple[FileWarning, ...] = self.columns.warnings
        self._compiled = compile_file(
            entity,
            self.columns,
            options,
            header=header,
            pepper=pepper,
        )
        checked = [plan for plan in self._compiled.plans if self._compiled.is_checked(plan)]
        self._faults = CellFaults(checked, field_bytes=limits.field_bytes)
        self._rejecter = Rejecter(self._compiled)
        self._first: dict[Variant, str] = {}
        subjects = self._compiled.subjects
        self._rule_finders = tuple(rules_statement(self._compiled, (each,)) for each in subjects)
        self._finder_of_all = rules_statement(self._compiled, subjects)
        self._empty = empty_rows(len(header.names), is_typed=header.is_typed)
        self._cells = [f"c{index}" for index in range(len(header.names))]
        self._sessions = SessionPool(sandbox, self._empty)

    def close(self) -> None:
        """Give up the prepared statements; the checker must not be used any more."""
        self._sessions.close()

    def check(self, chunk: RawChunk) -> CheckedChunk:
        """The chunk's accepted rows and its rejections, both in file order."""
        faults = self._faults.find(chunk)
        with self._sessions.session() as session:
            result = session.table(self._statement(chunk), chunk.table)
            faults = self._without_deleted(faults, result)
            bad = self._bad_rows(session, chunk, self._broken(chunk, result), faults)
        lines, rejected = self._rejecter.lines(chunk, bad)
        good = np.delete(np.arange(chunk.table.num_rows), bad.numbers) if len(bad.numbers) else None
        digests = _Digests(result, good)
        entity = self._compiled.entity
        return CheckedChunk(
            ordinal=chunk.ordinal,
            first_record=chunk.first_record,
            records=chunk.records,
            good=self._good(chunk, result, good),
            rejects=lines,
            rejected=rejected,
            key_digests=digests.of("_digest") if entity.key else None,
            unique_digests=tuple(
                digests.of(f"{UNIQUE_PREFIX}{at}") for at in range(len(unique_sets(entity)))
            ),
            reference_digests=tuple(
                (digests.of(f"{REFERENCE_PREFIX}{at}a"), digests.of(f"{REFERENCE_PREFIX}{at}b"))
                for at in range(len(self_references(entity)))
            ),
            marks=chunk.marks,
            input_bytes=chunk.input_bytes,
            rank=chunk.rank,
            warnings=(*chunk.warnings, *self._rounded(chunk, result), *self._invisible(chunk)),
        )

    def _statement(self, chunk: RawChunk) -> str:
        traits = chunk.traits
        variant = Variant(is_ascii=traits.is_ascii, has_separators=traits.has_separators)
        statement = self._first.get(variant)
        if statement is None:
            statement = self._first[variant] = first_statement(self._compiled, variant)
        return statement

    def _without_deleted(self, faults: Faults, result: pa.Table) -> Faults:
        """The faults that count: of a record to be deleted, those of its key only."""
        compiled = self._compiled
        if not faults or compiled.columns.action is None:
            return faults
        actions = self._actions(result)
        keys = {plan.index for plan in compiled.plans if plan.field.name in compiled.entity.key}
        counted = {
            row: {
                index: finding
                for index, finding in found.items()
                if index in keys or actions[row] not in DELETING
            }
            for row, found in faults.items()
        }
        return {row: found for row, found in counted.items() if found}

    def _broken(self, chunk: RawChunk, result: pa.Table) -> dict[int, np.ndarray]:
        """By number of a subject: which rows break its rules; without subjects that all obey."""
        columns = enumerate(result.columns[: len(self._rule_finders)])
        broken = {at: column.to_numpy() for at, column in columns if pc.any(column).as_py()}
        for at, misfit in self._misfits(chunk, result):
            broken[at] = broken[at] | misfit if at in broken else misfit
        return dict(sorted(broken.items()))

    def _misfits(self, chunk: RawChunk, result: pa.Table) -> Iterator[tuple[int, np.ndarray]]:
        """By number of a subject: which rows have a cell of a kind that it does not take."""
        compiled = self._compiled
        for at, subject in enumerate(compiled.subjects if compiled.is_typed else ()):
            if subject.plan is None:
                continue
            kinds, cells = (chunk.table.column(f"{of}{subject.index}") for of in "kc")
            found = misfits(subject.plan.field, kinds, cells)
            if found is not None and may_be_deleted(compiled, subject):
                found &= ~np.isin(self._actions(result), DELETING)
            if found is not None:
                yield at, found

    def _actions(self, result: pa.Table) -> np.ndarray:
        actions: np.ndarray = result.column(f"o{self._compiled.order.index(ACTION)}").to_numpy()
        return actions

    def _bad_rows(
        self,
        session: Session,
        chunk: RawChunk,
        broken: dict[int, np.ndarray],
        faults: Faults,
    ) -> BadRows:
        is_bad = np.zeros(chunk.table.num_rows, dtype=bool)
        for rows in broken.values():
            is_bad |= rows
        if faults:
            is_bad[list(faults)] = True
        numbers = np.flatnonzero(is_bad)
        if not len(numbers):
            return BadRows(numbers=numbers, table=self._empty, kinds=(), rules=(), faults=faults)
        table = chunk.table.take(numbers)
        return BadRows(
            numbers=numbers,
            table=table.select(self._cells),
            kinds=letters_of(table, len(self._cells)),
            rules=self._rules(session, table, broken),
            faults=faults,
        )

    def _rules(
        self, session: Session, table: pa.Table, broken: Iterable[int]
    ) -> Sequence[list[int]]:
        """The numbers of the rules that each row breaks, of those subjects at least."""
        wanted = [self._rule_finders[at] for at in broken]
        if len(wanted) > _FEW_SUBJECTS:
            wanted = [self._finder_of_all]
        rules: list[list[int]] = [[] for _ in range(table.num_rows)]
        for statement in wanted:
            for known, (more,) in zip(rules, session.tuples(statement, table), strict=True):
                known.extend(more)
        return rules

    def _good(self, chunk: RawChunk, result: pa.Table, rows: np.ndarray | None) -> pa.Table:
        """The accepted rows; ``rows``: their numbers, ``None`` for all."""
        names = [RECORD, *self._compiled.order]
        columns = [pa.array(chunk.record_numbers, pa.int64()), *self._columns(chunk, result)]
        table = pa.table(dict(zip(names, columns, strict=True)))
        return table if rows is None else table.take(rows)

    def _columns(
        self, chunk: RawChunk, result: pa.Table
    ) -> Iterator[pa.ChunkedArray[pa.Scalar[pa.DataType]]]:
        plain = {each.name: each for each in self._compiled.plain}
        for number, name in enumerate(self._compiled.order):
            source = plain.get(name)
            if name == ABSENT:
                yield self._absent(chunk)
            elif source is None:
                column = result.column(f"o{number}")
                yield pa.chunked_array([leading_int64(column)]) if name.startswith(HASH) else column
            elif source.drops_blank and chunk.traits.has_blanks:
                yield blank_to_null(chunk.table.column(source.index))
            else:
                yield chunk.table.column(source.index)

    def _absent(self, chunk: RawChunk) -> pa.ChunkedArray[pa.Scalar[pa.DataType]]:
        """Of each row the names of the fields that it lacks."""
        names = [plan.field.name for plan in self._compiled.shown]
        flags = [self._is_absent(chunk, plan.index) for plan in self._compiled.shown]
        absent: pa.ChunkedArray[pa.Scalar[pa.DataType]] = absent_names(names, flags)
        return absent

    def _is_absent(self, chunk: RawChunk, index: int) -> np.ndarray:
        """Of each row whether it has no such member."""
        if index in self._compiled.lacking:
            return np.ones(chunk.table.num_rows, dtype=bool)
        if not self._compiled.tells_absent:
            return np.zeros(chunk.table.num_rows, dtype=bool)
        return are_absent(chunk.table.column(f"k{index}"))

    def _rounded(self, chunk: RawChunk, result: pa.Table) -> Iterator[FileWarning]:
        """Warnings on numbers that are kept less exactly than written, with their first lines."""
        for plan in self._compiled.roundable:
            rows = np.flatnonzero(result.column(f"r{plan.index}").to_numpy())
            if len(rows):
                yield self._warning("NUMBER_ROUNDED", chunk, plan, rows)

    def _warning(
        self, code: str, chunk: RawChunk, plan: FieldPlan, rows: np.ndarray
    ) -> FileWarning:
        records = chunk.record_numbers[rows[:_FIRST_LINES]].tolist()
        return file_warning(
            code,
            field=plan.field.name,
            column=plan.index + 1,
            count=len(rows),
            lines=tuple(line for line, _ in chunk.positions.locate(records)),
        )

    def _invisible(self, chunk: RawChunk) -> Iterator[FileWarning]:
        """Warnings on invisible characters in text fields, with their first lines."""
        if not chunk.traits.has_invisible:
            return
        for plan in self._compiled.plans:
            cells = chunk.table.column(plan.index)
            if plan.grammar.column != "text":
                continue
            rows = rows_matching(cells, INVISIBLE)
            if len(rows):
                yield self._warning("INVISIBLE_CHARACTER", chunk, plan, rows)


def _match(entity: Entity, header: Header, options: CheckOptions) -> ColumnMap:
    try:
        return match_columns(
            entity,
            header.names,
            operation=options.operation,
            unknown=options.unknown_columns,
            missing=options.missing_columns,
        )
    except FileRefused as refusal:
        raise FileRefused(
            refusal.message, code=refusal.code, line=header.line, byte=header.byte
        ) from refusal


class _Digests:
    """Digest columns of a result, for the accepted rows."""

    def __init__(self, result: pa.Table, rows: np.ndarray | None) -> None:
        self._result = result
        self._rows = rows

    def of(self, name: str) -> np.ndarray:
        values: np.ndarray = self._result.column(name).to_numpy()
        return values if self._rows is None else values[self._rows]
