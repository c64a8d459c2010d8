"""Rejected records as JSON, in one document or one per line: nothing is escaped for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.reports.json_text import encode, gather, json_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from waybill.model.finding import Finding, Rejection

_OPTIONAL: Final = ("cell", "pointer")


def write_json(
    columns: Sequence[str],
    rejections: Iterable[Rejection],
    trailer: Mapping[str, object] | None = None,
) -> Iterator[bytes]:
    """``{"rejections": [...], "total": N, "next": null}`` as pieces of UTF-8.

    One record of the array per line. ``trailer``: further members after ``next``. Memory does not
    grow with the number of rejections.
    """
    return gather(_parts(columns, rejections, trailer or {}))


def write_ndjson(columns: Sequence[str], rejections: Iterable[Rejection]) -> Iterator[bytes]:
    """The objects of ``write_json``, one per line."""
    return json_lines(rejection_document(columns, rejection) for rejection in rejections)


def _parts(
    columns: Sequence[str], rejections: Iterable[Rejection], trailer: Mapping[str, object]
) -> Iterator[bytes]:
    yield b'{"rejections":['
    total = 0
    for total, rejection in enumerate(rejections, start=1):
        before = b",\n" if total > 1 else b"\n"
        yield before + encode(rejection_document(columns, rejection))
    yield b"\n]," + encode({"total": total, "next": None, **trailer})[1:] + b"\n"


def rejection_document(columns: Sequence[str], rejection: Rejection) -> dict[str, object]:
    """One rejection in the native shape.

    ``data`` maps header names to raw cells, ``null`` for a missing one. ``extra`` is there only
    where a record has more cells than the header: those cells, in order; ``kinds`` where
    cells are known to be no strings: the kind of each of those by header name.
    """
    cells = rejection.cells
    padding = (None,) * (len(columns) - len(cells))
    document: dict[str, object] = {
        "record": rejection.record,
        "line": rejection.line,
        "byte": rejection.byte,
        "data": dict(zip(columns, cells + padding, strict=False)),
        "findings": [finding_document(columns, finding) for finding in rejection.findings],
    }
    if len(cells) > len(columns):
        document["extra"] = cells[len(columns) :]
    kinds = {name: rejection.kind_of(place) for place, name in enumerate(columns)}
    others = {name: kind for name, kind in kinds.items() if kind not in {None, "string"}}
    if others:
        document["kinds"] = others
    return document


def finding_document(columns: Sequence[str], finding: Finding) -> dict[str, object]:
    """One finding in the native shape; ``cell`` and ``pointer`` only where they are known.

    ``column_name`` is the header's spelling, where ``field`` is the entity's.
    """
    has_column = finding.column is not None and finding.column <= len(columns)
    document: dict[str, object] = {
        "code": finding.code,
        "level": finding.level,
        "field": finding.field,
        "column": finding.column,
        "column_name": columns[finding.column - 1] if has_column and finding.column else None,
        "value": finding.value,
        "expected": finding.expected,
        "message": finding.message,
        "hint": finding.hint,
    }
    for name in _OPTIONAL:
        place = getattr(finding, name)
        if place is not None:
            document[name] = place
    return document
