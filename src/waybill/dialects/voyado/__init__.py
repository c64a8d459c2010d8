"""Voyado Elevate: imports of feeds that are answered within a wait, polled, guarded, and read back.

Contract: docs/dialects/voyado.md.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Final

from waybill.dialect import Admission
from waybill.dialects.voyado.errors import render_error
from waybill.dialects.voyado.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ADMISSION", "NAME", "ROUTES", "SPACES", "authenticate", "render_error"]

NAME: str = "voyado"
SPACES: Sequence[str] = (
    "/api/v2/import",
    "/api/v2/export",
    "/api/v1/import",
    "/api/admin/v3/import",
    "/api/admin/v4/import",
)
ADMISSION = Admission(
    before_method=True,
    host_suffixes=(".api.esales.apptus.cloud", ".elevate-api.cloud"),
)
_BASIC: Final = "basic"


def authenticate(headers: Mapping[str, str]) -> str | None:
    """The key of ``Api-Key``, or the password of Basic, as the first generation sends it."""
    key = headers.get("api-key", "").strip()
    if key:
        return key
    scheme, _, told = headers.get("authorization", "").partition(" ")
    if scheme.lower() != _BASIC:
        return None
    try:
        _, _, password = b64decode(told.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return password or None
