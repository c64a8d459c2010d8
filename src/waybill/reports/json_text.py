"""JSON as a stream: values encoded one by one, gathered into pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BUFFER_BYTES: Final = 256 * 1024

encode = msgspec.json.Encoder().encode
"""A value as compact JSON in UTF-8."""


def as_written(cell: str | None, kind: str | None) -> str | msgspec.Raw | None:
    """A cell of a rejection, and its ``kind_of``, as the JSON value that the file has.

    A number keeps its digits. Text where the cell is no JSON: masked, or not of this world (NaN).
    """
    if cell is None or kind in {None, "string"}:
        return cell
    try:
        msgspec.json.decode(cell)
    except msgspec.DecodeError:
        return cell
    return msgspec.Raw(cell.encode())


def json_lines(values: Iterable[object]) -> Iterator[bytes]:
    """The values as NDJSON, one per line, in pieces of about 256 KiB."""
    return gather(encode(value) + b"\n" for value in values)


def gather(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about 256 KiB."""
    buffer = bytearray()
    for part in parts:
        buffer += part
        if len(buffer) >= _BUFFER_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
