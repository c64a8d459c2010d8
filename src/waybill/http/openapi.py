"""The OpenAPI 3.1 document, made from the routes of the dialects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.dialect import BodyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from waybill.dialect import Answer, Dialect, Route

REFERENCE: Final = "#/components/schemas/{name}"
PARAMETER: Final = re.compile(r"\{([^}]+)\}")
IDEMPOTENCY_KEY: Final[Mapping[str, object]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "1 to 255 visible characters. The same key with the same request gives the first answer "
        "again; with another request it is refused."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def describe(dialects: Sequence[Dialect], *, version: str) -> dict[str, object]:
    """The document as JSON values: all dialects' paths, their shapes, their credentials."""
    routes = [(dialect, route) for dialect in dialects for route in dialect.ROUTES]
    structs = _structs(route for _, route in routes)
    shapes, components = msgspec.json.schema_components(structs, ref_template=REFERENCE)
    shape_of = dict(zip(structs, shapes, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for dialect, route in routes:
        operation = _operation(dialect, route, shape_of)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waybill",
            "version": version,
            "description": "Bulk imports as jobs: submit a file, follow the job, fetch what was "
            "rejected and why.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": dialect.NAME} for dialect in dialects],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _structs(routes: Iterable[Route]) -> list[type]:
    found: dict[type, None] = {}
    for route in routes:
        for answer in route.answers.values():
            if answer.struct is not None:
                found[answer.struct] = None
    return list(found)


def _operation(
    dialect: Dialect, route: Route, shape_of: Mapping[type, Mapping[str, object]]
) -> dict[str, object]:
    operation: dict[str, object] = {
        "operationId": _operation_id(dialect, route),
        "tags": [dialect.NAME],
        "summary": route.summary,
        "responses": {
            str(status): _answer(answer, shape_of)
            for status, answer in sorted(route.answers.items())
        },
    }
    if route.description:
        operation["description"] = route.description
    parameters = list(_parameters(route))
    if parameters:
        operation["parameters"] = parameters
    if route.body is not BodyKind.NONE:
        operation["requestBody"] = _request_body(route)
    if route.scope is not None:
        operation["security"] = [{"token": []}]
        operation["x-scope"] = route.scope.value
    return operation


def _operation_id(dialect: Dialect, route: Route) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "_", route.path).strip("_") or "root"
    return f"{dialect.NAME}_{route.method.lower()}_{words}"


def _parameters(route: Route) -> Iterable[Mapping[str, object]]:
    for name in PARAMETER.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for place, parameters in (("query", route.query), ("header", route.headers)):
        for parameter in parameters:
            yield {
                "name": parameter.name,
                "in": place,
                "required": False,
                "description": parameter.description,
                "schema": parameter.schema,
            }
    if route.idempotent_by_key:
        yield IDEMPOTENCY_KEY


def _request_body(route: Route) -> Mapping[str, object]:
    content = {media: {"schema": schema} for media, schema in route.request_media.items()}
    return {"required": True, "content": content}


def _answer(answer: Answer, shape_of: Mapping[type, Mapping[str, object]]) -> Mapping[str, object]:
    described: dict[str, object] = {"description": answer.description}
    if answer.struct is not None:
        schema: Mapping[str, object] = shape_of[answer.struct]
        described["content"] = {
            **{media: {"schema": schema} for media in answer.media_types},
            **{media: {"schema": {}} for media in answer.also},
        }
    elif answer.media_types:
        described["content"] = {media: {"schema": {}} for media in answer.media_types}
    if answer.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in answer.headers.items()
        }
    return described
