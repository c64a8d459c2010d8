"""Every file tool by its name. What each does and takes: docs/dialects/apidatatools.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.transforms.byte_codes import (
    decode_base16,
    decode_base32,
    decode_base64,
    encode_base16,
    encode_base32,
    encode_base64,
)
from waybill.transforms.contained.tools import CONTAINED
from waybill.transforms.csv_to_json import csv_to_json
from waybill.transforms.html_entities import decode_html
from waybill.transforms.json_base64 import base64_to_json, json_to_base64
from waybill.transforms.json_formatting import format_json, minify_json, validate_json
from waybill.transforms.json_tables import json_to_csv, json_to_tsv
from waybill.transforms.json_xml import json_to_xml
from waybill.transforms.json_yaml import json_to_yaml
from waybill.transforms.percent_coding import decode_url, encode_url
from waybill.transforms.text_minify import minify_text
from waybill.transforms.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.transforms.tool import Action

_TEXT: Final = (".txt",)
_LOG: Final = (".txt", ".log")
_HTML: Final = (".txt", ".html")
_JSON: Final = (".txt", ".json", ".log")
_CSV: Final = (".csv", ".txt", ".log")
_OF_CSV: Final[Mapping[str, object]] = {"has_header": True, "delimiter": "", "tab_space": 2}


def _json(action: Action, output: str, **takes: object) -> Tool:
    """A tool whose content is JSON."""
    return Tool(action=action, suffixes=_JSON, output=output, takes=takes, reads_json=True)


TOOLS: Final[Mapping[str, Tool]] = {
    **CONTAINED,
    "base16-decoder": Tool(action=decode_base16, suffixes=_LOG, output=".txt"),
    "base16-encoder": Tool(action=encode_base16, suffixes=_LOG, output=".txt"),
    "base32-decoder": Tool(action=decode_base32, suffixes=_LOG, output=".txt"),
    "base32-encoder": Tool(action=encode_base32, suffixes=_LOG, output=".txt"),
    "base64-decoder": Tool(action=decode_base64, suffixes=_LOG, output=".txt"),
    "base64-encoder": Tool(action=encode_base64, suffixes=_LOG, output=".txt"),
    "base64-to-json": Tool(action=base64_to_json, suffixes=_LOG, output=".json"),
    "csv-to-json": Tool(action=csv_to_json, suffixes=_CSV, output=".json", takes=_OF_CSV),
    "html-decoder": Tool(action=decode_html, suffixes=_HTML, output=".html"),
    "json-formatter": _json(format_json, ".json", tab_space=1),
    "json-minify": _json(minify_json, ".json"),
    "json-to-base64": _json(json_to_base64, ".txt"),
    "json-to-csv": _json(json_to_csv, ".csv"),
    "json-to-tsv": _json(json_to_tsv, ".tsv"),
    "json-to-xml": _json(json_to_xml, ".xml", root_name="root"),
    "json-to-yaml": _json(json_to_yaml, ".yaml"),
    "json-validator": _json(validate_json, ".json"),
    "text-minify": Tool(action=minify_text, suffixes=_TEXT, output=".txt"),
    "url-decode": Tool(action=decode_url, suffixes=_TEXT, output=".txt"),
    "url-encode": Tool(action=encode_url, suffixes=_TEXT, output=".txt", takes={"url_safe": True}),
}
