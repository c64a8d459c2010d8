"""Which column of a file is which field.

A column belongs to a field when its name is the field's name or one of its aliases: exactly, else
after normalisation (NFC, no case, outer white space dropped, runs of white space, ``_``, ``-`` and
``.`` read as one ``_``), else as ``validation/formula.py`` escapes a name that reads as a formula,
for so it stands in our templates. An exact match wins, two of them are refused; of several others
the first in the file.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.model.options import DELETING, MissingColumns, Operation, UnknownColumns
from waybill.validation.codes import file_refused, file_warning
from waybill.validation.formula import escape
from waybill.validation.member_paths import is_member_path, steps_of
from waybill.validation.node import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from waybill.errors import FileRefused
    from waybill.model.entity import Entity, Field
    from waybill.model.finding import FileWarning

REPORT_COLUMNS: Final = frozenset(
    ("_record", "_line", "_code", "_field", "_value", "_message", "_outcome")
)
"""Columns of our own reports; known and passed over where the first of them is there."""

MASKED_NAME: Final = "********"
"""Stands for what may be a secret in the place of a column's name."""

MOST_MEMBERS: Final = 1_000
"""Most columns that one field gathers: checking more takes more memory than a worker has."""

_MOST_WARNINGS: Final = 50
_MOST_NAMES: Final = 30
_SEPARATORS: Final = re.compile(r"[\s_.\-]+")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_LOOKALIKES: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u03bf\u03b1\u03bd\u03b9",
    "aeopcyxijshdwoavi",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundField:
    """A field and the index (from 0) of its column in the file."""

    field: Field
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredField:
    """A field of several columns: (member, index) of each, in file order."""

    field: Field
    members: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """The columns of one file under one entity.

    ``bound``: declared fields that the file has, in the entity's order. ``gathered``: the fields
    that take several columns, as far as the file has any. ``action``: index of the action column.
    ``kept``: (name, index) of undeclared columns that go into ``_extra``. ``hidden``: indexes of
    columns whose cells no report shows: secrets, and what may be a misspelt one. ``verdict``: index
    of the column in which a report that came back names its findings.
    """

    bound: tuple[BoundField, ...]
    gathered: tuple[GatheredField, ...]
    action: int | None
    kept: tuple[tuple[str, int], ...]
    hidden: frozenset[int]
    verdict: int | None
    warnings: tuple[FileWarning, ...]


def match_columns(
    entity: Entity,
    header: tuple[str, ...],
    *,
    operation: Operation,
    unknown: UnknownColumns,
    missing: MissingColumns = MissingColumns.FAIL,
) -> ColumnMap:
    """The fields of ``entity`` among the columns ``header``; an empty header has none to miss.

    Raises:
        FileRefused: a name is empty or stands twice, a needed column is missing, or a column is
            not known and must be.
    """
    _check_names(entity, header)
    _check_twins(entity, header)
    found = _fields_by_index(entity, header)
    bound = {field.name: index for index, field in found.items()}
    action = _action_index(entity, header)
    gathered = tuple(_gather(entity, header, {*found, action}))
    several = {index for each in gathered for _, index in each.members}
    if header:
        _check_missing(entity, header, bound, _needed(entity, operation, missing))
    ours = REPORT_COLUMNS if "_record" in header else frozenset[str]()
    strangers = [
        index
        for index, name in enumerate(header)
        if index not in {*found, *several, action} and name not in ours
    ]
    keeps = unknown is UnknownColumns.KEEP
    parents = _parents(found.values())
    ignored = [index for index in strangers if keeps or header[index] not in parents]
    _check_strangers(entity, header, ignored, unknown)
    if header and not (found or several or keeps) and action is None:
        raise _nothing_matches(entity, header)
    return ColumnMap(
        bound=tuple(
            BoundField(field=field, index=bound[field.name])
            for field in entity.fields
            if field.name in bound
        ),
        gathered=gathered,
        action=action,
        kept=tuple((header[index], index) for index in strangers) if keeps else (),
        hidden=frozenset(_hidden(entity, header, found, strangers)),
        verdict=header.index("_code") if {"_record", "_code"} <= set(header) else None,
        warnings=tuple(_warnings(entity, header, ignored, unknown)),
    )


def recognise_columns(entity: Entity, header: tuple[str, ...]) -> dict[int, str]:
    """By index, the columns that the entity knows: names of fields, or of the action column."""
    known = {index: field.name for index, field in _fields_by_index(entity, header).items()}
    action = _action_index(entity, header)
    if entity.action is not None and action is not None:
        known[action] = entity.action.name
    for gathered in _gather(entity, header, known):
        known |= {index: gathered.field.name for _, index in gathered.members}
    return known


def shown_names(names: Sequence[str], entities: Sequence[Entity]) -> tuple[str, ...]:
    """The columns of a header that fits none of these entities, as they may be shown.

    Where one has secrets, the first line may hold them: a file may lack its header. Then only names
    that are known, or nearly so, are shown.
    """
    if not any(entity.secret_fields for entity in entities):
        return tuple(names)
    known = [name for entity in entities for name in known_names(entity)]
    found = {index for each in entities for index in recognise_columns(each, tuple(names))}
    return tuple(
        name if index in found or did_you_mean(name, known) else MASKED_NAME
        for index, name in enumerate(names)
    )


