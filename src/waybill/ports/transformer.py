"""The file tools of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from waybill.model.transform import ToolFacts, ToolOptions


class Transformer(Protocol):
    """Runs file tools, each in constant memory or under its own limit."""

    @property
    def tools(self) -> Mapping[str, ToolFacts]:
        """All of them by name."""

    def run(
        self,
        tool: str,
        source: BinaryIO,
        target: BinaryIO,
        options: ToolOptions,
        while_running: Callable[[int], None],
    ) -> None:
        """Turn ``source`` into ``target``, both open files of this host.

        ``while_running`` is called now and then with the bytes read so far; what it raises ends
        the tool.

        Raises:
            ContentInvalid: the input is not what the tool takes.
        """
