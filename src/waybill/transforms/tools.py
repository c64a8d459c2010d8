"""Every file tool by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.transforms.tool import Tool

TOOLS: Final[Mapping[str, Tool]] = {}
