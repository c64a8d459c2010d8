"""Whether two packed files hold the same, though they were packed at different times."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from waybill.errors import FileRefused
from waybill.formats.content import Packing, look_into, read_up_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.model.limits import Limits

PIECE_BYTES: Final = 1024 * 1024


def hold_the_same(path: str, other: str, limits: Limits, while_reading: Callable[[], None]) -> bool:
    """Whether two stored files, whose bytes differ, are packed alike and hold the same bytes.

    They are read up to the first difference. ``while_reading`` is called now and then; what it
    raises ends it.
    """
    try:
        one, two = look_into(path, limits), look_into(other, limits)
        if one.packing is not two.packing or one.packing in {Packing.NONE, Packing.ZIP}:
            return False
        with closing(one.open()) as first, closing(two.open()) as second:
            while True:
                while_reading()
                (piece, is_last), (twin, _) = (
                    read_up_to(stream, PIECE_BYTES) for stream in (first, second)
                )
                if piece != twin:
                    return False
                if is_last:
                    return True
    except (FileRefused, FileNotFoundError):
        return False
