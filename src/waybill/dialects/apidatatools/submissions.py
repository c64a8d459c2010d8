"""``POST /{tool}-api``: a tool on content, at once; on a URL or an upload, as a job."""

from __future__ import annotations

import re
import uuid
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.apidatatools.errors import JSON, encode
from waybill.dialects.apidatatools.kinds import NAME, find_tool, settings_of
from waybill.dialects.apidatatools.options import read_options
from waybill.dialects.apidatatools.results import result_at_once
from waybill.dialects.apidatatools.uploads import find_upload
from waybill.engine.transforms import TransformSubmission
from waybill.errors import ContentInvalid, MediaTypeUnsupported, RequestInvalid
from waybill.model.transform import InputRole, TransformTerms

if TYPE_CHECKING:
    from waybill.dialect import Core, Request
    from waybill.model.job import InputFile
    from waybill.model.transform import ToolFacts

BODY: Final = "body"
URL: Final = "url"
FILE: Final = "file"
_WRAPPED: Final = re.compile(rb"\s*\{\s*\"content\"\s*:\s*\"")
_JSON_BEGINS: Final = ("{", "[")
_HEAD_BYTES: Final = 256
_ID_BYTES: Final = 16


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks with for the state of its job."""

    status: str = "accepted"
    job_id: str
    status_url: str
    request_id: str


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a request beside its job."""

    request_id: str


class _Wrapper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    content: str


class _Reference(msgspec.Struct, frozen=True):
    url: str | None = None
    file: str | None = None


def precheck(core: Core, request: Request) -> None:
    """Refuse before the body is read what can be known by then."""
    _, facts = find_tool(core, request.path_params["tool"])
    _source_type(request)
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise MediaTypeUnsupported("A tool takes the raw content as its body, not a form.")
    read_options(facts, request.headers)


def most_bytes(core: Core, request: Request) -> int:
    """How large a body may be."""
    if _source_type(request) == BODY:
        return settings_of(core).sync_bytes
    return core.limits.small_body_bytes


def submit(core: Core, request: Request) -> Response:
    """Answer at once, or accept a job."""
    tool, facts = find_tool(core, request.path_params["tool"])
    terms = TransformTerms(tool=tool, options=read_options(facts, request.headers))
    source = _source_type(request)
    if source == BODY:
        return _answer(core, request, terms)
    reference = _reference(request.body.raw, source)
    if source == FILE:
        file = find_upload(core, caller(request), reference)
        _check_suffix(facts, file.name)
        return _accept(core, request, terms, file)
    core.transforms.check_address(reference)
    _check_suffix(facts, unquote(urlsplit(reference).path))
    address = core.transforms.keep(encode({"url": reference}), "application/json")
    at = TransformTerms(tool=tool, options=terms.options, role=InputRole.ADDRESS)
    return _accept(core, request, at, address)


def _answer(core: Core, request: Request, terms: TransformTerms) -> Response:
    reads_json = core.transforms.tools[terms.tool].reads_json
    stored = request.body.files[0].file if request.body.files else None
    try:
        content = _unwrapped(core, stored or request.body.raw, reads_json=reads_json)
        if not content:
            raise ContentInvalid("The request body is empty.", code="EMPTY_INPUT")
        made = core.transforms.run_now(terms, content)
    finally:
        if stored is not None:
            core.commands.discard_upload(stored)
    told = result_at_once(core, request, made, tool=terms.tool, request_id=_new_uuid(core))
    return Response(status=200, headers=JSON, body=encode(told))


def _accept(core: Core, request: Request, terms: TransformTerms, file: InputFile) -> Response:
    job_id, request_id = _new_uuid(core), _new_uuid(core)
    submission = TransformSubmission(
        terms=terms,
        file=file,
        dialect=NAME,
        external_id=job_id,
        dialect_data=encode(RequestFacts(request_id=request_id)).decode(),
    )
    core.transforms.submit(caller(request), submission)
    told = Accepted(
        job_id=job_id,
        status_url=f"{request.base_url}/jobs/{job_id}",
        request_id=request_id,
    )
    return Response(status=202, headers=JSON, body=encode(told))


def _source_type(request: Request) -> str:
    source = request.headers.get("x-source-type", BODY).strip().lower() or BODY
    if source not in {BODY, URL, FILE}:
        raise RequestInvalid("x-source-type must be body, url or file", code="INVALID_SOURCE_TYPE")
    return source


def _reference(body: bytes, source: str) -> str:
    """The URL or the path that the body names."""
    try:
        found = msgspec.json.decode(body, type=_Reference)
    except (msgspec.DecodeError, RecursionError):
        found = _Reference()
    reference = found.url if source == URL else found.file
    if not reference:
        raise RequestInvalid(
            f'The body must be a JSON object such as {{"{source}": "..."}}.', code="INVALID_REQUEST"
        )
    return reference


def _unwrapped(core: Core, content: InputFile | bytes, *, reads_json: bool) -> InputFile | bytes:
    """The text of ``{"content": "..."}`` where that is no content itself, else the content."""
    if not _WRAPPED.match(_beginning(core, content, _HEAD_BYTES)):
        return content
    try:
        wrapper = msgspec.json.decode(_beginning(core, content), type=_Wrapper)
    except (msgspec.DecodeError, RecursionError):
        return content
    text = wrapper.content
    if reads_json and not _is_document(text):
        return content
    return text.encode("utf-8", "surrogatepass")


def _beginning(core: Core, content: InputFile | bytes, size: int | None = None) -> bytes:
    """The first bytes of a content, or all of them."""
    if isinstance(content, bytes):
        return content[:size]
    return core.insights.beginning(content, content.size_bytes if size is None else size)


def _is_document(text: str) -> bool:
    """Whether a text is meant to be a JSON object or array; whether it is, its tool tells."""
    return text.lstrip(" \t\r\n").startswith(_JSON_BEGINS)


def _check_suffix(facts: ToolFacts, name: str) -> None:
    if PurePosixPath(name).suffix.lower() not in facts.suffixes:
        raise RequestInvalid(
            f"The file must be one of {', '.join(facts.suffixes)}.", code="UNSUPPORTED_FILE_TYPE"
        )


def _new_uuid(core: Core) -> str:
    return str(uuid.UUID(bytes=core.ids.random_bytes(_ID_BYTES), version=4))
