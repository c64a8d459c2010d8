"""TAO Advance: roster CSVs behind OAuth2, their progress, and reports behind links.

Contract: docs/dialects/tao.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.dialect import Access, Admission
from waybill.dialects.tao.errors import render_error
from waybill.dialects.tao.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ADMISSION", "NAME", "ROUTES", "SPACES", "authenticate", "render_error"]

NAME: str = "tao"
SPACES: Sequence[str] = (
    "/api/v1/upload",
    "/api/v1/uploadpi",
    "/api/v1/status",
    "/api/v1/download",
    "/api/v1/oauth2",
    "/v1/oauth2",
    "/files/tao",
)
ADMISSION = Admission(access=Access.ISSUED, before_method=True)
_WORDS: Final = 2


def authenticate(headers: Mapping[str, str]) -> str | None:
    """The token of ``Authorization: Bearer``, ``None`` where there is none."""
    words = headers.get("authorization", "").split()
    return words[1] if len(words) == _WORDS and words[0].lower() == "bearer" else None