def known_names(entity: Entity) -> list[str]:
    """What a column may be called: by fields, their aliases, the action column."""
    single = [field for field in entity.fields if not field.column_prefix]
    fields = [name for field in single for name in (field.name, *field.aliases)]
    return fields if entity.action is None else [*fields, entity.action.name]


def normalise(name: str) -> str:
    """A column name as it is compared when it is not exact."""
    plain = unicodedata.normalize("NFC", name).strip().casefold()
    return _SEPARATORS.sub("_", plain)


def _parents(found: Iterable[Field]) -> set[str]:
    """The members that hold fields of the file: known, though no fields themselves."""
    aliases = [alias for field in found for alias in field.aliases]
    return {steps_of(alias)[0] for alias in aliases if is_member_path(alias)}


def _check_names(entity: Entity, header: tuple[str, ...]) -> None:
    seen: dict[str, int] = {}
    for column, name in enumerate(header, start=1):
        if not name.strip():
            raise file_refused("HEADER_EMPTY", column=column)
        if name in seen:
            columns = f"columns {seen[name]} and {column}"
            [shown] = shown_names([name], [entity])
            raise file_refused("HEADER_DUPLICATE", name=shown, columns=columns)
        seen[name] = column


def _fields_by_index(entity: Entity, header: tuple[str, ...]) -> dict[int, Field]:
    """Field of each column that has one: by name, then by alias, then after normalisation."""
    by_name = {field.name: field for field in entity.fields if not field.column_prefix}
    by_alias = {alias: field for field in entity.fields for alias in field.aliases}
    loose: dict[str, Field] = {}
    for name, field in (*by_name.items(), *by_alias.items()):
        loose.setdefault(normalise(name), field)
    escaped = {escape(name): field for name, field in by_name.items()}
    found: dict[int, Field] = {}
    taken: set[str] = set()
    for names, read in ((by_name, str), (by_alias, str), (loose, normalise), (escaped, str)):
        for index, name in enumerate(header):
            match = names.get(read(name))
            if match is not None and index not in found and match.name not in taken:
                found[index] = match
                taken.add(match.name)
    return found


def _gather(
    entity: Entity, header: tuple[str, ...], taken: Container[int | None]
) -> Iterator[GatheredField]:
    """The columns of each field that has a prefix, those apart that are something else."""
    for field in entity.fields:
        members: dict[str, int] = {}
        for index, name in enumerate(header):
            rest = name.strip().removeprefix(field.column_prefix)
            if not field.column_prefix or index in taken or rest in ("", name.strip()):
                continue
            if rest in members:
                columns = f"columns {members[rest] + 1} and {index + 1}"
                raise file_refused("HEADER_DUPLICATE", name=name.strip(), columns=columns)
            members[rest] = index
            if len(members) > MOST_MEMBERS:
                raise file_refused(
                    "TOO_MANY_MEMBERS", prefix=field.column_prefix, allowed=MOST_MEMBERS
                )
        if members:
            yield GatheredField(field=field, members=tuple(members.items()))


def _check_twins(entity: Entity, header: tuple[str, ...]) -> None:
    """Refuse two columns that are the same field, by its name and by an alias."""
    known = {alias: field for field in entity.fields for alias in field.aliases}
    known |= {field.name: field for field in entity.fields}
    seen: dict[str, int] = {}
    for column, name in enumerate(header, start=1):
        field = known.get(name)
        if field is None:
            continue
        if field.name in seen:
            columns = f"columns {seen[field.name]} and {column}, under two of its names"
            raise file_refused("HEADER_DUPLICATE", name=field.name, columns=columns)
        seen[field.name] = column


def _action_index(entity: Entity, header: tuple[str, ...]) -> int | None:
    if entity.action is None:
        return None
    if entity.action.name in header:
        return header.index(entity.action.name)
    names = [normalise(name) for name in header]
    for wanted in (normalise(entity.action.name), normalise(escape(entity.action.name))):
        if wanted in names:
            return names.index(wanted)
    return None


def missing_columns(
    entity: Entity, header: tuple[str, ...], *, operation: Operation, missing: MissingColumns
) -> tuple[str, ...]:
    """The names of the fields that are to be added to a file that has no column for them.

    With ``clear`` all of them, with ``keep`` those with a default, else those that records need.
    """
    bound = {field.name for field in _fields_by_index(entity, header).values()}
    single = [field for field in entity.fields if not field.column_prefix]
    if missing is MissingColumns.CLEAR:
        wanted = [field.name for field in single]
    elif missing is MissingColumns.KEEP:
        wanted = [field.name for field in single if field.default is not None]
    else:
        wanted = _needed(entity, operation, missing)
    return tuple(name for name in wanted if name not in bound)


