"""An entity and the columns of a file, compiled once: plans of fields, rules, columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from waybill.model.options import DELETING, MissingColumns, Operation, UnknownColumns
from waybill.ports.parts import hash_of_part, key_of_part
from waybill.ports.sink import ABSENT, ACTION, EXTRA, HASH, KEY
from waybill.validation.kinds import is_absent
from waybill.validation.rules import FieldPlan, Rule, plan_field
from waybill.validation.sql import conjunction, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.entity import Entity, ForeignKey
    from waybill.ports.reader import Header
    from waybill.validation.columns import ColumnMap


WHOLE_RECORD_CODES: Final = (
    "ENCODING_INVALID",
    "FIELD_COUNT",
    "REPEATED_COLUMN",
    "QUOTE_INVALID",
    "JSON_INVALID",
    "JSON_TOO_DEEP",
    "NOT_AN_OBJECT",
    "DUPLICATE_KEY",
    "NOT_MENDED",
)
"""Findings on records that could not be read as cells; the last as long as they come back so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """How to check: what records do by default, what becomes of undeclared columns.

    ``keeps_absent``: what a record lacks is told from null, where the format can tell.
    ``missing_columns``: what becomes of fields that no record has.
    ``needs_rows=False``: only rejections and duplicates are wanted; ``good`` then has ``_record``,
    ``_key`` and the fields of unique and foreign keys only.
    """

    operation: Operation = Operation.UPSERT
    unknown_columns: UnknownColumns = UnknownColumns.WARN
    missing_columns: MissingColumns = MissingColumns.FAIL
    keeps_absent: bool = False
    needs_rows: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainColumn:
    """A column of the result that is a column of the chunk; ``drops_blank``: empty becomes null."""

    name: str
    index: int
    drops_blank: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedRule:
    """A rule and whose it is; its position in ``Compiled.rules`` is its number.

    ``index``: of the column whose cell its findings show.
    """

    plan: FieldPlan | None
    index: int
    rule: Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is judged by itself: a field, or one of the columns that steer, without ``plan``.

    ``index``: of its column. ``holds``: SQL, true where it has no finding. ``first_rule``: number
    of its first rule; the others follow. ``others``: fields that it is compared with.
    """

    plan: FieldPlan | None
    index: int
    holds: str
    first_rule: int
    rules: tuple[Rule, ...]
    others: tuple[FieldPlan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What to run for the chunks of one file.

    ``order``: names of the columns of an accepted chunk, in order; each is a ``plain`` column of
    the chunk, ``ABSENT``, or one that the first statement computes. ``shown``: the fields among
    them. ``tells_absent``: kinds tell what a record lacks apart from null. ``lacking``: indexes of
    the columns that every record lacks.
    """

    entity: Entity
    columns: ColumnMap
    plans: tuple[FieldPlan, ...]
    subjects: tuple[Subject, ...]
    plain: tuple[PlainColumn, ...]
    shown: tuple[FieldPlan, ...]
    order: tuple[str, ...]
    operation: Operation
    needs_rows: bool
    is_typed: bool
    tells_absent: bool
    lacking: frozenset[int]
    pepper: str

    @property
    def keeps_absent(self) -> bool:
        """Whether a stored record keeps what this file's records lack."""
        return self.tells_absent or bool(self.lacking)

    def is_absent(self, index: int) -> str:
        """SQL, never NULL, true where the record has no such member at all."""
        if index in self.lacking:
            return "TRUE"
        return is_absent(index) if self.tells_absent else "FALSE"

    @property
    def rules(self) -> tuple[NumberedRule, ...]:
        """All rules by number."""
        return tuple(
            NumberedRule(plan=subject.plan, index=subject.index, rule=rule)
            for subject in self.subjects
            for rule in subject.rules
        )

    @property
    def roundable(self) -> tuple[FieldPlan, ...]:
        """The fields whose values may be rounded; secrets are hashed as they are written."""
        return tuple(
            plan
            for plan in self.plans
            if plan.grammar.rounded and not plan.field.secret and self.is_checked(plan)
        )

    def is_checked(self, plan: FieldPlan) -> bool:
        """Whether the field is checked; records that are all to be deleted have keys only."""
        return _is_checked(self.entity, self.columns, plan, self.operation)


def compile_file(
    entity: Entity,
    columns: ColumnMap,
    options: CheckOptions,
    *,
    header: Header,
    pepper: str,
) -> Compiled:
    """The statements for files of this entity with these columns."""
    operation, needs_rows = options.operation, options.needs_rows
    tells_absent = options.keeps_absent and header.is_typed
    lacking = frozenset(range(len(header.own_names), len(header.names)))
    plans = tuple(
        plan_field(
            bound,
            is_key=bound.field.name in entity.key,
            is_escaped=header.escaped,
            is_typed=header.is_typed,
            is_added=bound.index >= len(header.names) - header.added,
        )
        for bound in columns.bound
    )
    shown = _shown(entity, plans, operation, needs_rows=needs_rows)
    names_absent = (tells_absent or bool(lacking)) and needs_rows and bool(shown)
    plain = tuple(
        PlainColumn(name=plan.field.name, index=plan.index, drops_blank=plan.blank_is_missing)
        for plan in shown
        if _is_plain(plan)
    )
    return Compiled(
        entity=entity,
        columns=columns,
        plans=plans,
        subjects=tuple(_subjects(entity, columns, plans, operation)),
        plain=plain,
        shown=tuple(shown),
        order=(
            *_own_columns(entity, columns, needs_rows=needs_rows, keeps_absent=names_absent),
            *(plan.field.name for plan in shown),
            *_gathered(columns, operation, needs_rows=needs_rows),
        ),
        operation=operation,
        needs_rows=needs_rows,
        is_typed=header.is_typed,
        tells_absent=tells_absent,
        lacking=lacking,
        pepper=pepper,
    )


