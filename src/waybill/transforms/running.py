"""Runs file tools: in this process, or in a limited child where a library parses the input."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from waybill.transforms.contained.launcher import Nursery, refused
from waybill.transforms.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from waybill.model.limits import Limits
    from waybill.model.transform import ToolFacts, ToolOptions


class FileTools:
    """The tools of one process. See ``Transformer``; safe to use from several threads."""

    def __init__(self, limits: Limits, scratch: str) -> None:
        """Use ``scratch``, an absolute folder, for the temporary files of children."""
        self._limits = limits
        self._nursery = Nursery(limits, scratch)

    @property
    def tools(self) -> Mapping[str, ToolFacts]:
        """See ``Transformer.tools``."""
        return TOOLS

    def run(
        self,
        tool: str,
        source: BinaryIO,
        target: BinaryIO,
        options: ToolOptions,
        while_running: Callable[[int], None],
    ) -> None:
        """See ``Transformer.run``."""
        chosen = TOOLS[tool]
        if not chosen.is_contained or 0 < os.fstat(source.fileno()).st_size <= chosen.own_bytes:
            chosen.action(_Watched(source, while_running), target, options, self._limits)
            return
        report = self._nursery.run(tool, source, target, options, while_running)
        if report is None or report.code:
            raise refused(report, self._limits)

    def warm(self) -> None:
        """Make ready what the first run would wait for."""
        self._nursery.warm()

    def close(self) -> None:
        """End what runs beside this process."""
        self._nursery.close()


@dataclass(slots=True)
class _Watched:
    """A source that tells how much of it was read, and lets that end the tool."""

    stream: BinaryIO
    while_running: Callable[[int], None]
    read_bytes: int = 0

    def read(self, size: int) -> bytes:
        piece = self.stream.read(size)
        self.read_bytes += len(piece)
        self.while_running(self.read_bytes)
        return piece