def _needed(entity: Entity, operation: Operation, missing: MissingColumns) -> list[str]:
    """The fields without whose columns a file says nothing of use."""
    only_changes = operation in (Operation.UPDATE, *DELETING)
    partial = only_changes or missing is MissingColumns.KEEP
    keys = {*entity.key, *(part.fields[name] for part in entity.parts for name in part.entity.key)}
    return [
        field.name
        for field in entity.fields
        if field.name in keys
        or (field.present and not only_changes)
        or (not partial and _is_needed(field))
    ]


def _is_needed(field: Field) -> bool:
    return field.constraints.required and field.default is None


def _check_missing(
    entity: Entity, header: tuple[str, ...], bound: Mapping[str, int], needed: Sequence[str]
) -> None:
    missing = [name for name in needed if name not in bound]
    if not missing:
        return
    free = [name for index, name in enumerate(header) if index not in bound.values()]
    near = ", ".join(filter(None, (_near_column(name, free) for name in missing)))
    raise file_refused(
        "COLUMN_MISSING",
        names=", ".join(repr(name) for name in missing),
        found=", ".join(shown_names(header, [entity])[:_MOST_NAMES]),
        suggestion=delimiter_hint(header)
        or near.strip(", ")
        or "name the column as the field or one of its aliases",
    )


def _near_column(missing: str, free: list[str]) -> str:
    """The column that may be meant by a name, or reads like it."""
    like = [name for name in free if _skeleton(name) == _skeleton(missing)]
    if like:
        return f"{like[0]!r} reads like {missing!r} but holds other characters: type it anew"
    return did_you_mean(missing, free).removeprefix("; ")


def _nothing_matches(entity: Entity, header: tuple[str, ...]) -> FileRefused:
    return file_refused(
        "COLUMN_MISSING",
        names=f"that is a field of {entity.name}",
        found=", ".join(shown_names(header, [entity])[:_MOST_NAMES]),
        suggestion=delimiter_hint(header) or "name the columns as the fields",
    )


def delimiter_hint(header: tuple[str, ...]) -> str:
    """What to try where the whole header seems to have become one name."""
    marks = [mark for mark in ",;\t|" if len(header) == 1 and mark in header[0]]
    return (
        f"the columns seem to be parted by {marks[0]!r}; declare no other delimiter"
        if marks
        else ""
    )


def _hidden(
    entity: Entity, header: tuple[str, ...], found: Mapping[int, Field], strangers: Iterable[int]
) -> Iterator[int]:
    yield from (index for index, field in found.items() if field.secret)
    secret = [
        name for field in entity.fields if field.secret for name in (field.name, *field.aliases)
    ]
    plain = [normalise(name) for name in secret]
    for index in strangers if secret else ():
        name = normalise(header[index])
        squeezed = {each.replace("_", "") for each in plain}
        if name.replace("_", "") in squeezed or did_you_mean(name, plain):
            yield index


def _check_strangers(
    entity: Entity, header: tuple[str, ...], strangers: list[int], unknown: UnknownColumns
) -> None:
    if not strangers:
        return
    name = header[strangers[0]]
    if unknown is UnknownColumns.REJECT:
        others = ", ".join(repr(header[index]) for index in strangers[1:_MOST_NAMES])
        also = f"; nor are {others}" if others else ""
        raise _unknown(entity, name, f"{_suggestion(entity, name)}{also}")
    if unknown is UnknownColumns.KEEP and not entity.is_open:
        raise _unknown(entity, name, "the entity is not open: unknown_columns=keep cannot be used")


def _unknown(entity: Entity, name: str, suggestion: str) -> FileRefused:
    return file_refused("COLUMN_UNKNOWN", name=name, entity=entity.name, suggestion=suggestion)


def _warnings(
    entity: Entity, header: tuple[str, ...], strangers: Iterable[int], unknown: UnknownColumns
) -> Iterator[FileWarning]:
    known = {_skeleton(name): name for name in known_names(entity)}
    loose = {normalise(name): name for name in known_names(entity)}
    for index in list(strangers)[:_MOST_WARNINGS]:
        name, column = header[index], index + 1
        like = known.get(_skeleton(name))
        if like is not None and not name.isascii():
            yield file_warning("LOOKALIKE_NAME", column=column, name=name, like=like)
        if unknown is UnknownColumns.WARN:
            yield file_warning(
                "COLUMN_IGNORED",
                column=column,
                name=name,
                entity=entity.name,
                suggestion=_twin(name, loose) or _suggestion(entity, name),
            )


def _twin(name: str, loose: Mapping[str, str]) -> str:
    """What to say of a column that would be a field, were there not a better one."""
    like = loose.get(normalise(name))
    return f"another column is {like!r} already" if like is not None else ""


def _suggestion(entity: Entity, name: str) -> str:
    near = did_you_mean(name, known_names(entity)).removeprefix("; ")
    return near or "declare it, or set unknown_columns=ignore"


def _skeleton(name: str) -> str:
    """The name as the eye reads it: invisible characters gone, foreign look-alikes as Latin."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name)).casefold()
    return _SEPARATORS.sub("_", plain.translate(_LOOKALIKES))
