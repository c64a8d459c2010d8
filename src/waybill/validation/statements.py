"""The statements of SQL over Arrow that check a chunk.

The first runs over all rows: which fields of which are bad, and the typed values. Then one for each
field that is bad somewhere runs over the bad rows only: the numbers of all its rules that each row
breaks. All read the view ``chunk`` with columns
``c0`` ... ``cn`` and give their rows in its order; no name of a file or entity is SQL, ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.model.options import DELETING
from waybill.ports.parts import hash_of_part, key_of_part
from waybill.ports.reader import Kind
from waybill.ports.sink import ABSENT, ACTION, EXTRA, HASH, KEY, KEY_SEPARATOR
from waybill.validation.compiled import self_references, unique_sets
from waybill.validation.rules import WHITE_SPACE, value_of
from waybill.validation.sql import conjunction, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from waybill.validation.compiled import Compiled, Subject
    from waybill.validation.rules import FieldPlan

NULL_MARK: Final = "\x1e2"
"""Stands for a missing value in the text that is hashed."""
ABSENT_MARK: Final = "\x1e3"
"""The same for what the record lacks, where that is not the same as missing."""
SEPARATOR: Final = KEY_SEPARATOR
_ESCAPE: Final = "\x1e"

_JSON: Final = (Kind.NUMBER, Kind.BOOLEAN, Kind.OBJECT, Kind.ARRAY)
_DELETING: Final = f"({', '.join(map(literal, DELETING))})"
REFERENCE_PREFIX: Final = "_reference"
UNIQUE_PREFIX: Final = "_unique"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is known of a chunk and makes its statements cheaper.

    ``is_ascii``: no normalisation of keys needed. ``has_separators``: cells hold the separators of
    the hashed text, so they are escaped there.
    """

    is_ascii: bool
    has_separators: bool


def first_statement(compiled: Compiled, variant: Variant) -> str:
    """Over all rows: ``bad0`` ... by subject, computed columns by number (``o0`` ...), digests.

    ``r<index>`` of a field: the value that is kept differs from the one that is written.
    """
    bad = [
        f"NOT coalesce({_holds(compiled, subject)}, FALSE) AS bad{number}"
        for number, subject in enumerate(compiled.subjects)
    ]
    rounded = [f"{plan.grammar.rounded} AS r{plan.index}" for plan in compiled.roundable]
    outputs = (*bad, *rounded, *_Writer(compiled, variant).outputs())
    columns = ", ".join(outputs) or "1 AS one"
    return f"SELECT {columns} FROM ({_typed_rows(compiled, compiled.plans)})"  # noqa: S608 - columns by number, texts by literal()


def rules_statement(compiled: Compiled, subjects: Sequence[Subject]) -> str:
    """Over bad rows: the numbers of all rules of the subjects that each breaks, perhaps none."""
    cases = ", ".join(
        f"CASE WHEN {_gated(compiled, subject, rule.broken)} THEN {number} END"
        for subject in subjects
        for number, rule in enumerate(subject.rules, start=subject.first_rule)
    )
    numbers = f"list_filter([{cases}], lambda number: number IS NOT NULL)"
    judged = [subject.plan for subject in subjects if subject.plan is not None]
    compared = [other for subject in subjects for other in subject.others]
    plans = list({plan.index: plan for plan in (*judged, *compared)}.values())
    fits = "".join(f", {plan.fits} AS f{plan.index}" for plan in plans)
    rows = f"SELECT *{fits} FROM ({_typed_rows(compiled, plans)})"  # noqa: S608 - see above
    return f"SELECT {numbers} AS rules FROM ({rows})"  # noqa: S608 - see above


def _holds(compiled: Compiled, subject: Subject) -> str:
    """SQL: the subject has no finding; a record to be deleted is judged by its key only."""
    holds = subject.holds
    return f"op IN {_DELETING} OR {holds}" if may_be_deleted(compiled, subject) else holds


def _gated(compiled: Compiled, subject: Subject, broken: str) -> str:
    if may_be_deleted(compiled, subject):
        return f"coalesce(op, '') NOT IN {_DELETING} AND {broken}"
    return broken


def may_be_deleted(compiled: Compiled, subject: Subject) -> bool:
    """Whether the action of a record decides if the subject matters."""
    plan = subject.plan
    if plan is None or compiled.columns.action is None:
        return False
    return plan.field.name not in compiled.entity.key


