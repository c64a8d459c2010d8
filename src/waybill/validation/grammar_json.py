"""Grammars of object, array, geojson and geopoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.validation.grammar_kit import Grammar, refuse_format
from waybill.validation.sql import full_match, is_text_of

if TYPE_CHECKING:
    from waybill.model.entity import Field
    from waybill.validation.grammar_kit import Operands

_NUMBER: Final = r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,38})?"
_GEOMETRIES: Final = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
)


def json_object(field: Field, on: Operands) -> Grammar:
    """JSON objects, kept as text; depth and NaN are judged by ``json_cells.py``."""
    _only_default(field)
    return Grammar(
        form=_when_json(on.text, f"json_type({on.text}) = 'OBJECT'"),
        canonical=on.text,
        order=f"CAST(json({on.text}) AS VARCHAR)",
        size=f"len(json_keys({on.text}))",
        unit="members",
        expected="a JSON object",
    )


def json_array(field: Field, on: Operands) -> Grammar:
    """JSON arrays, kept as text; depth and NaN are judged by ``json_cells.py``."""
    _only_default(field)
    return Grammar(
        form=_when_json(on.text, f"json_type({on.text}) = 'ARRAY'"),
        canonical=on.text,
        order=f"CAST(json({on.text}) AS VARCHAR)",
        size=f"json_array_length({on.text})",
        unit="items",
        expected="a JSON array",
    )


def geojson(field: Field, on: Operands) -> Grammar:
    """GeoJSON (RFC 7946) or TopoJSON objects by their type and its own members."""
    kinds = {"default": _is_geojson(on.text), "topojson": _is_topojson(on.text)}
    if field.format not in kinds:
        raise refuse_format("geojson", field.format, ", ".join(kinds))
    return Grammar(
        form=_when_json(on.text, f"coalesce({kinds[field.format]}, FALSE)"),
        canonical=on.text,
        order=f"CAST(json({on.text}) AS VARCHAR)",
        expected="a TopoJSON object" if field.format == "topojson" else "a GeoJSON object",
    )


def geopoint(field: Field, on: Operands) -> Grammar:
    """Longitude and latitude in degrees, within their ranges."""
    patterns = {
        "default": (rf"({_NUMBER}), ?({_NUMBER})", 'a point such as "90.50, 45.50"'),
        "array": (rf"\[\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\]", "a point such as [90.50, 45.50]"),
        "object": (
            rf'\{{\s*"lon"\s*:\s*({_NUMBER})\s*,\s*"lat"\s*:\s*({_NUMBER})\s*\}}',
            'a point such as {"lon": 90.50, "lat": 45.50}',
        ),
    }
    if field.format not in patterns:
        raise refuse_format("geopoint", field.format, ", ".join(patterns))
    pattern, expected = patterns[field.format]
    if field.format == "object":
        pattern += rf'|\{{\s*"lat"\s*:\s*({_NUMBER})\s*,\s*"lon"\s*:\s*({_NUMBER})\s*\}}'
    return Grammar(
        form=full_match(on.text, pattern),
        valid=_in_range(on.text, swapped=r'^\{\s*"lat"'),
        canonical=on.text,
        order=on.text,
        expected=f"{expected}, longitude and latitude in degrees",
    )


def _when_json(value: str, condition: str) -> str:
    return f"CASE WHEN json_valid({value}) THEN {condition} ELSE FALSE END"


def _is_geojson(value: str) -> str:
    kind = f"json_extract_string({value}, '$.type')"
    return (
        f"json_type({value}) = 'OBJECT' AND CASE"
        f" WHEN {is_text_of(kind, _GEOMETRIES)}"
        f" THEN json_type({value}, '$.coordinates') = 'ARRAY'"
        f" WHEN {kind} = 'GeometryCollection' THEN json_type({value}, '$.geometries') = 'ARRAY'"
        f" WHEN {kind} = 'Feature' THEN json_type({value}, '$.geometry') IN ('OBJECT', 'NULL')"
        f" WHEN {kind} = 'FeatureCollection' THEN json_type({value}, '$.features') = 'ARRAY'"
        " ELSE FALSE END"
    )


def _is_topojson(value: str) -> str:
    return (
        f"json_type({value}) = 'OBJECT'"
        f" AND json_extract_string({value}, '$.type') = 'Topology'"
        f" AND json_type({value}, '$.objects') = 'OBJECT'"
        f" AND json_type({value}, '$.arcs') = 'ARRAY'"
    )


def _in_range(value: str, *, swapped: str) -> str:
    numbers = f"regexp_extract_all({value}, '[+-]?[0-9][0-9.]*')"
    first, second = f"TRY_CAST({numbers}[1] AS DOUBLE)", f"TRY_CAST({numbers}[2] AS DOUBLE)"
    normal = f"abs({first}) <= 180 AND abs({second}) <= 90"
    turned = f"abs({second}) <= 180 AND abs({first}) <= 90"
    choice = f"CASE WHEN regexp_matches({value}, '{swapped}') THEN {turned} ELSE {normal} END"
    return f"coalesce({choice}, FALSE)"


def _only_default(field: Field) -> None:
    if field.format != "default":
        raise refuse_format(field.type.value, field.format, "default")
