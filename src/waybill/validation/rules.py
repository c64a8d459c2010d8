"""The rules of one field over its column, as SQL, in the order in which findings are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from waybill.model.entity import BLANKS, FieldType, Trim
from waybill.validation import json_lists
from waybill.validation.grammar import Operands, grammar_of
from waybill.validation.kinds import fitting_kinds, is_absent, wrong_kinds
from waybill.validation.probe import operands_of
from waybill.validation.sheet_cells import cell_value, is_rewritten
from waybill.validation.sql import conjunction, full_match, is_one_of, is_text_of, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from waybill.model.entity import Field
    from waybill.validation.columns import BoundField
    from waybill.validation.grammar import Grammar

MASK: Final = "********"
"""What stands for the value of a secret field wherever it would be shown."""

WHITE_SPACE: Final = literal(BLANKS)
"""The same as a SQL literal."""

_JSON_TYPES: Final = (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOJSON)
_TEXT_TYPES: Final = (FieldType.STRING, FieldType.ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way in which a cell can be wrong: ``broken`` is SQL, true where it is.

    ``bound``: the limit or list that messages name.
    """

    code: str
    broken: str
    bound: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """A field as SQL over its column ``c<index>``.

    ``items``: SQL of ``i<index>``, the items of a JSON array that is a list, empty where none is.
    ``value``: the text after trimming, missing values and default, as ``v<index>``. ``typed``: SQL
    of ``t<index>``, empty where that is ``v<index>``. ``is_raw``: the value is the cell itself or
    null. ``blank_is_missing``: a quoted empty cell is missing. ``holds``: SQL, never NULL, true
    where the cell has no finding but on its kind. ``fits``: SQL, the cell is a value of the type.
    """

    field: Field
    index: int
    grammar: Grammar
    items: str
    value: str
    typed: str
    is_raw: bool
    blank_is_missing: bool
    holds: str
    fits: str
    rules: tuple[Rule, ...]

    @property
    def typed_name(self) -> str:
        """The SQL name of the typed value, secrets not yet hashed."""
        return f"t{self.index}" if self.typed else f"v{self.index}"


def _wrong_kinds(field: Field, index: int) -> Iterator[Rule]:
    """One rule for each kind that a field does not take."""
    for kind, broken in wrong_kinds(field, index):
        yield Rule(code="KIND_MISMATCH", broken=broken, bound=kind.name.lower())


def _wrong_items(field: Field, index: int) -> Iterator[Rule]:
    for code, broken, bound in json_lists.broken_items(field, index):
        yield Rule(code=code, broken=broken, bound=bound)


def plan_field(
    bound: BoundField,
    *,
    is_key: bool,
    is_escaped: bool,
    is_typed: bool = False,
    is_added: bool = False,
) -> FieldPlan:
    """The SQL of one field.

    ``is_escaped``: the file tells missing from empty text. ``is_typed``: its cells have kinds.
    ``is_added``: no record has it.
    """
    field, index = bound.field, bound.index
    text = f"v{index}"
    plain = Operands(text=text, typed=f"t{index}")
    if not grammar_of(field, plain).typed:
        plain = Operands(text=text, typed=text)
    grammar = grammar_of(field, plain)
    dropped = _dropped(field, is_escaped=is_escaped)
    needed = (is_key or field.constraints.required) and field.default is None
    conditions = list(_constraints(field, grammar, plain))
    rules = tuple(_rules(grammar, index, conditions, needed=needed, is_key=is_key))
    holds = _holds(field, grammar, text, conditions, needed=needed)
    if field.secret:
        masked = f"coalesce({text} = {literal(MASK)}, FALSE)"
        holds = f"NOT {masked} AND {holds}"
        rules = (Rule(code="SECRET_MASKED", broken=masked), *_unless(masked, rules))
    takes_arrays = field.type is FieldType.LIST and (is_typed or is_escaped)
    wrong = tuple(_wrong_kinds(field, index)) if is_typed else ()
    items = tuple(_wrong_items(field, index)) if takes_arrays else ()
    if items:
        is_wrong = " OR ".join(f"({rule.broken})" for rule in items)
        holds = f"NOT ({is_wrong}) AND {holds}"
        rules = (*items, *_unless(f"({is_wrong})", rules))
    if wrong:
        rules = (*wrong, *_unless(f"NOT ({fitting_kinds(field, index)})", rules))
    if field.present and (is_added or is_typed) and not needed:
        lacks = "TRUE" if is_added else is_absent(index)
        holds = f"NOT {lacks} AND {holds}"
        rules = (Rule(code="REQUIRED", broken=lacks), *_unless(lacks, rules))
    cell = _cell(field, index, is_typed=is_typed, takes_arrays=takes_arrays)
    return FieldPlan(
        field=field,
        index=index,
        grammar=grammar,
        items=json_lists.items_of(field, index, is_typed=is_typed) if takes_arrays else "",
        value=value_of(field, cell, dropped),
        typed=grammar.typed,
        is_raw=_is_raw(field, dropped)
        and not takes_arrays
        and not (is_typed and is_rewritten(field)),
        blank_is_missing="" in dropped,
        holds=holds,
        fits=_fits(grammar, text),
        rules=rules,
    )


def _dropped(field: Field, *, is_escaped: bool) -> tuple[str, ...]:
    """The texts that mean missing; in an escaped file a quoted empty text cell does not."""
    if is_escaped and field.type in _TEXT_TYPES:
        return tuple(each for each in field.missing_values if each)
    return field.missing_values


