"""Uploads in two steps: a promise with a signed form, then the file with all of its fields."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.apidatatools.errors import JSON, encode
from waybill.dialects.apidatatools.kinds import NAME, settings_of
from waybill.errors import NotAllowed, NotFound, RequestInvalid, StateConflict
from waybill.model.upload import UploadUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.dialect import Core, Request
    from waybill.engine.links import OpenedLink
    from waybill.model.job import InputFile
    from waybill.model.principal import Principal

FILE: Final = "file"
SUFFIXES: Final = "json|csv|xml|txt|yml|yaml|html|md|js|css|xls|xlsx|jpg|jpeg|png|gif|webp|sql|log"
NAME_CHARACTERS: Final = 100
FORM_BYTES: Final = 64 * 1024
"""What a form may have beside its file."""
_NAME: Final = re.compile(rf"[A-Za-z0-9_-]+\.(?i:{SUFFIXES})")
_UPLOAD: Final = re.compile(r"upl_[0-9a-f]{32}")
_ID_BYTES: Final = 16


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file goes, and what goes with it."""

    url: str
    fields: dict[str, str]


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that is waited for."""

    upload_id: str
    upload: Form


class _Wanted(msgspec.Struct, frozen=True):
    filename: str


def promise(core: Core, request: Request) -> Response:
    """Promise a file, and give the form that it comes with."""
    name = _file_name(request.body.raw)
    principal, settings = caller(request), settings_of(core)
    upload_id = f"upl_{core.ids.random_bytes(_ID_BYTES).hex()}"
    most = UploadUsage(pending=settings.pending_uploads, stored_bytes=settings.stored_bytes)
    core.uploads.promise(principal, upload_id, name, seconds=settings.form_seconds, most=most)
    user = f"user_{principal.project}"
    key = f"{user}/{upload_id}/{name}"
    link = core.links.make_for(principal.project, NAME, upload_id, key, settings.form_seconds)
    policy, _, signature = link.rpartition(".")
    fields = {
        "key": key,
        "x-amz-meta-user-id": user,
        "x-amz-meta-upload-id": upload_id,
        "x-amz-meta-original-filename": name,
        "policy": policy,
        "x-amz-signature": _to_hex(signature),
    }
    form = Form(url=f"{request.base_url}/uploads/{NAME}/{link}/", fields=fields)
    body = encode(Promise(upload_id=upload_id, upload=form))
    return Response(status=200, headers=JSON, body=body)


def precheck(core: Core, request: Request) -> None:
    """Refuse a file before it comes where its form is not good any more."""
    opened = _opened(core, request)
    try:
        upload = core.uploads.promised(opened.principal.project, opened.subject)
    except NotFound:
        raise _denied() from None
    if upload.file is not None:
        raise StateConflict("the file is here already", code="UPLOAD_EXISTS")


def most_bytes(core: Core, request: Request) -> int:
    """How large a form with its file may be: what the user may store at all."""
    opened = _opened(core, request)
    usage = core.uploads.usage(opened.principal.project)
    return max(settings_of(core).stored_bytes - usage.stored_bytes, 0) + FORM_BYTES


def receive(core: Core, request: Request) -> Response:
    """Keep a promised file, where its form is as it was given."""
    opened, settings = _opened(core, request), settings_of(core)
    _check_fields(opened, request.path_params["link"], request.body.fields)
    files = [stored.file for stored in request.body.files if stored.part == FILE]
    if len(files) != 1 or len(request.body.files) != 1:
        raise RequestInvalid(f"The form must have one file, in the part {FILE!r}.")
    try:
        core.uploads.keep(
            opened.principal.project,
            opened.subject,
            files[0],
            days=settings.upload_days,
            most_bytes=settings.stored_bytes,
        )
    except NotFound:
        raise _denied() from None
    return Response(status=204)


def find_upload(core: Core, principal: Principal, path: str) -> InputFile:
    """The caller's upload that a path means, in any of its documented spellings.

    A segment that is an id names the upload, and the last one its file; else the last one is the
    name of the file that came last.

    Raises:
        NotFound: there is none.
    """
    *above, name = path.split("/")
    for segment in above:
        if _UPLOAD.fullmatch(segment):
            file = core.uploads.stored(principal, segment)
            if file.name != name:
                raise NotFound("there is no such file", code="UPLOAD_NOT_FOUND")
            return file
    return core.uploads.newest(principal, name)


def _file_name(body: bytes) -> str:
    try:
        name = msgspec.json.decode(body, type=_Wanted).filename
    except (msgspec.DecodeError, RecursionError):
        raise RequestInvalid(
            'The body must be a JSON object such as {"filename": "data.json"}.',
            code="INVALID_REQUEST",
        ) from None
    if not _NAME.fullmatch(name) or len(name) > NAME_CHARACTERS:
        raise RequestInvalid(
            "filename must be letters, digits, _ and -, one dot, and one of the suffixes "
            f"{SUFFIXES.replace('|', ', ')}; at most {NAME_CHARACTERS} characters.",
            code="INVALID_FILENAME",
        )
    return name


def _opened(core: Core, request: Request) -> OpenedLink:
    try:
        opened = core.links.open(NAME, request.path_params["link"])
    except NotFound:
        raise _denied() from None
    if not _UPLOAD.fullmatch(opened.subject):
        raise _denied()
    return opened


def _check_fields(opened: OpenedLink, link: str, fields: Mapping[str, str]) -> None:
    """Let a form pass whose fields are as they were given."""
    policy, _, signature = link.rpartition(".")
    user, upload_id, name = opened.file.split("/")
    given = {
        "key": opened.file,
        "x-amz-meta-user-id": user,
        "x-amz-meta-upload-id": upload_id,
        "x-amz-meta-original-filename": name,
        "policy": policy,
        "x-amz-signature": _to_hex(signature),
    }
    if any(fields.get(field) != value for field, value in given.items()):
        raise _denied()


def _to_hex(signature: str) -> str:
    return base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)).hex()


def _denied() -> NotAllowed:
    return NotAllowed("the form is not good", scope="", code="UPLOAD_DENIED")
