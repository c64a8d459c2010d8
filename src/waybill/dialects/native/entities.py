"""Entities: their schemas, templates and stored records; and the server's limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import quote

from waybill.dialect import Response, attachment, caller
from waybill.dialects.native import parameters
from waybill.dialects.native.jobs import XLSX
from waybill.dialects.native.rendering import json_response
from waybill.dialects.native.shapes import (
    EntitiesShape,
    EntityLinks,
    EntityShape,
    LimitsShape,
    RecordsShape,
)

if TYPE_CHECKING:
    from waybill.dialect import Core, Request
    from waybill.engine.insights import EntitySummary


def list_entities(core: Core, request: Request) -> Response:
    """All entities."""
    shapes = [_shape(entity, request.base_url) for entity in core.insights.entities()]
    return json_response(EntitiesShape(entities=shapes))


def read_entity(core: Core, request: Request) -> Response:
    """An entity's Table Schema descriptor, fit to be saved and checked against."""
    entity = core.insights.entity(request.path_params["name"])
    names = {"name": entity.name, "title": entity.title, "description": entity.description}
    return json_response({**names, **entity.descriptor, "name": entity.name})


def template_csv(core: Core, request: Request) -> Response:
    """A CSV file with the entity's header line."""
    name = request.path_params["name"]
    return _template(f"{name}.csv", "text/csv; charset=utf-8", core.insights.template_csv(name))


def template_xlsx(core: Core, request: Request) -> Response:
    """A workbook with the entity's columns, their types and rules."""
    name = request.path_params["name"]
    return _template(f"{name}.xlsx", XLSX, core.insights.template_xlsx(name))


def records(core: Core, request: Request) -> Response:
    """A page of the project's stored records."""
    cursor, limit = parameters.page(request, core.limits)
    name = request.path_params["name"]
    page = core.insights.records(caller(request), name, cursor, limit)
    return json_response(RecordsShape(records=page.records, next=page.next))


def limits(core: Core, _request: Request) -> Response:
    """The limits of this server."""
    shape = LimitsShape(limits=asdict(core.limits), requests_per_second=core.rate_per_second)
    return json_response(shape)


def _template(name: str, media_type: str, body: bytes) -> Response:
    headers = {"content-type": media_type, "content-disposition": attachment(name)}
    return Response(status=200, headers=headers, body=body)


def _shape(entity: EntitySummary, base_url: str) -> EntityShape:
    address = f"{base_url}/v1/entities/{quote(entity.name, safe='')}"
    return EntityShape(
        name=entity.name,
        title=entity.title,
        description=entity.description,
        links=EntityLinks(
            self=address,
            template=f"{address}/template.csv",
            template_xlsx=f"{address}/template.xlsx",
            records=f"{address}/records",
        ),
    )
