"""Rejected records as Trax reports them: their identifier, and what is wrong in its own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.model.entity import FieldType
from waybill.reports.json_text import as_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.dialects.trax.kinds import TraxKind
    from waybill.engine.downloads import RejectionStream
    from waybill.model.entity import Field
    from waybill.model.finding import Finding, Rejection

SHOWN_CHARACTERS: Final = 100
_COUNT: Final = re.compile("[0-9]+")
_WHOLE: Final = re.compile("-?(0|[1-9][0-9]{0,14})")
_NESTED: Final = re.compile("expected object, received ([a-z]+) in '(.*)'", re.DOTALL)
_NUMBERS: Final = (FieldType.NUMBER, FieldType.INTEGER)
_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.BOOLEAN: "Boolean",
    FieldType.LIST: "Array",
    FieldType.ARRAY: "Array",
    FieldType.OBJECT: "Object",
    **dict.fromkeys(_NUMBERS, "Number"),
}
_RECEIVED: Final[Mapping[str | None, str]] = {
    None: "String",
    "string": "String",
    "number": "Number",
    "boolean": "Boolean",
    "object": "Object",
    "array": "Array",
}
_MISSING: Final = frozenset({"REQUIRED", "KEY_MISSING"})
_OF_TYPE: Final = frozenset(
    {"TYPE_MISMATCH", "KIND_MISMATCH", "NUMBER_OUT_OF_RANGE", "LIST_ITEM", "JSON_SCHEMA"}
)
_TOLD_IN_FULL: Final = frozenset({"LIST_ITEM", "JSON_SCHEMA"})
"""Findings whose own message says more than what was expected."""


def write_rejections(stream: RejectionStream, kind: TraxKind) -> Iterator[bytes]:
    """The report as one JSON array, in pieces."""
    lead = b"["
    for rejection in stream.rejections:
        found = {
            kind.identifier: _identifier(stream, kind, rejection),
            "errors": errors_of(stream, rejection),
        }
        yield lead + msgspec.json.encode(found)
        lead = b",\n"
    yield b"]\n" if lead != b"[" else b"[]\n"


def rows_of(stream: RejectionStream, kind: TraxKind) -> Iterator[Sequence[str | int | None]]:
    """The same for a sheet: identifier, record, line, errors by lines."""
    place = stream.places.get(kind.identifier)
    for rejection in stream.rejections:
        identifier = _typed(_cell(rejection, place), rejection, place)
        errors = "\n".join(errors_of(stream, rejection))
        yield identifier, rejection.record, rejection.line, errors


def _typed(cell: str | None, rejection: Rejection, place: int | None) -> str | int | None:
    """A whole number of JSON as a number, as far as a sheet holds every digit."""
    is_number = place is not None and rejection.kind_of(place) == "number"
    return int(cell) if cell and is_number and _WHOLE.fullmatch(cell) else cell


def errors_of(stream: RejectionStream, rejection: Rejection) -> list[str]:
    """All that is wrong with a record, field by field in the order of the entity."""
    order = {name: number for number, name in enumerate(stream.fields)}
    findings = sorted(rejection.findings, key=lambda finding: order.get(finding.field or "", -1))
    return [_message(stream, rejection, finding) for finding in findings]


def _identifier(stream: RejectionStream, kind: TraxKind, rejection: Rejection) -> object:
    """The record's identifier as it was sent: a JSON number stays one."""
    place = stream.places.get(kind.identifier, len(rejection.cells))
    return as_written(_cell(rejection, place), rejection.kind_of(place))


def _cell(rejection: Rejection, place: int | None) -> str | None:
    has_cell = place is not None and place < len(rejection.cells)
    return rejection.cells[place] if has_cell and place is not None else None


def _message(stream: RejectionStream, rejection: Rejection, finding: Finding) -> str:
    name = finding.field
    if name is None:
        return _of_record(finding)
    if finding.code in _MISSING:
        return f"missing mandatory field : '{name}'"
    if finding.code == "FOREIGN_KEY":
        return f"incorrect value : '{name}' - '{_shown(finding.value)}' does not exist"
    field = stream.fields[name]
    told = _of_type(stream, rejection, finding) if finding.code in _OF_TYPE else ""
    if finding.code == "MAX_LENGTH" and field.type is FieldType.STRING:
        allowed, found = field.constraints.max_length, len(finding.value or "")
        told = f"expected String({allowed}) received String({found})"
    elif not told and finding.code == "NUMBER_OUT_OF_RANGE":
        told = f"expected {_bound(field, finding)} received '{_shown(finding.value)}'"
    elif not told and finding.expected and finding.code not in _TOLD_IN_FULL:
        told = f"expected {finding.expected} received '{_shown(finding.value)}'"
    return f"incorrect value : '{name}' - {told or finding.message}"


def _bound(field: Field, finding: Finding) -> str:
    """What a number that nothing can hold should be."""
    is_negative = (finding.value or "").startswith("-")
    rules = field.constraints
    bound, words = (rules.minimum, "at least") if is_negative else (rules.maximum, "at most")
    return f"{words} {bound}" if bound else "a number with fewer digits"


def _of_type(stream: RejectionStream, rejection: Rejection, finding: Finding) -> str:
    """The type that is expected and the one that came; nothing where they are the same."""
    name = finding.field or ""
    expected = _TYPES.get(stream.fields[name].type, "String")
    received = _RECEIVED[rejection.kind_of(stream.places.get(name, len(rejection.cells)))]
    return f"expected {expected} received {received}" if expected != received else ""


def _of_record(finding: Finding) -> str:
    counts = _COUNT.findall(finding.message)
    if finding.code == "FIELD_COUNT" and len(counts) == 2:  # noqa: PLR2004 - of the record, of the header
        return f"incorrect row : expected {counts[1]} fields received {counts[0]}"
    nested = _NESTED.fullmatch(finding.message)
    if nested:
        received = _RECEIVED.get(nested[1], "Null")
        return f"incorrect value : '{nested[2]}' - expected Object received {received}"
    return f"incorrect row : {finding.message}"


def _shown(value: str | None) -> str:
    return (value or "")[:SHOWN_CHARACTERS]