def _is_raw(field: Field, dropped: tuple[str, ...]) -> bool:
    plain = field.trim is Trim.NONE and field.default is None
    return plain and "" in field.missing_values and dropped in (("",), ())


def _cell(field: Field, index: int, *, is_typed: bool, takes_arrays: bool) -> str:
    """The cell as the text that the grammar reads."""
    if takes_arrays:
        return json_lists.delimited(field, index)
    return cell_value(field, index) if is_typed else f"c{index}"


def value_of(field: Field, value: str, dropped: tuple[str, ...]) -> str:
    """SQL of the text after trimming, missing values (``dropped``) and default."""
    if field.trim is Trim.BOTH:
        value = f"trim({value}, {WHITE_SPACE})"
        if field.type is FieldType.LIST:
            around = f"[{BLANKS}]*{re.escape(field.delimiter)}[{BLANKS}]*"
            delimiter = literal(field.delimiter.replace("\\", r"\\"))
            value = f"regexp_replace({value}, {literal(around)}, {delimiter}, 'g')"
    if "" not in field.missing_values:
        value = f"coalesce({value}, '')"
    if dropped == ("",):
        value = f"nullif({value}, '')"
    elif dropped:
        value = f"CASE WHEN {is_text_of(value, dropped)} THEN NULL ELSE {value} END"
    if field.default is not None:
        value = f"coalesce({value}, {literal(field.default)})"
    return value


def _fits(grammar: Grammar, text: str) -> str:
    return conjunction((f"{text} IS NOT NULL", grammar.form, grammar.valid))


def _holds(
    field: Field, grammar: Grammar, text: str, constraints: list[Rule], *, needed: bool
) -> str:
    """One condition for all rules; those of JSON run only on text that is JSON."""
    limits = conjunction(f"NOT ({rule.broken})" for rule in constraints)
    if field.type in _JSON_TYPES and limits != "TRUE":
        good = f"CASE WHEN {grammar.form} THEN {limits} ELSE FALSE END"
    else:
        good = conjunction((grammar.form, grammar.valid, limits))
    if needed:
        return conjunction((f"{text} IS NOT NULL", good))
    return "TRUE" if good == "TRUE" else f"({text} IS NULL OR {good})"


def _rules(
    grammar: Grammar, index: int, constraints: list[Rule], *, needed: bool, is_key: bool
) -> Iterator[Rule]:
    text, fits = f"v{index}", f"f{index}"
    if needed:
        code = "KEY_MISSING" if is_key else "REQUIRED"
        yield Rule(code=code, broken=f"{text} IS NULL")
    wrong = f"{text} IS NOT NULL AND NOT {fits}"
    if grammar.shape:
        yield Rule(code=grammar.code, broken=f"{wrong} AND NOT ({grammar.shape})")
        yield Rule(code="NUMBER_OUT_OF_RANGE", broken=f"{wrong} AND {grammar.shape}")
    elif grammar.form != "TRUE" or grammar.valid != "TRUE":
        yield Rule(code=grammar.code, broken=wrong)
    for rule in constraints:
        broken = f"CASE WHEN {fits} THEN {rule.broken} ELSE FALSE END"
        yield Rule(code=rule.code, broken=broken, bound=rule.bound)


def _unless(condition: str, rules: Iterable[Rule]) -> Iterator[Rule]:
    """The rules, none of them broken where the condition is true."""
    return (replace(rule, broken=f"NOT {condition} AND {rule.broken}") for rule in rules)


def _constraints(field: Field, grammar: Grammar, on: Operands) -> Iterator[Rule]:
    limits = field.constraints
    if limits.min_length is not None:
        broken = f"{grammar.size} < {limits.min_length}"
        yield Rule(code="MIN_LENGTH", broken=broken, bound=str(limits.min_length))
    if limits.max_length is not None:
        broken = f"{grammar.size} > {limits.max_length}"
        yield Rule(code="MAX_LENGTH", broken=broken, bound=str(limits.max_length))
    yield from _bounds(field, grammar)
    if limits.pattern is not None:
        broken = f"NOT {full_match(on.text, limits.pattern)}"
        yield Rule(code="PATTERN", broken=broken, bound=limits.pattern)
    if field.item_enum is not None:
        unknown = f"NOT {is_one_of('item', list(map(literal, field.item_enum)))}"
        items = f"string_split({on.text}, {literal(field.delimiter)})"
        broken = f"len(list_filter({items}, lambda item: {unknown})) > 0"
        bound = "that is not one of " + ", ".join(field.item_enum)
        yield Rule(code="LIST_ITEM", broken=broken, bound=bound)
    for allowed in (limits.enum, field.categories):
        if allowed is not None:
            values = [each for each in allowed if each not in field.missing_values]
            members = [_constant(field, each) for each in values]
            broken = f"NOT {is_one_of(grammar.order, members)}"
            yield Rule(code="ENUM", broken=broken, bound=", ".join(allowed))


def _bounds(field: Field, grammar: Grammar) -> Iterator[Rule]:
    limits = field.constraints
    for code, bound, operator in (
        ("MINIMUM", limits.minimum, "<"),
        ("MAXIMUM", limits.maximum, ">"),
        ("EXCLUSIVE_MINIMUM", limits.exclusive_minimum, "<="),
        ("EXCLUSIVE_MAXIMUM", limits.exclusive_maximum, ">="),
    ):
        if bound is not None:
            broken = f"{grammar.order} {operator} {_constant(field, bound)}"
            yield Rule(code=code, broken=broken, bound=bound)


def _constant(field: Field, text: str) -> str:
    """A text of the descriptor as SQL that compares with the field's ``order``."""
    return grammar_of(field, operands_of(field, text)).order
