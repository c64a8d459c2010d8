"""What is plugged in: the dialects that come with Waybill, and sinks of others.

Adding a dialect is its module and one line here. Sinks of other packages are entry points of the
group ``waybill.sinks``; an entity names the one it uses.
"""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, Protocol, cast

from waybill.dialects import apidatatools, native, tao, trax, voyado
from waybill.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from waybill.dialect import Dialect
    from waybill.ports.sink import Sink

SINK_GROUP: Final = "waybill.sinks"
"""Entry points of this group make sinks."""

DIALECTS: Final[dict[str, Dialect]] = {
    "waybill": native,
    "trax": trax,
    "tao": tao,
    "voyado": voyado,
    "apidatatools": apidatatools,
}
"""Every wire contract that a server answers, by the name that credentials carry."""


class SinkFactory(Protocol):
    """What an entry point of ``waybill.sinks`` names."""

    def __call__(self, settings: Mapping[str, object], directory: Path) -> Sink:
        """A sink that may keep files of its own in ``directory``."""


def load_sink_factory(name: str) -> SinkFactory:
    """The factory of the sink that another package offers under that name.

    Raises:
        SettingsInvalid: no package offers it, two do, or it cannot be loaded.
    """
    offered = entry_points(group=SINK_GROUP)
    found = tuple(offered.select(name=name))
    if not found:
        nearest = difflib.get_close_matches(name, sorted(offered.names), n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise SettingsInvalid(f"no installed package offers a sink named {name!r}{hint}")
    if len(found) > 1:
        packages = ", ".join(sorted(point.value for point in found))
        raise SettingsInvalid(f"the sink {name!r} is offered more than once: {packages}")
    try:
        return cast("SinkFactory", found[0].load())
    except (ImportError, AttributeError) as error:
        raise SettingsInvalid(f"the sink {name!r} cannot be loaded: {error}") from error
