"""Rejected records as one JSON document, streamed: raw values, nothing escaped for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from waybill.model.finding import Finding, Rejection

_BUFFER_BYTES: Final = 256 * 1024
_OPTIONAL: Final = ("cell", "pointer")
_encode = msgspec.json.Encoder().encode


def write_json(
    columns: Sequence[str],
    rejections: Iterable[Rejection],
    trailer: Mapping[str, object] | None = None,
) -> Iterator[bytes]:
    """``{"rejections": [...], "total": N, "next": null}`` as pieces of UTF-8.

    One record of the array per line. ``trailer``: further members after ``next``. Memory does not
    grow with the number of rejections.
    """
    buffer = bytearray(b'{"rejections":[')
    total = 0
    for rejection in rejections:
        buffer += b",\n" if total else b"\n"
        buffer += _encode(rejection_document(columns, rejection))
        total += 1
        if len(buffer) >= _BUFFER_BYTES:
            yield bytes(buffer)
            buffer.clear()
    tail = _encode({"total": total, "next": None, **(trailer or {})})
    buffer += b"\n]," + tail[1:] + b"\n"
    yield bytes(buffer)


def rejection_document(columns: Sequence[str], rejection: Rejection) -> dict[str, object]:
    """One rejection in the native shape.

    ``data`` maps header names to raw cells, ``null`` for a missing one. ``extra`` is there only
    where a record has more cells than the header: those cells, in order.
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