def _typed_rows(compiled: Compiled, plans: Sequence[FieldPlan]) -> str:
    values = [f"{plan.value} AS v{plan.index}" for plan in plans]
    columns = compiled.columns
    verdict = [] if columns.verdict is None else [columns.verdict]
    cells = [f"c{index}" for index in (*(index for _, index in columns.kept), *verdict)]
    cells += [f"i{plan.index}" for plan in plans if plan.items]
    several = [(each.field, index) for each in columns.gathered for _, index in each.members]
    cells += [
        f"{value_of(field, f'c{index}', field.missing_values)} AS g{index}"
        for field, index in several
    ]
    if compiled.is_typed:
        kept = [index for _, index in (*columns.kept, *several)]
        cells += [f"k{index}" for index in (*(plan.index for plan in plans), *kept)]
    inner = ", ".join((*values, *cells, *_action(compiled))) or "1 AS one"
    typed = "".join(f", {plan.typed} AS t{plan.index}" for plan in plans if plan.typed)
    items = "".join(f", {plan.items} AS i{plan.index}" for plan in plans if plan.items)
    rows = f"(SELECT *{items} FROM chunk)" if items else "chunk"  # noqa: S608 - see above
    return f"SELECT *{typed} FROM (SELECT {inner} FROM {rows})"  # noqa: S608 - see above


def _action(compiled: Compiled) -> list[str]:
    """The operation of each record as ``op``, NULL where the cell is not an action."""
    action, index = compiled.entity.action, compiled.columns.action
    if action is None or index is None:
        return []
    word = f"lower(trim(c{index}, {WHITE_SPACE}))"
    cases = " ".join(
        f"WHEN {word} = {literal(cell)} THEN {literal(operation)}"
        for cell, operation in action.actions.items()
    )
    missing = f"WHEN c{index} IS NULL OR {word} = '' THEN {literal(compiled.operation)}"
    return [f"CASE {missing} {cases} END AS op"]