def unique_sets(entity: Entity) -> tuple[tuple[str, ...], ...]:
    """The sets of fields whose values must be unique, the primary key apart, in a fixed order."""
    single = ((field.name,) for field in entity.fields if field.constraints.unique)
    sets = dict.fromkeys((*single, *entity.unique_keys))
    return tuple(each for each in sets if each != entity.key)


def self_references(entity: Entity) -> tuple[ForeignKey, ...]:
    """The foreign keys that lead to records of the entity itself."""
    return tuple(key for key in entity.foreign_keys if key.reference_entity in ("", entity.name))


def _is_plain(plan: FieldPlan) -> bool:
    return plan.is_raw and not plan.typed and not plan.field.secret


def _shown(
    entity: Entity, plans: tuple[FieldPlan, ...], operation: Operation, *, needs_rows: bool
) -> list[FieldPlan]:
    """The fields whose typed values leave the check."""
    if operation in DELETING and entity.action is None:
        return [plan for plan in plans if plan.field.name in entity.key]
    if needs_rows:
        return list(plans)
    named = {name for each in unique_sets(entity) for name in each}
    named |= {name for key in entity.foreign_keys for name in key.fields}
    named |= {name for key in self_references(entity) for name in key.reference_fields}
    return [plan for plan in plans if plan.field.name in named]


def _own_columns(
    entity: Entity, columns: ColumnMap, *, needs_rows: bool, keeps_absent: bool
) -> Iterator[str]:
    """The columns of an accepted chunk that are no fields, the record number apart."""
    if entity.key:
        yield KEY
    if needs_rows:
        yield HASH
        for place in range(len(entity.parts)):
            yield key_of_part(place)
            yield hash_of_part(place)
    if columns.action is not None:
        yield ACTION
    if columns.kept and needs_rows:
        yield EXTRA
    if keeps_absent:
        yield ABSENT


def _gathered(columns: ColumnMap, operation: Operation, *, needs_rows: bool) -> Iterator[str]:
    """The fields of several columns; records that are all to be deleted have keys only."""
    if needs_rows and not only_deletes(columns, operation):
        yield from (gathered.field.name for gathered in columns.gathered)


def _subjects(
    entity: Entity, columns: ColumnMap, plans: tuple[FieldPlan, ...], operation: Operation
) -> Iterator[Subject]:
    number = 0
    for make in (_verdict(columns), _action(entity, columns)):
        if make is not None:
            yield replace(make, first_rule=number)
            number += len(make.rules)
    for plan in plans:
        others = tuple(_not_after(entity, plans, plan))
        if (plan.rules or others) and _is_checked(entity, columns, plan, operation):
            descents = [_descent(plan, other) for other in others]
            holds = (plan.holds, *(f"NOT {rule.broken}" for rule in descents))
            yield Subject(
                plan=plan,
                index=plan.index,
                holds=conjunction(holds),
                first_rule=number,
                rules=(*plan.rules, *descents),
                others=others,
            )
            number += len(plan.rules) + len(others)


def _not_after(
    entity: Entity, plans: tuple[FieldPlan, ...], plan: FieldPlan
) -> Iterator[FieldPlan]:
    """The fields of the file whose values the field's own must not lie before."""
    known = {each.field.name: each for each in plans}
    for names in entity.ascending:
        if plan.field.name in names:
            before = names[: names.index(plan.field.name)]
            yield from (known[name] for name in before if name in known)


def _descent(plan: FieldPlan, other: FieldPlan) -> Rule:
    """The rule that a field's value lies not before that of another."""
    lies_before = f"{plan.grammar.order} < {other.grammar.order}"
    broken = f"CASE WHEN {plan.fits} AND {other.fits} THEN {lies_before} ELSE FALSE END"
    return Rule(code="NOT_ASCENDING", broken=broken, bound=other.field.name)


def _verdict(columns: ColumnMap) -> Subject | None:
    """A report shows a broken record as well as it can; taken as shown it would be another one."""
    if columns.verdict is None:
        return None
    names = "|".join(WHOLE_RECORD_CODES)
    marked = f"regexp_matches(c{columns.verdict}, {literal(f'(?:^|; )(?:{names})(?:;|$)')})"
    rule = Rule(code="NOT_MENDED", broken=f"coalesce({marked}, FALSE)")
    return Subject(
        plan=None, index=columns.verdict, holds=f"NOT {rule.broken}", first_rule=0, rules=(rule,)
    )


def _action(entity: Entity, columns: ColumnMap) -> Subject | None:
    if columns.action is None or entity.action is None:
        return None
    words = ", ".join(entity.action.actions)
    rule = Rule(code="ACTION_INVALID", broken="op IS NULL", bound=words)
    return Subject(
        plan=None, index=columns.action, holds="op IS NOT NULL", first_rule=0, rules=(rule,)
    )


def _is_checked(entity: Entity, columns: ColumnMap, plan: FieldPlan, operation: Operation) -> bool:
    """Records that are all to be deleted are checked on their keys only."""
    return plan.field.name in entity.key or not only_deletes(columns, operation)


def only_deletes(columns: ColumnMap, operation: Operation) -> bool:
    """Whether every record of the file is to be deleted."""
    return operation in DELETING and columns.action is None
