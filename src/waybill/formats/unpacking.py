"""Limits on what packed data may become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.model.limits import Limits


def check_ratio(limits: Limits, *, consumed: int, produced: int) -> None:
    """Let so many unpacked bytes pass for so many packed ones.

    The ratio counts once ``limits.inflate_ratio_after_bytes`` have come out.

    Raises:
        FileRefused: ``DECOMPRESSION_LIMIT``, naming the limit and its size.
    """
    if produced > limits.inflated_bytes:
        allowed = limits.inflated_bytes
        raise file_refused("DECOMPRESSION_LIMIT", limit="inflated_bytes", allowed=allowed)
    if produced > limits.inflate_ratio_after_bytes and produced > limits.inflate_ratio * consumed:
        allowed = limits.inflate_ratio
        raise file_refused("DECOMPRESSION_LIMIT", limit="inflate_ratio", allowed=allowed)
