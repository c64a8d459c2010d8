"""Which of the text formats a text is: by its content, then as declared, then by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.formats.json_cutting import fault_in
from waybill.formats.json_structure import find_structure
from waybill.model.options import FileFormat
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.ports.reader import ReadOptions

_LINE_ENDS: Final = re.compile(rb"[\r\n]+")
_ARRAY: Final = re.compile(rb"\[\s*(?:[\[{\]]|$)")
_ARRAY_OF_SCALARS: Final = re.compile(rb'\[\s*(?:["0-9-]|true\b|false\b|null\b)')
_OBJECT: Final = re.compile(rb'\{\s*(?:["}]|$)')
_OBJECT_OF_LINES: Final = re.compile(rb"\{\s*[\r\n]")
_GOES_ON: Final = (b"[", b"{", b",", b":")
_HOLDS_ARRAY: Final = re.compile(rb'"\s*:\s*\[')
_JSON_NAMES: Final = (".json", ".json.gz", ".json.zst")
_NDJSON_NAMES: Final = tuple(
    f".{kind}{packing}" for kind in ("ndjson", "jsonl") for packing in ("", ".gz", ".zst")
)
_SHOWN: Final = {
    FileFormat.CSV: "CSV text",
    FileFormat.JSON: "a JSON document",
    FileFormat.NDJSON: "NDJSON",
}


def choose_text_format(head: bytes, options: ReadOptions, *, is_whole: bool) -> FileFormat:
    """CSV, JSON or NDJSON; ``head``: the first lines of the text, or all where ``is_whole``.

    Raises:
        FileRefused: ``UNSUPPORTED_FORMAT``: an option declares something else than it is.
    """
    text = head.lstrip()
    found = _by_content(text, options, is_whole=is_whole)
    if text:
        _refuse_contradiction(found, options)
    return found


def _by_content(text: bytes, options: ReadOptions, *, is_whole: bool) -> FileFormat:
    wants_document = options.format is FileFormat.JSON or bool(options.records_path)
    is_named = options.format is FileFormat.AUTO and _has_name(options, _JSON_NAMES)
    if _ARRAY.match(text):
        return FileFormat.JSON
    if _ARRAY_OF_SCALARS.match(text) and options.format is not FileFormat.CSV:
        return FileFormat.JSON
    if not _OBJECT.match(text):
        return FileFormat.CSV
    lines = [line for line in _LINE_ENDS.split(text, maxsplit=2)[:2] if line.strip()]
    may_go_on = fault_in(lines[0]) is None and (
        wants_document or lines[0].rstrip().endswith(_GOES_ON)
    )
    if _is_object(lines[0]):
        is_alone = len(lines) == 1 and is_whole
        is_document = is_alone and (wants_document or (is_named and _HOLDS_ARRAY.search(text)))
        return FileFormat.JSON if is_document else FileFormat.NDJSON
    if not may_go_on and any(map(_is_object, lines)):
        return FileFormat.NDJSON
    return _by_name(text, options)


def _by_name(text: bytes, options: ReadOptions) -> FileFormat:
    """What begins as an object, but not as one line of NDJSON."""
    if _OBJECT_OF_LINES.match(text):
        return FileFormat.JSON
    is_named = options.format is FileFormat.AUTO and _has_name(options, _NDJSON_NAMES)
    is_lines = is_named or options.format is FileFormat.NDJSON
    return FileFormat.NDJSON if is_lines else FileFormat.JSON


def _has_name(options: ReadOptions, ends: tuple[str, ...]) -> bool:
    return options.file_name.lower().endswith(ends)


def _is_object(line: bytes) -> bool:
    """Whether a line has the outer form of one object, whatever is wrong within."""
    structure = find_structure(line)
    is_one = structure.depths.size and np.flatnonzero(structure.depths == 0).tolist() == [
        structure.depths.size - 1
    ]
    return bool(is_one) and line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}")


def _refuse_contradiction(found: FileFormat, options: ReadOptions) -> None:
    is_csv = found is FileFormat.CSV
    contradictions = {
        "format": options.format not in {FileFormat.AUTO, found},
        "records_path": bool(options.records_path) and found is not FileFormat.JSON,
        "delimiter": bool(options.delimiter) and not is_csv,
        "header": not options.has_header and not is_csv,
        "escaped": options.escaped and not is_csv,
    }
    for name, contradicts in contradictions.items():
        if contradicts:
            declared = _declared(name, options.format)
            accepted = f"{declared} that the option {name} declares"
            raise file_refused("UNSUPPORTED_FORMAT", found=_SHOWN[found], accepted=accepted)


def _declared(option: str, format_: FileFormat) -> str:
    if option == "format":
        return {**_SHOWN, FileFormat.JSON: "the JSON document"}.get(format_, format_.upper())
    return "the document" if option == "records_path" else "the CSV text"
