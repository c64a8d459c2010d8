"""Which of the text formats a text is: by its content, then as declared, then by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from waybill.formats.format_choice import format_by_name, refuse_contradiction
from waybill.formats.json_cutting import fault_in
from waybill.model.options import FileFormat
from waybill.validation.json_structure import find_structure

if TYPE_CHECKING:
    from waybill.ports.reader import ReadOptions

_LINE_ENDS: Final = re.compile(rb"[\r\n]+")
_ARRAY: Final = re.compile(rb"\[\s*(?:[\[{\]]|$)")
_ARRAY_OF_SCALARS: Final = re.compile(rb'\[\s*(?:["0-9-]|true\b|false\b|null\b)')
_OBJECT: Final = re.compile(rb'\{\s*(?:["}]|$)')
_OBJECT_OF_LINES: Final = re.compile(rb"\{\s*[\r\n]")
_GOES_ON: Final = (b"[", b"{", b",", b":")
_HOLDS_ARRAY: Final = re.compile(rb'"\s*:\s*\[')


def choose_text_format(head: bytes, options: ReadOptions, *, is_whole: bool) -> FileFormat:
    """CSV, JSON or NDJSON; ``head``: the first lines of the text, or all where ``is_whole``.

    Raises:
        FileRefused: ``UNSUPPORTED_FORMAT``: an option declares something else than it is.
    """
    text = head.lstrip()
    found = _by_content(text, options, is_whole=is_whole)
    refuse_contradiction(found, options)
    return found


def _by_content(text: bytes, options: ReadOptions, *, is_whole: bool) -> FileFormat:
    wants_document = options.format is FileFormat.JSON or bool(options.records_path)
    is_named = _is_named(options, FileFormat.JSON)
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
    is_lines = _is_named(options, FileFormat.NDJSON) or options.format is FileFormat.NDJSON
    return FileFormat.NDJSON if is_lines else FileFormat.JSON


def _is_named(options: ReadOptions, name: FileFormat) -> bool:
    """Whether the name alone says what the file is."""
    return options.format is FileFormat.AUTO and format_by_name(options.file_name) is name


def _is_object(line: bytes) -> bool:
    """Whether a line has the outer form of one object, whatever is wrong within."""
    structure = find_structure(line)
    is_one = structure.depths.size and np.flatnonzero(structure.depths == 0).tolist() == [
        structure.depths.size - 1
    ]
    return bool(is_one) and line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}")
