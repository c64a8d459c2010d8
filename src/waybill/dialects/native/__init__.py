"""The native dialect: ``/v1/...``, JSON, RFC 9457 problems, bearer tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.dialect import Admission
from waybill.dialects.native.problems import render_error
from waybill.dialects.native.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ADMISSION", "NAME", "ROUTES", "SPACES", "authenticate", "render_error"]

NAME: str = "waybill"
SPACES: Sequence[str] = ("/v1",)
ADMISSION = Admission()


def authenticate(headers: Mapping[str, str]) -> str | None:
    """The token of ``Authorization: Bearer``, in any case; ``None`` where there is none."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return (secret.strip() or None) if scheme.lower() == "bearer" else None
