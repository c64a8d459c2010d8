"""``POST .../async-job``: three parts become one import."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.trax.errors import JSON
from waybill.dialects.trax.kinds import KINDS, USER, TraxKind, default_delimiter, user_kind
from waybill.engine.commands import Submission
from waybill.errors import RequestInvalid
from waybill.model.options import (
    BrokenJson,
    FileFormat,
    ImportOptions,
    MissingColumns,
    OnDuplicate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Core, Request
    from waybill.engine.first_looks import FirstLook
    from waybill.model.job import InputFile

T = TypeVar("T")
FILE: Final = "file"
ID_BYTES: Final = 16
DELIMITERS: Final = (",", ";", "\t", "|")
_NO_DELIMITER: Final = ('"', "\r", "\n", "\0")
LOOK_BYTES: Final = 4 * 1024 * 1024
"""A workbook must be read whole for a look: beyond this size mostly its run alone does."""

FORMATS: Final[Mapping[str, FileFormat]] = {
    "json": FileFormat.JSON,
    "csv": FileFormat.CSV,
    "xlsx": FileFormat.XLSX,
    "excel": FileFormat.XLSX,
}


def submit(core: Core, request: Request) -> Response:
    """Accept a file: 202 with where to ask for its progress."""
    if dict(request.query).get("uploadType", "multipart") != "multipart":
        raise _unparsable("uploadType must be multipart")
    kind = _choice(request, "entity_type", KINDS)
    file_format = _choice(request, "file_format", FORMATS)
    job_id = core.ids.random_bytes(ID_BYTES).hex()
    file = _file(request)
    file = replace(file, name=file.name or f"{job_id}.{file_format.value}")
    version = request.path_params["version"]
    options = _options(request, file_format, default=default_delimiter(kind, version))
    look = _look(core, kind, file, options)
    other = _other_delimiter(options, look) if "delimiter" not in request.body.fields else ""
    if other:
        options = replace(options, delimiter=other)
        look = _look(core, kind, file, options)
    if look is not None and not look.has_records:
        raise RequestInvalid("the file has no record", code="FILE_EMPTY")
    if kind is USER:
        kind = user_kind(version, look.columns if look else ())
    core.commands.submit_import(
        caller(request),
        Submission(
            entity=kind.entity,
            options=replace(
                options, absent_members=kind.absent, missing_columns=kind.missing_columns
            ),
            file=file,
            dialect="trax",
            external_id=job_id,
        ),
    )
    project = request.path_params["project"]
    location = f"{version}/{project}/async-job/status/{job_id}"
    body = msgspec.json.encode({"id": job_id})
    return Response(status=202, headers={**JSON, "location": location}, body=body)


def _choice(request: Request, part: str, known: Mapping[str, T]) -> T:
    """What a part of text names."""
    text = request.body.fields.get(part)
    if text is None:
        raise _unparsable(f"the part {part} is missing")
    word = _bare(text).strip()
    found = known.get(word.removeprefix(".").lower())
    if found is None:
        raise _unparsable(f"the part {part} is {word[:40]!r}, not one of {', '.join(known)}")
    return found


def _bare(text: str) -> str:
    """A value without the quotes that some clients put around it; a lone tab stays."""
    bare = text.strip() or text
    return bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] == '"' else bare


def _file(request: Request) -> InputFile:
    for stored in request.body.files:
        if stored.part == FILE:
            return stored.file
    raise _unparsable(f"the part {FILE} is missing")


def _other_delimiter(options: ImportOptions, look: FirstLook | None) -> str:
    """Another delimiter that the header has, where it lacks the one of the options."""
    if options.format is not FileFormat.CSV or look is None or len(look.columns) != 1:
        return ""
    return next((mark for mark in DELIMITERS if mark in look.columns[0]), "")


def _options(request: Request, file_format: FileFormat, *, default: str) -> ImportOptions:
    delimiter = _bare(request.body.fields.get("delimiter", "")) or default
    if len(delimiter) > 1 or delimiter in _NO_DELIMITER or not delimiter.isascii():
        raise _unparsable("the part delimiter must be one character of ASCII, and no quote")
    return ImportOptions(
        format=file_format,
        delimiter=delimiter if file_format is FileFormat.CSV else "",
        on_duplicate=OnDuplicate.APPLY,
        missing_columns=MissingColumns.REJECT,
        record_members=",".join(KINDS),
        broken_json=BrokenJson.FAIL,
    )


def _look(core: Core, kind: TraxKind, file: InputFile, options: ImportOptions) -> FirstLook | None:
    is_large = options.format is FileFormat.XLSX and file.size_bytes > LOOK_BYTES
    if is_large and kind is not USER:  # whose users they are, their columns alone say
        return None
    return core.insights.first_look(file, options, kind.entity)


def _unparsable(details: str) -> RequestInvalid:
    return RequestInvalid(details, code="REQUEST_INVALID")
