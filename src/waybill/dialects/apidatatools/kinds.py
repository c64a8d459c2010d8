"""What the paths of APIDataTools are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.errors import NotFound
from waybill.model.settings import ApidatatoolsSettings

if TYPE_CHECKING:
    from waybill.dialect import Core
    from waybill.model.transform import ToolFacts

NAME: Final = "apidatatools"
PATH_SUFFIX: Final = "-api"


def settings_of(core: Core) -> ApidatatoolsSettings:
    """What the server is told about this dialect."""
    found = core.own_settings.get(NAME)
    return found if isinstance(found, ApidatatoolsSettings) else ApidatatoolsSettings()


def find_tool(core: Core, segment: str) -> tuple[str, ToolFacts]:
    """The name and the facts of the tool at a path; raises ``NotFound``."""
    name = segment.removesuffix(PATH_SUFFIX)
    facts = core.transforms.tools.get(name)
    if facts is None or name == segment:
        raise NotFound("there is no such tool", code="PATH_NOT_FOUND")
    return name, facts


def output_of(core: Core, tool: str) -> str:
    """The suffix of what a tool makes."""
    facts = core.transforms.tools.get(tool)
    return facts.output if facts is not None else ".bin"
