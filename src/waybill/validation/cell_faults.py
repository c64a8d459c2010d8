"""Findings that SQL does not make: NUL characters, cells over the limit, doubtful JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from waybill.model.entity import BLANKS, FieldType, Trim
from waybill.ports.reader import Kind
from waybill.validation.arrow_text import rows_longer, rows_matching
from waybill.validation.codes import make_finding
from waybill.validation.finding_maker import SHOWN_CHARACTERS, shorten
from waybill.validation.json_cells import doubtful_rows, json_fault
from waybill.validation.json_schema import compile_schema
from waybill.validation.rules import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable

    import jsonschema_rs

    from waybill.model.finding import Finding
    from waybill.ports.reader import RawChunk
    from waybill.validation.arrow_text import TextColumn
    from waybill.validation.rules import FieldPlan

    Faults: TypeAlias = dict[int, dict[int, Finding]]

_JSON_KINDS = (Kind.OBJECT, Kind.ARRAY)
_JSON_TYPES = (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOJSON)


class CellFaults:
    """Looks through the cells of the checked fields; made once per file."""

    def __init__(self, plans: Iterable[FieldPlan], *, field_bytes: int) -> None:
        self._plans = tuple(plans)
        self._field_bytes = field_bytes
        self._validators: dict[int, jsonschema_rs.Validator] = {
            plan.index: compile_schema(msgspec.json.decode(plan.field.constraints.json_schema))
            for plan in self._plans
            if plan.field.constraints.json_schema is not None
        }

    def find(self, chunk: RawChunk) -> Faults:
        """Row number -> column index -> finding, for the cells at fault; nearly always empty."""
        faults: Faults = {}
        for plan in self._plans:
            cells = chunk.table.column(plan.index)
            if plan.field.type in _JSON_TYPES:
                self._find_json(plan, chunk, faults)
            if chunk.traits.has_nul:
                self._add(faults, plan, cells, rows_matching(cells, r"\x00"), "NUL_CHARACTER")
            if chunk.traits.size_bytes > self._field_bytes:
                rows = rows_longer(cells, self._field_bytes)
                self._add(faults, plan, cells, rows, "FIELD_TOO_LONG")
        return faults

    def _find_json(self, plan: FieldPlan, chunk: RawChunk, faults: Faults) -> None:
        validator = self._validators.get(plan.index)
        rows = self._json_rows(plan, chunk)
        cells = chunk.table.column(plan.index).take(rows).to_pylist()
        for row, cell in zip(rows.tolist(), cells, strict=True):
            if cell is None:
                continue
            text = cell.strip(BLANKS) if plan.field.trim is Trim.BOTH else cell
            if not text or text in plan.field.missing_values:
                continue
            fault = json_fault(text, validator, is_secret=plan.field.secret)
            if fault is not None:
                finding = self._finding(plan, fault.code, cell, fault.reason)
                finding = replace(finding, pointer=fault.pointer)
                faults.setdefault(row, {})[plan.index] = finding

    def _json_rows(self, plan: FieldPlan, chunk: RawChunk) -> np.ndarray:
        """The rows to look at; cells of other kinds than JSON are judged by their kind."""
        cells = chunk.table.column(plan.index)
        rows = np.arange(len(cells)) if plan.index in self._validators else doubtful_rows(cells)
        kinds = f"k{plan.index}"
        if kinds not in chunk.table.column_names:
            return rows
        return rows[np.isin(chunk.table.column(kinds).to_numpy()[rows], _JSON_KINDS)]

    def _add(
        self,
        faults: Faults,
        plan: FieldPlan,
        cells: TextColumn,
        rows: np.ndarray,
        code: str,
    ) -> None:
        for row in rows.tolist():
            finding = self._finding(plan, code, cells[row].as_py(), "")
            faults.setdefault(row, {})[plan.index] = finding

    def _finding(self, plan: FieldPlan, code: str, text: str, reason: str) -> Finding:
        shown = MASK if plan.field.secret else shorten(text, SHOWN_CHARACTERS)
        return make_finding(
            code,
            field=plan.field.name,
            column=plan.index + 1,
            value=shown,
            allowed=self._field_bytes,
            expected=plan.grammar.expected,
            reason=reason,
        )
