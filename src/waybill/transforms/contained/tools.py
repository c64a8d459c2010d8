"""The tools that run in limited children.

Nothing that makes threads may be imported here: the process that has loaded it is forked, and what
another thread holds at that moment is held for ever in the child.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.transforms import web_css, web_html, web_javascript
from waybill.transforms.tool import Tool
from waybill.transforms.xml_formatting import format_xml
from waybill.transforms.xml_to_yaml import xml_to_yaml
from waybill.transforms.yaml_formatting import format_yaml
from waybill.transforms.yaml_to_xml import yaml_to_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.transforms.tool import Action

_HTML: Final = (".txt", ".html")
_XML: Final = (".xml", ".txt", ".log")
_YAML: Final = (".yml", ".yaml", ".txt", ".log")


def _javascript(action: Action, suffixes: tuple[str, ...], **takes: object) -> Tool:
    """A tool whose content is JavaScript."""
    return Tool(
        action=action,
        suffixes=suffixes,
        output=".js",
        takes=takes,
        is_contained=True,
        most_bytes=web_javascript.MOST_BYTES,
        fault="INVALID_JAVASCRIPT",
    )


def _xml(action: Action, output: str, **takes: object) -> Tool:
    """A tool whose content is XML, which a library parses."""
    fault = "INVALID_XML"
    return Tool(
        action=action, suffixes=_XML, output=output, takes=takes, is_contained=True, fault=fault
    )


def _yaml(action: Action, output: str, **takes: object) -> Tool:
    """A tool whose content is YAML, which a library parses."""
    fault = "INVALID_YAML"
    return Tool(
        action=action, suffixes=_YAML, output=output, takes=takes, is_contained=True, fault=fault
    )


CONTAINED: Final[Mapping[str, Tool]] = {
    "css-formatter": Tool(
        action=web_css.format_css,
        suffixes=(".txt", ".css", ".log"),
        output=".css",
        takes={"tab_space": 2},
        is_contained=True,
        most_bytes=web_css.MOST_BYTES,
        fault="INVALID_CSS",
    ),
    "html-formatter": Tool(
        action=web_html.format_html,
        suffixes=_HTML,
        output=".html",
        takes={"tab_space": 2},
        is_contained=True,
        most_bytes=web_html.MOST_BYTES,
        fault="INVALID_HTML",
    ),
    "html-minify": Tool(
        action=web_html.minify_html,
        suffixes=_HTML,
        output=".html",
        is_contained=True,
        most_bytes=web_html.MOST_BYTES,
        fault="INVALID_HTML",
    ),
    "javascript-formatter": _javascript(
        web_javascript.format_javascript, (".txt", ".js", ".log"), tab_space=2
    ),
    "javascript-minify": _javascript(web_javascript.minify_javascript, (".js", ".txt", ".log")),
    "xml-formatter": _xml(format_xml, ".xml", tab_space=2),
    "xml-to-yaml": _xml(xml_to_yaml, ".yaml", tab_space=4),
    "xml-validator": _xml(format_xml, ".xml", tab_space=2),
    "yaml-formatter": _yaml(format_yaml, ".yaml", tab_space=2),
    "yaml-to-xml": _yaml(yaml_to_xml, ".xml", root_name="root", tab_space=2),
}
