"""``POST .../upload``: one CSV becomes one import; its header tells what it holds."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.tao.errors import JSON
from waybill.engine.commands import Submission
from waybill.errors import RequestInvalid
from waybill.model.options import (
    FileFormat,
    ImportOptions,
    MissingColumns,
    OnDuplicate,
    UnknownColumns,
)

if TYPE_CHECKING:
    from waybill.dialect import Core, Request
    from waybill.model.job import InputFile

FILE: Final = "file"
BUNDLE: Final = "tao_roster"
_ID_BYTES: Final = 16
_OPTIONS: Final = ImportOptions(
    format=FileFormat.CSV,
    delimiter=",",
    on_duplicate=OnDuplicate.APPLY,
    unknown_columns=UnknownColumns.REJECT,
    missing_columns=MissingColumns.KEEP,
)


class Accepted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a client asks with for progress and result."""

    reference_id: str


def upload(core: Core, request: Request) -> Response:
    """Accept a file, whatever is in it: its status tells."""
    reference = str(uuid.UUID(bytes=core.ids.random_bytes(_ID_BYTES), version=4))
    core.commands.submit_import(
        caller(request),
        Submission(
            entity=BUNDLE,
            options=_OPTIONS,
            file=_file(request),
            dialect="tao",
            external_id=reference,
        ),
    )
    body = msgspec.json.encode(Accepted(reference_id=reference))
    return Response(status=202, headers=JSON, body=body)


def _file(request: Request) -> InputFile:
    for stored in request.body.files:
        if stored.part == FILE:
            return stored.file
    raise RequestInvalid(f"the part {FILE!r} is missing")
