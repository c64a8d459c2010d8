"""The template as XLSX: typed columns, drop-downs, and the rules as notes of the header.

Every text of the descriptor is written as text. The names of the header are the fields', unescaped,
for text cells run nothing. The same entity gives the same bytes.
"""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Final

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range_formula

from waybill.errors import RequestInvalid
from waybill.reports.templates.cell_kinds import NUMBER_FORMATS, CellKind, cell_kind
from waybill.reports.templates.columns import columns_of
from waybill.reports.templates.validations import Bounds, validation_of
from waybill.reports.templates.wording import note_of, rule_of, shortened
from waybill.reports.xlsx_text import (
    CELL_UNITS,
    CREATED,
    SHEET_COLUMNS,
    SHEET_ROWS,
    units_of,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxwriter.worksheet import Worksheet

    from waybill.model.entity import Entity, Field
    from waybill.reports.templates.columns import Column
    from waybill.reports.templates.validations import Choice, Item

LISTS: Final = "Lists"
"""Name of the hidden sheet with the values of long drop-downs."""

_RESERVED: Final = frozenset({"history", LISTS.lower()})
_NAME_CHARACTERS: Final = 31
_TITLE_UNITS: Final = 32
_MESSAGE_UNITS: Final = 255
_LIST_UNITS: Final = 255
_NOTE_WIDTH: Final = 380
_NOTE_CHARACTERS: Final = 60
_LINE_HEIGHT: Final = 14
_MOST_NOTE_LINES: Final = 40
_HEADER: Final[Mapping[str, object]] = {"bold": True, "num_format": "@", "bottom": 1}
_NEEDED: Final[Mapping[str, object]] = {
    **_HEADER,
    "bg_color": "#1F4E78",
    "font_color": "#FFFFFF",
}
_OPTIONAL: Final[Mapping[str, object]] = {**_HEADER, "bg_color": "#DDEBF7"}


def write_xlsx_template(entity: Entity) -> bytes:
    """A workbook to be filled in and imported: a sheet with one column per field, its header first.

    Headers of columns that every record must fill are dark, the others light. Memory grows with the
    descriptor.

    Raises:
        RequestInvalid: the entity has more columns than a sheet.
    """
    columns = columns_of(entity)
    if len(columns) > SHEET_COLUMNS:
        raise RequestInvalid(
            f"{entity.name} has {len(columns):,} columns, a sheet of XLSX {SHEET_COLUMNS:,}: take"
            " the CSV template",
            code="TEMPLATE_TOO_WIDE",
        )
    content = BytesIO()
    workbook = Workbook(content, {"in_memory": True})
    workbook.set_properties({"created": CREATED, "title": shortened(entity.title, CELL_UNITS)})
    template = _Template(workbook, entity)
    for place, column in enumerate(columns):
        template.add_column(place, column)
    workbook.close()
    return content.getvalue()


class _Template:
    """The sheet to fill in, and the hidden one with the values of long drop-downs."""

    def __init__(self, workbook: Workbook, entity: Entity) -> None:
        self._workbook = workbook
        self._entity = entity
        self._plain = workbook.add_format()
        self._needed = workbook.add_format(dict(_NEEDED))
        self._optional = workbook.add_format(dict(_OPTIONAL))
        self._formats = {
            kind: workbook.add_format({"num_format": NUMBER_FORMATS[kind]}) for kind in CellKind
        }
        self._sheet = workbook.add_worksheet(_sheet_name(entity.name))
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_comments_author("Waybill")
        self._sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{SHEET_ROWS}"})
        self._lists: Worksheet | None = None

    def add_column(self, place: int, column: Column) -> None:
        """Add the column: its header with a note, its number format, its validation."""
        field = column.field
        style = self._needed if column.is_needed else self._optional
        self._sheet.set_column(place, place, _width(field.name), self._formats[cell_kind(field)])
        write_text(self._sheet, (0, place), field.name, plain=self._plain, style=style)
        self._add_note(place, note_of(self._entity, column))
        validation = validation_of(column)
        if validation is not None:
            options = {**self._entry(place, validation), **_message(field, validation.caveat)}
            self._sheet.data_validation(1, place, SHEET_ROWS - 1, place, options)

    def _add_note(self, place: int, note: str) -> None:
        lines = sum(1 + len(line) // _NOTE_CHARACTERS for line in note.splitlines())
        height = (1 + min(lines, _MOST_NOTE_LINES)) * _LINE_HEIGHT
        self._sheet.write_comment(0, place, note, {"width": _NOTE_WIDTH, "height": height})

    def _entry(self, place: int, validation: Bounds | Choice) -> dict[str, object]:
        """What XlsxWriter is to let in."""
        if isinstance(validation, Bounds):
            return _between(validation)
        if _is_inline(validation.items):
            return {"validate": "list", "source": list(validation.items)}
        return {"validate": "list", "source": self._add_list(place, validation.items)}

    def _add_list(self, place: int, items: tuple[Item, ...]) -> str:
        """Write the items down the hidden sheet's column of the same place; gives their range."""
        if self._lists is None:
            self._lists = self._workbook.add_worksheet(LISTS)
            self._lists.hide()
        for row, item in enumerate(items):
            if isinstance(item, str):
                write_text(self._lists, (row, place), item, plain=self._plain, style=None)
            elif isinstance(item, date):
                self._lists.write_datetime(row, place, item, self._formats[CellKind.DATE])
            else:
                self._lists.write_number(row, place, item)
        return f"={xl_range_formula(LISTS, 0, place, len(items) - 1, place)}"


def _sheet_name(entity: str) -> str:
    """The entity's name as Excel takes it; names of entities have letters, digits, - and _ only."""
    name = entity[:_NAME_CHARACTERS]
    return f"{name}_" if name.lower() in _RESERVED else name


def _width(name: str) -> int:
    return min(max(len(name) + 4, 12), 40)


def _is_inline(items: tuple[Item, ...]) -> bool:
    """Whether the values can stand in the validation itself, where commas part them."""
    texts = [item for item in items if isinstance(item, str)]
    is_plain = len(texts) == len(items) and not any(
        text != text.strip() or not text.isprintable() or set(text) & set(',"') for text in texts
    )
    return is_plain and units_of(",".join(texts)) <= _LIST_UNITS


def _between(bounds: Bounds) -> dict[str, object]:
    low, high = _constant(bounds.low), _constant(bounds.high)
    if high is None:
        return {"validate": bounds.measure.value, "criteria": ">=", "value": low}
    if low is None:
        return {"validate": bounds.measure.value, "criteria": "<=", "value": high}
    return {
        "validate": bounds.measure.value,
        "criteria": "between",
        "minimum": low,
        "maximum": high,
    }


def _constant(bound: float | date | None) -> date | str | None:
    """A bound as it stands in a formula of Excel."""
    return bound if bound is None or isinstance(bound, date) else f"{bound:.15G}"


def _message(field: Field, caveat: str) -> dict[str, object]:
    """What is said of an entry that is not let in, or warned of."""
    rule = shortened(rule_of(field), _MESSAGE_UNITS - len(caveat) - 1)
    return {
        "error_title": shortened(field.title or field.name, _TITLE_UNITS),
        "error_message": f"{rule} {caveat}".strip(),
        "error_type": "warning" if caveat else "stop",
    }
