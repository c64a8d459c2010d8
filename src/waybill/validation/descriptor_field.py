"""The fields of a descriptor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.model.entity import Constraints, Field, FieldType, Trim
from waybill.model.limits import PATTERN_CHARACTERS, Limits
from waybill.validation.descriptor_prefix import check_prefixes
from waybill.validation.grammar import FormatUnknown, Operands, grammar_of
from waybill.validation.json_cells import json_fault
from waybill.validation.json_schema import compile_schema
from waybill.validation.kinds import parse_kinds
from waybill.validation.member_paths import is_member_path, path_fault
from waybill.validation.node import as_node, did_you_mean, refusal
from waybill.validation.probe import Claim, Range, crossed, misfits, pattern_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from waybill.validation.grammar import Grammar
    from waybill.validation.node import Node

RESERVED: Final = "_"
"""Names that begin so belong to the columns of reports and sinks."""

_KEYS: Final = (
    "name",
    "type",
    "format",
    "title",
    "description",
    "example",
    "constraints",
    "missingValues",
    "rdfType",
    "waybill",
)
_TYPE_KEYS: Final[Mapping[str, tuple[FieldType, ...]]] = {
    "decimalChar": (FieldType.NUMBER,),
    "groupChar": (FieldType.NUMBER, FieldType.INTEGER),
    "bareNumber": (FieldType.NUMBER, FieldType.INTEGER),
    "trueValues": (FieldType.BOOLEAN,),
    "falseValues": (FieldType.BOOLEAN,),
    "delimiter": (FieldType.LIST,),
    "itemType": (FieldType.LIST,),
    "categories": (FieldType.STRING, FieldType.INTEGER),
    "categoriesOrdered": (FieldType.STRING, FieldType.INTEGER),
}
_OUR_KEYS: Final = (
    "aliases",
    "default",
    "trim",
    "secret",
    "kinds",
    "requiredOnCreate",
    "present",
    "immutable",
    "patched",
    "generated",
    "repeatable",
    "columnPrefix",
    "ignoreCase",
    "itemEnum",
)
_CONSTRAINTS: Final = (
    "required",
    "unique",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "pattern",
    "enum",
    "jsonSchema",
)
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COMPARABLE: Final = (FieldType.STRING, FieldType.INTEGER)
_ITEM_TYPES: Final = ("string", "integer", "boolean", "number", "datetime", "date", "time")
_TRIMS: Final[Mapping[object, Trim]] = {
    True: Trim.BOTH,
    False: Trim.NONE,
    "both": Trim.BOTH,
    "none": Trim.NONE,
}


def parse_fields(schema: Node) -> tuple[Field, ...]:
    """The fields of a schema, in order, their names different.

    Raises:
        SchemaInvalid: with the place and the reason.
    """
    items = schema.items("fields")
    if not items:
        raise schema.refusal("fields", "must be an array of at least one field")
    missing = _missing_values(schema, ("",))
    fields: dict[str, Field] = {}
    claims: list[Claim] = []
    ranges: list[Range] = []
    for index, item in enumerate(items):
        node = as_node(item, f"{schema.pointer}/fields/{index}")
        field = _field(node, missing)
        if field.name in fields:
            raise node.refusal("name", f"there are two fields {field.name!r}")
        fields[field.name] = field
        claims += _claims(node, field)
        ranges += _ranges(node, field)
    for wrong in misfits(claims):
        raise refusal(wrong.pointer, f"{wrong.text!r} is no value of {wrong.field.name!r}")
    for empty in crossed(ranges):
        raise refusal(empty.pointer, f"no value lies between {empty.low} and {empty.high}")
    _check_aliases(schema, fields)
    check_prefixes(schema, tuple(fields.values()))
    return tuple(fields.values())


def _patched(ours: Node, kind: FieldType) -> bool:
    if ours.flag("patched") and kind is not FieldType.OBJECT:
        raise ours.refusal("patched", "goes with a field of type object")
    return ours.flag("patched")


def _field(node: Node, missing: tuple[str, ...]) -> Field:
    kind = _type(node)
    _check_keys(node, kind)
    ours = node.child("waybill")
    ours.only(_OUR_KEYS)
    field = Field(
        name=_name(node),
        type=kind,
        format=node.text("format", "default").removeprefix("fmt:"),
        title=node.text("title"),
        description=node.text("description"),
        missing_values=_missing_values(node, missing),
        aliases=ours.texts("aliases", ()),
        trim=_trim(ours),
        secret=ours.flag("secret"),
        required_on_create=ours.flag("requiredOnCreate"),
        present=ours.flag("present"),
        immutable=ours.flag("immutable"),
        patched=_patched(ours, kind),
        generated=ours.flag("generated"),
        repeatable=ours.flag("repeatable"),
        column_prefix=ours.text("columnPrefix"),
        ignore_case=ours.flag("ignoreCase"),
        item_enum=ours.texts("itemEnum", ()) or None,
    )
    field = _with_type_properties(node, field)
    _check_ours(ours, field)
    field = replace(field, kinds=parse_kinds(ours, field))
    field = replace(field, constraints=_constraints(node, field), categories=_categories(node))
    _check_format(node, field)
    if "default" in ours.value:
        field = replace(field, default=as_text(ours.value["default"], field))
        _check_default(ours, field)
    if "example" in node.value:
        field = replace(field, example=as_text(node.value["example"], field))
    return field


def _check_ours(ours: Node, field: Field) -> None:
    """Refuse keys of ours that say nothing of a field of this type."""
    if field.ignore_case and field.type is not FieldType.BOOLEAN:
        raise ours.refusal("ignoreCase", f"does not apply to fields of type {field.type}")
    if field.immutable and (field.type not in _COMPARABLE or field.secret):
        raise ours.refusal("immutable", "needs a string or whole number that is no secret")
    if "itemEnum" not in ours.value:
        return
    if field.type is not FieldType.LIST or field.item_type is not FieldType.STRING:
        raise ours.refusal("itemEnum", "needs a list of strings")
    if not field.item_enum:
        raise ours.refusal("itemEnum", "must hold at least one item")
    for item in field.item_enum:
        if not item or field.delimiter in item:
            raise ours.refusal("itemEnum", f"{item!r} is no item of such a list")


def _check_default(ours: Node, field: Field) -> None:
    """Cells are judged by their JSON Schema, a default in their stead is judged here."""
    schema = field.constraints.json_schema
    if schema is None or field.default is None:
        return
    validator = compile_schema(msgspec.json.decode(schema))
    fault = json_fault(field.default, validator, is_secret=field.secret)
    if fault is not None:
        raise ours.refusal("default", f"breaks the jsonSchema of the field: {fault.reason}")


def _name(node: Node) -> str:
    name = node.text("name")
    if not name or any(ord(character) < ord(" ") for character in name):
        raise node.refusal("name", "must be text without control characters")
    if len(name) > Limits().header_name_characters:
        raise node.refusal("name", f"is longer than {Limits().header_name_characters} characters")
    if name.startswith(RESERVED):
        raise node.refusal("name", "must not begin with '_': such names are kept for reports")
    return name


def _type(node: Node) -> FieldType:
    name = node.text("type", "any")
    try:
        return FieldType(name)
    except ValueError:
        raise node.refusal(
            "type",
            f"there is no type {name!r}{did_you_mean(name, [each.value for each in FieldType])}",
        ) from None


def _check_keys(node: Node, kind: FieldType) -> None:
    for key, types in _TYPE_KEYS.items():
        if key in node.value and kind not in types:
            raise node.refusal(key, f"belongs to fields of type {' or '.join(types)}")
    node.only((*_KEYS, *_TYPE_KEYS))


def _missing_values(node: Node, default: tuple[str, ...]) -> tuple[str, ...]:
    """Texts, or objects of ``value`` and ``label``, as texts."""
    items = node.items("missingValues")
    if items is None:
        return default
    return tuple(
        dict.fromkeys(_labelled(node, "missingValues", at, each) for at, each in enumerate(items))
    )


def _labelled(node: Node, key: str, index: int, item: object) -> str:
    if isinstance(item, str):
        return item
    entry = as_node(item, f"{node.pointer}/{key}/{index}")
    entry.only(("value", "label"))
    if "value" not in entry.value:
        raise entry.refusal("", "needs 'value'")
    return entry.text("value")


def _trim(ours: Node) -> Trim:
    value = ours.value.get("trim", False)
    if not isinstance(value, bool | str) or value not in _TRIMS:
        raise ours.refusal("trim", 'must be true, "both" or "none"')
    return _TRIMS[value]


def _with_type_properties(node: Node, field: Field) -> Field:
    item_type = node.text("itemType", "string")
    if item_type not in _ITEM_TYPES:
        raise node.refusal("itemType", "must be one of " + ", ".join(_ITEM_TYPES))
    changed = replace(
        field,
        decimal_char=node.text("decimalChar", field.decimal_char),
        group_char=node.text("groupChar", field.group_char),
        bare_number=node.flag("bareNumber", default=True),
        true_values=node.texts("trueValues", field.true_values),
        false_values=node.texts("falseValues", field.false_values),
        delimiter=node.text("delimiter", field.delimiter),
        item_type=FieldType(item_type),
    )
    _check_type_properties(node, changed)
    return changed


def _check_type_properties(node: Node, field: Field) -> None:
    for key, text in (("decimalChar", field.decimal_char), ("groupChar", field.group_char)):
        if any(character.isalnum() or character in "+-" for character in text):
            raise node.refusal(key, "must not hold letters, digits or signs")
    if not field.decimal_char or field.decimal_char == field.group_char:
        raise node.refusal("decimalChar", "must not be empty, nor the same as groupChar")
    if not field.delimiter:
        raise node.refusal("delimiter", "must not be empty")
    if not field.true_values or not field.false_values:
        raise node.refusal("trueValues", "and falseValues must not be empty")
    both = set(field.true_values) & set(field.false_values)
    if both:
        raise node.refusal("trueValues", f"{min(both)!r} is also one of falseValues")


def _check_format(node: Node, field: Field) -> None:
    try:
        grammar_of(field, Operands(text="v", typed="t"))
    except FormatUnknown as error:
        raise node.refusal("format", str(error)) from error


def _categories(node: Node) -> tuple[str, ...] | None:
    node.flag("categoriesOrdered")
    items = node.items("categories")
    if items is None:
        return None
    values = [
        as_node(each, f"{node.pointer}/categories/{at}").value.get("value", "")
        if isinstance(each, dict)
        else each
        for at, each in enumerate(items)
    ]
    if not values or not all(isinstance(value, str | int) for value in values):
        raise node.refusal("categories", "must hold texts or whole numbers")
    return tuple(str(value) for value in values)


def _constraints(node: Node, field: Field) -> Constraints:
    rules = node.child("constraints")
    rules.only(_CONSTRAINTS)
    _check_applicable(rules, field)
    bounds = {key: as_text(rules.value[key], field) for key in _BOUNDS if key in rules.value}
    shortest, longest = rules.count("minLength"), rules.count("maxLength")
    if shortest is not None and longest is not None and shortest > longest:
        raise rules.refusal("minLength", f"is more than maxLength, which is {longest}")
    enum = rules.items("enum")
    if enum is not None and not enum:
        raise rules.refusal("enum", "must hold at least one value")
    if field.type is FieldType.STRING:
        _check_texts(rules, enum or ())
    return Constraints(
        required=rules.flag("required"),
        unique=rules.flag("unique"),
        min_length=shortest,
        max_length=longest,
        minimum=bounds.get("minimum"),
        maximum=bounds.get("maximum"),
        exclusive_minimum=bounds.get("exclusiveMinimum"),
        exclusive_maximum=bounds.get("exclusiveMaximum"),
        pattern=_pattern(rules),
        enum=None if enum is None else tuple(as_text(each, field) for each in enum),
        json_schema=_json_schema(rules),
    )


def _check_texts(rules: Node, enum: Sequence[object]) -> None:
    """In YAML an unquoted NO is false, and 007 is 7: neither is what such an enum means."""
    for at, member in enumerate(enum):
        if not isinstance(member, str):
            raise refusal(f"{rules.pointer}/enum/{at}", f"{member!r} must be text: quote it")


def _check_applicable(rules: Node, field: Field) -> None:
    """Refuse constraints that the standard does not give to the field's type."""
    grammar = grammar_or_none(field)
    if grammar is None:
        return
    texts = (FieldType.STRING, FieldType.ANY)
    applicable = {
        **dict.fromkeys(_BOUNDS, grammar.is_ordered),
        **dict.fromkeys(("minLength", "maxLength"), bool(grammar.size)),
        "pattern": field.type in texts,
        "jsonSchema": field.type in (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOJSON),
    }
    for key, applies in applicable.items():
        if key in rules.value and not applies:
            raise rules.refusal(key, f"does not apply to fields of type {field.type}")


