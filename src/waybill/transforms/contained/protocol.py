"""What the server and the nursery of its children say to each other."""

from __future__ import annotations

from typing import Final

import msgspec

from waybill.model.transform import ToolOptions

ORDER_BYTES: Final = 64 * 1024
DESCRIPTORS: Final = 4
"""What comes with an order: source, target, the line for the report, the lifeline."""

STORAGE_FULL: Final = "STORAGE_FULL"
"""The code of a report that the content has no part in."""


TOO_LARGE: Final = "PAYLOAD_TOO_LARGE"
"""The code for content that could not be read within the limits of a child."""


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of a tool, in one message; its open files come with it.

    ``seconds``: of a processor that it may take.
    """

    tool: str
    options: ToolOptions
    seconds: int


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run ended; an empty ``code`` is success. None comes from a child that died."""

    code: str = ""
    message: str = ""
    line: int | None = None
    column: int | None = None
