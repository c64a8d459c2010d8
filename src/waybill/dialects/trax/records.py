"""``GET .../entity/{kind}``: what is stored, page by page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from waybill.dialect import Response, caller
from waybill.dialects.trax.errors import JSON
from waybill.dialects.trax.kinds import KINDS, LOGIN, USER, TraxKind
from waybill.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from waybill.dialect import Core, Request
    from waybill.model.ids import ProjectName
    from waybill.ports.sink import RecordSlice

DEFAULT_PAGE: Final = 200
LARGEST_PAGE: Final = 1_000
WORDS: Final = ("store", "user", "route")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_NESTED: Final[Mapping[str, tuple[str, ...]]] = {
    "trax_route": ("stores", "users", "cycles"),
    "trax_login": ("routes", "stores"),
}
"""Fields that the reads show inside of ``entities``."""

_SORTED_BY: Final[Mapping[str, str]] = {
    "email": "authentication_login",
    **{f"additionalAttribute{number}": f"attribute_{number}" for number in range(1, 11)},
}
"""Names that users of version 6 are shown under -> the fields that they are stored as."""

_JSON_FIELDS: Final = frozenset({"store_additional_attributes", "cycles"})
_NO_SCALARS: Final = _JSON_FIELDS | {"stores", "users", "routes", "roles"}
"""What records are not sorted by."""


class PageLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of pages, which count from 0 there."""

    self: str
    first: str
    previous: str | None
    next: str | None
    last: str


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """Which page it is, counted from 1, of how many."""

    page: int
    per_page: int
    page_count: int
    total_count: int
    links: PageLinks


def records(core: Core, request: Request) -> Response:
    """A page of the stored records of a kind."""
    word = request.path_params["entity"]
    if word not in WORDS:
        raise NotFound("there is no such kind of record", code="PATH_NOT_FOUND")
    is_bare = word == "user" and int(request.path_params["version"][1:]) >= 6  # noqa: PLR2004 - as documented
    kind = (USER if is_bare else LOGIN) if word == "user" else KINDS[word]
    asked = dict(request.query)
    page, sort = _number(asked.get("page"), 0), asked.get("sort", "")
    sort = "" if sort in _NO_SCALARS else sort
    per_page = min(max(_number(asked.get("per_page"), DEFAULT_PAGE), 1), LARGEST_PAGE)
    found = core.insights.record_slice(
        caller(request),
        kind.entity,
        sort=_SORTED_BY.get(sort, sort) if is_bare else sort,
        offset=page * per_page,
        limit=per_page,
    )
    if is_bare:
        body: object = _users(found, caller(request).project, first=page * per_page + 1)
    else:
        metadata = _metadata(request, page, per_page, found.total)
        pairs = zip(found.records, found.changed_at, strict=True)
        body = {"metadata": metadata, word: [_shown(kind, *pair) for pair in pairs]}
    return Response(status=200, headers=JSON, body=msgspec.json.encode(body))


def _users(found: RecordSlice, project: ProjectName, *, first: int) -> list[dict[str, object]]:
    return [_user(number, each, project) for number, each in enumerate(found.records, first)]


def _shown(
    kind: TraxKind, record: Mapping[str, object], changed_at: datetime | None
) -> dict[str, object]:
    """A record with its links to others inside of ``entities``, and when it was changed last."""
    shown = {
        name: _decoded(value) if name in _JSON_FIELDS else value for name, value in record.items()
    }
    nested = _NESTED.get(kind.entity, ())
    if nested:
        shown["entities"] = {name: _list(shown.pop(name, None)) for name in nested}
    if "is_deleted" in shown:
        shown["is_deleted"] = bool(shown["is_deleted"])
    shown["last_update_time"] = int(changed_at.timestamp()) if changed_at else None
    return shown


def _decoded(value: object) -> object:
    """What is kept as the text of JSON."""
    return msgspec.json.decode(value) if isinstance(value, str) else value


def _user(number: int, record: Mapping[str, object], project: ProjectName) -> dict[str, object]:
    """A user as version 6 shows one."""
    roles = _list(record.get("roles"))
    names = [record.get("first_name"), record.get("last_name")]
    return {
        "pk": number,
        "email": record.get("authentication_login"),
        "username": record["username"],
        "fullName": " ".join(str(name) for name in names if name),
        "userType": None,
        "scopeType": None,
        "creationTime": None,
        "status": "ACTIVE" if roles else "INACTIVE",
        "project": project,
        "roles": roles,
        "consumerLicense": "-",
        **{f"additionalAttribute{n}": record.get(f"attribute_{n}") for n in range(1, 11)},
        "apps": [],
    }


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [part.strip() for part in str(value).split(",") if part.strip()] if value else []


def _metadata(request: Request, page: int, per_page: int, total: int) -> Metadata:
    last = max(-(-total // per_page) - 1, 0)

    def address(number: int) -> str:
        query = {**dict(request.query), "page": number, "per_page": per_page}
        return f"{request.base_url}{request.path}?{urlencode(query)}"

    return Metadata(
        page=page + 1,
        per_page=per_page,
        page_count=last + 1,
        total_count=total,
        links=PageLinks(
            self=address(page),
            first=address(0),
            previous=address(page - 1) if page else None,
            next=address(page + 1) if page < last else None,
            last=address(last),
        ),
    )


def _number(text: str | None, default: int) -> int:
    """A number of a query; anything else is as if it were not there."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else default
