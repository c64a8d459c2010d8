"""The tools that run in limited children.

Nothing that makes threads may be imported here: the process that has loaded it is forked, and what
another thread holds at that moment is held for ever in the child.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from waybill.transforms import web_css, web_html, web_javascript
from waybill.transforms.tool import Tool
from waybill.transforms.xml_formatting import format_xml
from waybill.transforms.xml_to_yaml import xml_to_yaml
from waybill.transforms.yaml_formatting import format_yaml
from waybill.transforms.yaml_to_xml import yaml_to_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWN_BYTES: Final = 16 * 1024
"""Some hundredths of a second of our own code, in time linear in the content."""
_INDENTED: Final[Mapping[str, object]] = {"tab_space": 2}

_css = partial(
    Tool,
    suffixes=(".txt", ".css", ".log"),
    output=".css",
    is_contained=True,
    most_bytes=web_css.MOST_BYTES,
    own_bytes=_OWN_BYTES,
    sample=b"a{b:c}",
)
_html = partial(
    Tool,
    suffixes=(".txt", ".html"),
    output=".html",
    is_contained=True,
    most_bytes=web_html.MOST_BYTES,
    own_bytes=_OWN_BYTES,
    sample=b"<p>a</p>",
)
_javascript = partial(
    Tool,
    suffixes=(".txt", ".js", ".log"),
    output=".js",
    is_contained=True,
    most_bytes=web_javascript.MOST_BYTES,
    sample=b"if(a){b(1)}",
)
_xml = partial(
    Tool,
    suffixes=(".xml", ".txt", ".log"),
    is_contained=True,
    sample=b"<a><b>c</b></a>",
)
_yaml = partial(
    Tool,
    suffixes=(".yml", ".yaml", ".txt", ".log"),
    is_contained=True,
    sample=b"a:\n  - b\n",
)

CONTAINED: Final[Mapping[str, Tool]] = {
    "css-formatter": _css(action=web_css.format_css, takes=_INDENTED),
    "html-formatter": _html(action=web_html.format_html, takes=_INDENTED),
    "html-minify": _html(action=web_html.minify_html),
    "javascript-formatter": _javascript(action=web_javascript.format_javascript, takes=_INDENTED),
    "javascript-minify": _javascript(action=web_javascript.minify_javascript),
    "xml-formatter": _xml(action=format_xml, output=".xml", takes=_INDENTED),
    "xml-to-yaml": _xml(action=xml_to_yaml, output=".yaml", takes={"tab_space": 4}),
    "xml-validator": _xml(action=format_xml, output=".xml", takes=_INDENTED),
    "yaml-formatter": _yaml(action=format_yaml, output=".yaml", takes=_INDENTED),
    "yaml-to-xml": _yaml(
        action=yaml_to_xml, output=".xml", takes={"root_name": "root", **_INDENTED}
    ),
}