def grammar_or_none(field: Field) -> Grammar | None:
    """The field's grammar over plain operands; ``None`` where its format is unknown."""
    try:
        return grammar_of(field, Operands(text="v", typed="t"))
    except FormatUnknown:
        return None


def _pattern(rules: Node) -> str | None:
    if "pattern" not in rules.value:
        return None
    pattern = rules.text("pattern")
    allowed = PATTERN_CHARACTERS
    fault = (
        f"is longer than {allowed} characters" if len(pattern) > allowed else pattern_fault(pattern)
    )
    if fault:
        raise rules.refusal("pattern", f"is not supported: {fault}", code="PATTERN_UNSUPPORTED")
    return pattern


def _json_schema(rules: Node) -> str | None:
    if "jsonSchema" not in rules.value:
        return None
    schema = rules.child("jsonSchema")
    compile_schema(schema.value, schema.pointer)
    return msgspec.json.encode(schema.value).decode()


def as_text(value: object, field: Field) -> str:
    """A value of the descriptor as text in the field's grammar; text stays as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) and field.type is FieldType.BOOLEAN:
        return (field.true_values if value else field.false_values)[0]
    text = msgspec.json.encode(value).decode()
    if isinstance(value, float):
        return text.replace(".", field.decimal_char)
    return text


def _claims(node: Node, field: Field) -> list[Claim]:
    """Every text that must be a value of the field, with its place."""
    rules = field.constraints
    bounds = (rules.minimum, rules.maximum, rules.exclusive_minimum, rules.exclusive_maximum)
    base = f"{node.pointer}/constraints"
    places = [
        *((f"{base}/{key}", text) for key, text in zip(_BOUNDS, bounds, strict=True)),
        *((f"{base}/enum/{at}", text) for at, text in enumerate(rules.enum or ())),
        *(
            (f"{node.pointer}/categories/{at}", text)
            for at, text in enumerate(field.categories or ())
        ),
        (f"{node.pointer}/waybill/default", field.default),
    ]
    return [
        Claim(field=field, text=text, pointer=pointer)
        for pointer, text in places
        if text is not None and text not in field.missing_values
    ]


def _ranges(node: Node, field: Field) -> Iterator[Range]:
    """Every pair of a lower and an upper bound."""
    rules = field.constraints
    for low, open_below in ((rules.minimum, False), (rules.exclusive_minimum, True)):
        for high, open_above in ((rules.maximum, False), (rules.exclusive_maximum, True)):
            if low is not None and high is not None:
                yield Range(
                    field=field,
                    low=low,
                    high=high,
                    is_open=open_below or open_above,
                    pointer=f"{node.pointer}/constraints",
                )


def _check_aliases(schema: Node, fields: Mapping[str, Field]) -> None:
    taken = {name: name for name in fields}
    for index, field in enumerate(fields.values()):
        pointer = f"{schema.pointer}/fields/{index}/waybill/aliases"
        for alias in field.aliases:
            if taken.setdefault(alias, field.name) != field.name:
                raise refusal(pointer, f"{alias!r} already means {taken[alias]!r}")
        for path in filter(is_member_path, field.aliases):
            fault = path_fault(path)
            if field.secret:
                fault = f"reports show the member that {path!r} leads into, so it can be no secret"
            if fault:
                raise refusal(pointer, fault)
