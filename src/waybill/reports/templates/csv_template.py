"""The template as CSV: one line, the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.reports.csv_text import line, text_cell
from waybill.reports.templates.columns import columns_of

if TYPE_CHECKING:
    from waybill.model.entity import Entity


def write_csv_template(entity: Entity) -> bytes:
    """The header of a CSV file for that entity.

    A name that a spreadsheet would run carries the formula escape; an import knows it by that too.
    """
    return line([text_cell(column.field.name) for column in columns_of(entity)]).encode()
