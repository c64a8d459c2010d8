"""What every handler asks of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waybill.dialect import Request
    from waybill.model.principal import Principal


def caller(request: Request) -> Principal:
    """The principal; every route with a scope has one."""
    if request.principal is None:
        raise TypeError("a route without a scope has no caller")
    return request.principal
