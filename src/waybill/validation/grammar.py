"""The one written grammar of every field type: what text is a value, and which value.

Each grammar is SQL over two operands: the text (missing cells are decided before) and the result
of the grammar's own ``typed`` expression. The text is held against an RE2 pattern, since DuckDB's
casts are generous.

============  ===================================================================  ==============
type          written form (format ``default``)                                    column
============  ===================================================================  ==============
string, any   any text                                                             text
integer       ``-?[0-9]+``, at most 64 bits (up to 38 digits where a bound needs)  int64 (text)
number        ``[+-]?[0-9]+(.[0-9]+)?`` with an exponent or not; NaN, INF, -INF    float64
boolean       one of trueValues, falseValues                                       bool
date          ``YYYY-MM-DD``, years 0001 to 9999                                   text, ISO
time          ``hh:mm:ss``                                                         text, ISO
datetime      ``YYYY-MM-DDThh:mm:ss``, fraction and offset optional                text, ISO, UTC
year          four digits and more, a minus sign or not                            int64
yearmonth     ``YYYY-MM``                                                          text
duration      ISO 8601 ``PnYnMnWnDTnHnMnS``                                        text
others        as the standard says                                                 text
============  ===================================================================  ==============

Numbers become the nearest double, with a warning where that differs; text that needs more than 38
digits on either side of the point, or lies beyond a double, is out of range. Leap seconds and hour
24 are no times.

Source: Table Schema (Data Package v2), sections Field Types and Field Constraints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from waybill.model.entity import FieldType
from waybill.validation import grammar_json, grammar_number, grammar_text, grammar_time
from waybill.validation.grammar_kit import Column, FormatUnknown, Grammar, Operands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from waybill.model.entity import Field

__all__ = ["Column", "FormatUnknown", "Grammar", "Operands", "column_of", "grammar_of"]


def grammar_of(field: Field, on: Operands) -> Grammar:
    """The grammar of a field's type and format over those operands.

    Raises:
        FormatUnknown: the type has no such format.
    """
    if field.type is FieldType.LIST:
        return grammar_text.listing(field, on, grammar_of)
    return _GRAMMARS[field.type](field, on)


def column_of(field: Field) -> Column:
    """What the typed column of a field holds; secrets are hashes, hence text."""
    return "text" if field.secret else grammar_of(field, Operands(text="v", typed="t")).column


_GRAMMARS: Final[Mapping[FieldType, Callable[[Field, Operands], Grammar]]] = {
    FieldType.STRING: grammar_text.string,
    FieldType.ANY: grammar_text.anything,
    FieldType.NUMBER: grammar_number.number,
    FieldType.INTEGER: grammar_number.integer,
    FieldType.YEAR: grammar_number.year,
    FieldType.BOOLEAN: grammar_text.boolean,
    FieldType.OBJECT: grammar_json.json_object,
    FieldType.ARRAY: grammar_json.json_array,
    FieldType.GEOJSON: grammar_json.geojson,
    FieldType.GEOPOINT: grammar_json.geopoint,
    FieldType.DATE: grammar_time.date,
    FieldType.TIME: grammar_time.time,
    FieldType.DATETIME: grammar_time.datetime,
    FieldType.YEARMONTH: grammar_time.yearmonth,
    FieldType.DURATION: grammar_time.duration,
}
