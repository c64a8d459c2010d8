"""The file tools of a process, and what fetches files for them."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from waybill.errors import SettingsInvalid
from waybill.outbound.fetching import HttpFetcher
from waybill.outbound.guard import Guard
from waybill.transforms.running import FileTools

if TYPE_CHECKING:
    from pathlib import Path

    from waybill.model.settings import Settings


def open_tools(settings: Settings, scratch: Path) -> FileTools:
    """All tools, under the limits of this server; their temporary files lie in ``scratch``."""
    folder = str(scratch.absolute())
    tempfile.tempdir = folder
    tools = FileTools(settings.limits, folder)
    tools.warm()
    return tools


def open_fetcher(settings: Settings) -> HttpFetcher:
    """What fetches, under the rules of this server.

    Raises:
        SettingsInvalid: an allowed network or a port is none.
    """
    outbound = settings.outbound
    try:
        guard = Guard.of(outbound.allowed_networks, list(map(int, outbound.ports)))
    except ValueError as error:
        raise SettingsInvalid(
            f"outbound.allowed_networks or outbound.ports are not right: {error}"
        ) from error
    return HttpFetcher(guard, fetch_seconds=outbound.fetch_seconds)
