"""Trax: async jobs for stores, users and routes, rejection files behind links, read-back.

Contract: docs/dialects/trax.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.dialect import Admission
from waybill.dialects.trax.errors import render_error
from waybill.dialects.trax.routes import ROUTES
from waybill.errors import RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ADMISSION", "NAME", "ROUTES", "SPACES", "authenticate", "render_error"]

NAME: str = "trax"
SPACES: Sequence[str] = (
    "/api/{version}/{project}",
    "/api/{version}/{project}/async-job",
    "/api/{version}/{project}/entity",
    "/{version}/{project}/async-job",
    "/files/trax",
)
ADMISSION = Admission(project_rate_per_second=150)
_SCHEME: Final = "auth-token"


def authenticate(headers: Mapping[str, str]) -> str | None:
    """The token of ``Authorization: Auth-Token``, in any case; ``None`` where there is none.

    Raises:
        RequestInvalid: another scheme, or several words.
    """
    scheme, *words = headers.get("authorization", "").split() or [""]
    if not words:
        return None
    if scheme.lower() != _SCHEME or len(words) > 1:
        raise RequestInvalid("invalid token", code="AUTHORIZATION_MALFORMED")
    return words[0]
