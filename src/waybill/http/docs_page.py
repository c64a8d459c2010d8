"""The OpenAPI document as one readable page: no script, nothing loaded from anywhere."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from typing import Any, Final

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--back:#fff;--panel:#f6f8fa;--link:#0550ae}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9ea7b3;--line:#3d444d;--back:#0d1117;--panel:#161b22;--link:#79b8ff}}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{margin:0;font:1rem/1.55 system-ui,sans-serif;color:var(--ink);background:var(--back);display:grid;grid-template-columns:17rem minmax(0,1fr)}
a{color:var(--link)}a:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--back);padding:.5rem}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem;border-right:1px solid var(--line);background:var(--panel)}
nav ul{list-style:none;margin:0 0 1rem;padding:0}nav li{margin:.3rem 0}nav a{text-decoration:none;font-size:.9rem}nav a:hover{text-decoration:underline}
main{padding:2rem 2.5rem;max-width:60rem}
h1{margin-top:0}h2{margin-top:3rem;border-bottom:1px solid var(--line)}h3{margin:2.2rem 0 .3rem}h4{margin:1rem 0 .2rem;font-size:.95rem;color:var(--soft)}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}h3 code{font-size:1em;overflow-wrap:anywhere}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.8rem;overflow:auto}
.method{display:inline-block;min-width:3.6rem;padding:.05rem .4rem;border-radius:4px;border:1px solid var(--line);background:var(--panel);font:600 .75rem/1.6 ui-monospace,monospace;text-align:center}
table{border-collapse:collapse;width:100%;font-size:.92rem;margin:.3rem 0 1rem}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600}
.scope{color:var(--soft);font-size:.9rem}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}main{padding:1rem}}
"""  # noqa: E501 - a style sheet reads well enough in long lines
STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()

_Json = Mapping[str, Any]


def render_page(document: _Json) -> str:
    """The page as HTML text."""
    info = document["info"]
    operations = list(_operations(document))
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body>",
            '<a class="skip" href="#main">Skip to the content</a>',
            _navigation(operations, document),
            f'<main id="main"><h1>{escape(info["title"])} API</h1>',
            f"<p>{escape(info['description'])} Version {escape(info['version'])}. ",
            '<a href="/openapi.json">OpenAPI document</a>, ',
            '<a href="/docs/errors">problem codes</a>.</p>',
            *(_operation(path, method, operation) for path, method, operation in operations),
            "<h2>Shapes</h2>",
            *(_shape(name, schema) for name, schema in document["components"]["schemas"].items()),
            "</main></body></html>",
        )
    )


def _operations(document: _Json) -> Iterator[tuple[str, str, _Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _navigation(operations: Sequence[tuple[str, str, _Json]], document: _Json) -> str:
    links = "".join(
        f'<li><a href="#{escape(operation["operationId"])}">{escape(operation["summary"])}</a></li>'
        for _, _, operation in operations
    )
    shapes = "".join(
        f'<li><a href="#shape-{escape(name)}">{escape(name)}</a></li>'
        for name in document["components"]["schemas"]
    )
    return (
        f'<nav aria-label="Contents"><strong>Requests</strong><ul>{links}</ul>'
        f"<strong>Shapes</strong><ul>{shapes}</ul></nav>"
    )


def _operation(path: str, method: str, operation: _Json) -> str:
    scope = operation.get("x-scope")
    needs = f"Needs a token with the scope <code>{escape(scope)}</code>." if scope else "Open."
    return "".join(
        (
            f'<section id="{escape(operation["operationId"])}">',
            (
                f'<h3><span class="method">{escape(method.upper())}</span> '
                f"<code>{escape(path)}</code></h3>"
            ),
            f"<p>{escape(operation['summary'])}. {escape(operation.get('description', ''))}</p>",
            f'<p class="scope">{needs}</p>',
            _parameters(operation.get("parameters", ())),
            _bodies(operation.get("requestBody", {}).get("content", {})),
            _answers(operation["responses"]),
            "</section>",
        )
    )


def _parameters(parameters: Sequence[_Json]) -> str:
    rows = [
        (
            f"<code>{escape(item['name'])}</code>",
            escape(item["in"]),
            _type(item["schema"]),
            escape(item.get("description", "")),
        )
        for item in parameters
    ]
    return _table("Parameters", ("Name", "Where", "Type", "Meaning"), rows)


def _bodies(content: _Json) -> str:
    rows = [
        (f"<code>{escape(media)}</code>", _body(item["schema"])) for media, item in content.items()
    ]
    return _table("Body", ("Content-Type", "Content"), rows)


def _body(schema: _Json) -> str:
    if "properties" not in schema:
        return escape(str(schema.get("description", "")))
    parts = "".join(
        f"<li><code>{escape(name)}</code>: {escape(str(item.get('description', '')))}</li>"
        for name, item in schema["properties"].items()
    )
    return f"<ul>{parts}</ul>"


def _answers(answers: _Json) -> str:
    rows = [
        (
            f"<code>{escape(status)}</code>",
            escape(answer["description"]),
            "<br>".join(
                f"<code>{escape(media)}</code> {_type(item['schema'])}"
                for media, item in answer.get("content", {}).items()
            ),
        )
        for status, answer in answers.items()
    ]
    return _table("Answers", ("Status", "Meaning", "Body"), rows)


def _shape(name: str, schema: _Json) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (
            f"<code>{escape(field)}</code>" + ("" if field in required else " (optional)"),
            _type(item),
            escape(str(item.get("description", ""))),
        )
        for field, item in schema.get("properties", {}).items()
    ]
    return (
        f'<section id="shape-{escape(name)}"><h3><code>{escape(name)}</code></h3>'
        f"<p>{escape(schema.get('description', ''))}</p>"
        + _table("Fields", ("Name", "Type", "Meaning"), rows)
        + "</section>"
    )


def _type(schema: _Json) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(_type(item) for item in schema[union])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(json.dumps(item))}</code>" for item in schema["enum"])
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    return escape(str(schema.get("type", "")))


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h4>{title}</h4><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
