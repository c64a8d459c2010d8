"""APIDataTools: file tools at once or as jobs, uploads in two steps, hints for polling.

Contract: docs/dialects/apidatatools.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.dialect import Admission
from waybill.dialects.apidatatools.errors import render_error
from waybill.dialects.apidatatools.routes import ROUTES, SPACES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ADMISSION", "NAME", "ROUTES", "SPACES", "authenticate", "render_error"]

NAME: str = "apidatatools"
ADMISSION = Admission(before_method=True)


def authenticate(headers: Mapping[str, str]) -> str | None:
    """The key of ``x-api-key``, ``None`` where there is none."""
    return headers.get("x-api-key", "").strip() or None