class _Writer:
    """Writes the outputs of the first statement."""

    def __init__(self, compiled: Compiled, variant: Variant) -> None:
        self._compiled = compiled
        self._variant = variant
        self._by_name: Mapping[str, FieldPlan] = {plan.field.name: plan for plan in compiled.plans}

    def outputs(self) -> Iterator[str]:
        """The computed columns, each under its name in the accepted chunk, by number."""
        compiled = self._compiled
        given = {each.name for each in compiled.plain} | {ABSENT}
        for number, name in enumerate(compiled.order):
            if name not in given:
                yield f"{self._output(name)} AS o{number}"
        yield from self._digests()

    def _output(self, name: str) -> str:
        special = {
            KEY: self._key,
            HASH: self._hash,
            ACTION: lambda: "op",
            EXTRA: self._extra,
            **self._of_parts(),
            **self._gathered(),
        }
        if name in special:
            return special[name]()
        return self._typed(self._by_name[name])

    def _of_parts(self) -> dict[str, Callable[[], str]]:
        """Key and hash of each part: those that its entity gives to a record of its own."""
        made: dict[str, Callable[[], str]] = {}
        for place, part in enumerate(self._compiled.entity.parts):
            key = tuple(part.fields[name] for name in part.entity.key)
            order = [part.fields.get(field.name, "") for field in part.entity.fields]
            plans = [self._by_name[name] for name in order if name in self._by_name]
            gathered = [make() for name, make in self._gathered().items() if name in order]
            texts = [*map(self._hashed, plans), *map(self._marked, gathered)]
            made[key_of_part(place)] = partial(self._joined, key)
            made[hash_of_part(place)] = partial(self._md5, texts)
        return made

    def _gathered(self) -> dict[str, Callable[[], str]]:
        """The fields of several columns, each as one JSON object with the members it has."""
        return {
            each.field.name: partial(self._object, each.members)
            for each in self._compiled.columns.gathered
        }

    def _object(self, members: Sequence[tuple[str, int]]) -> str:
        joined = ", ".join(self._gathered_member(name, index) for name, index in members)
        return f"'{{' || concat_ws(',', {joined}) || '}}'"

    def _gathered_member(self, name: str, index: int) -> str:
        """The member with its value, null where it is missing; NULL where a record keeps it."""
        made = f"{_member(name)} || coalesce({self._as_json(index, f'g{index}')}, 'null')"
        if not self._compiled.keeps_absent:
            return made
        return f"CASE WHEN NOT {self._compiled.is_absent(index)} THEN {made} END"

    def _digests(self) -> Iterator[str]:
        entity = self._compiled.entity
        if entity.key:
            yield f"hash({self._key()}) AS _digest"
        for number, names in enumerate(unique_sets(entity)):
            yield f"{self._digest(names)} AS {UNIQUE_PREFIX}{number}"
        for number, key in enumerate(self_references(entity)):
            yield f"{self._digest(key.fields)} AS {REFERENCE_PREFIX}{number}a"
            yield f"{self._digest(key.reference_fields)} AS {REFERENCE_PREFIX}{number}b"

    def _digest(self, names: tuple[str, ...]) -> str:
        """Hash of the values together, 0 where one is missing, absent, or its column is."""
        if not all(name in self._by_name for name in names):
            return "0::UBIGINT"
        plans = [self._by_name[name] for name in names]
        present = [f"{plan.typed_name} IS NOT NULL" for plan in plans]
        if self._compiled.keeps_absent:
            present += [f"NOT {self._compiled.is_absent(plan.index)}" for plan in plans]
        return (
            f"CASE WHEN {conjunction(present)} THEN hash({self._joined(names)}) ELSE 0::UBIGINT END"
        )

    def _key(self) -> str:
        return self._joined(self._compiled.entity.key)

    def _joined(self, names: tuple[str, ...]) -> str:
        """One text of several values, so that it sorts as they do one after the other."""
        parts = [self._canonical(self._by_name[name], normal=True) for name in names]
        if len(parts) == 1:
            return parts[0]
        return f" || {literal(KEY_SEPARATOR)} || ".join(map(_escaped, parts))

    def _canonical(self, plan: FieldPlan, *, normal: bool) -> str:
        """One text for equal values; ``normal``: also for texts that only look equal (NFC)."""
        if plan.field.secret:
            return self._typed(plan)
        text = plan.grammar.canonical
        if normal and not self._variant.is_ascii and plan.grammar.column == "text":
            return f"nfc_normalize({text})"
        return text

    def _typed(self, plan: FieldPlan) -> str:
        if plan.field.secret:
            return f"sha256({literal(self._compiled.pepper)} || v{plan.index})"
        return plan.typed_name

    def _hash(self) -> str:
        parts = [self._hashed(plan) for plan in self._compiled.plans]
        parts += [self._marked(make()) for make in self._gathered().values()]
        parts += [self._marked(self._extra())] if self._compiled.columns.kept else []
        return self._md5(parts)

    def _md5(self, parts: Sequence[str]) -> str:
        """MD5 over all values, as hexadecimal text: the same for equal records, in every version.

        The engine's number forms of MD5 take twice the time of the text.
        """
        return f"md5(concat_ws({literal(SEPARATOR)}, {', '.join(parts) or 'NULL'}))"

    def _hashed(self, plan: FieldPlan) -> str:
        text = self._marked(self._canonical(plan, normal=False))
        if not self._compiled.keeps_absent:
            return text
        absent = self._compiled.is_absent(plan.index)
        return f"CASE WHEN {absent} THEN {literal(ABSENT_MARK)} ELSE {text} END"

    def _marked(self, text: str) -> str:
        if self._variant.has_separators:
            text = _escaped(text)
        return f"coalesce({text}, {literal(NULL_MARK)})"

    def _as_json(self, index: int, cell: str) -> str:
        """A cell without a type as JSON; what a format has as JSON is that already."""
        text = f"to_json({cell})"
        if not self._compiled.is_typed:
            return text
        kinds = ", ".join(str(kind.value) for kind in _JSON)
        is_json = f"k{index} IN ({kinds}) AND {cell} NOT IN ('nan', 'inf', '-inf')"
        return f"CASE WHEN {is_json} THEN {cell} ELSE {text} END"

    def _extra(self) -> str:
        """The undeclared cells of a record as one JSON object, missing ones left out."""
        members = ", ".join(
            f"{_member(name)} || {self._as_json(index, f'c{index}')}"
            for name, index in self._compiled.columns.kept
        )
        return f"'{{' || concat_ws(',', {members}) || '}}'"


def _escaped(text: str) -> str:
    """SQL: the text without the separator."""
    escape, separator = literal(_ESCAPE), literal(SEPARATOR)
    text = f"replace({text}, {escape}, {literal(_ESCAPE + '0')})"
    return f"replace({text}, {separator}, {literal(_ESCAPE + '1')})"


def _member(name: str) -> str:
    """SQL of what stands before the value of a member in JSON."""
    return literal(msgspec.json.encode(name).decode() + ":")
