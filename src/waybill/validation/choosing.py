"""Which entity of a bundle a file is of: the first whose columns its header has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waybill.validation.codes import file_refused
from waybill.validation.columns import (
    REPORT_COLUMNS,
    delimiter_hint,
    known_names,
    recognise_columns,
    shown_names,
)
from waybill.validation.node import did_you_mean

if TYPE_CHECKING:
    from waybill.errors import FileRefused
    from waybill.model.bundle import Bundle, Choice
    from waybill.model.entity import Entity


def choose_entity(bundle: Bundle, header: tuple[str, ...]) -> Entity:
    """The entity of the first choice that the columns ``header`` fit.

    Raises:
        FileRefused: none fits; names the unknown column with the nearest known one, or the columns
            that the nearest choice lacks.
    """
    for choice in bundle.choices:
        if not _lacking(choice, header):
            return choice.entity
    raise _nothing_fits(bundle, header)


def _lacking(choice: Choice, header: tuple[str, ...]) -> list[str]:
    """What a header would need besides to be of this choice, in words."""
    found = set(recognise_columns(choice.entity, header).values())
    lacking = [repr(name) for name in choice.all_of if name not in found]
    if choice.any_of and found.isdisjoint(choice.any_of):
        names = ", ".join(map(repr, choice.any_of))
        lacking.append(names if len(choice.any_of) == 1 else f"one of {names}")
    return lacking


def _nothing_fits(bundle: Bundle, header: tuple[str, ...]) -> FileRefused:
    known = [recognise_columns(entity, header) for entity in bundle.entities]
    ours = REPORT_COLUMNS if "_record" in header else frozenset[str]()
    strangers = [
        name
        for index, name in enumerate(header)
        if name not in ours and not any(index in each for each in known)
    ]
    return file_refused(
        "ENTITY_NOT_RECOGNISED",
        bundle=bundle.name,
        reason=_reason(bundle, header, strangers, is_strange=not any(known)),
    )


def _reason(
    bundle: Bundle, header: tuple[str, ...], strangers: list[str], *, is_strange: bool
) -> str:
    """A misspelt column first, then what is lacking; ``is_strange``: nobody knows any column."""
    if not header:
        return "it has no columns"
    names = [name for entity in bundle.entities for name in known_names(entity)]
    near = [(name, did_you_mean(name, names)) for name in strangers]
    misspelt = next(((name, hint) for name, hint in near if hint), None)
    parted = delimiter_hint(header)
    if is_strange and (misspelt is None or parted):
        misspelt = (strangers[0], f"; {parted}" if parted else "")
    if misspelt is not None:
        name, hint = misspelt
        [shown] = shown_names([name], bundle.entities)
        if shown != name:
            return f"its first line names no known column{hint}"
        return f"unknown column {name!r}{hint}"
    choice = min(bundle.choices, key=lambda each: _distance(each, header))
    return f"it lacks {' and '.join(_lacking(choice, header))} of {choice.entity.name}"


def _distance(choice: Choice, header: tuple[str, ...]) -> tuple[int, int]:
    """How far a header is from a choice: columns lacking, then columns that the entity has not."""
    return len(_lacking(choice, header)), -len(recognise_columns(choice.entity, header))
