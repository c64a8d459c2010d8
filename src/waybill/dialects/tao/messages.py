"""What is wrong with a line or a file, in the words of TAO's users."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from waybill.model.entity import FieldType
from waybill.validation.codes import without_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from waybill.model.entity import Field
    from waybill.model.finding import Finding
    from waybill.model.job import Job

SHOWN_CHARACTERS: Final = 200
_MISSING: Final = frozenset({"REQUIRED", "REQUIRED_ON_CREATE", "KEY_MISSING"})
_OF_FORM: Final = frozenset({"PATTERN", "MIN_LENGTH", "MAX_LENGTH"})
_REFERENCED: Final[Mapping[str, str]] = {"group_name": "group", "user_username": "user"}
"""Field -> what its value names; any other names an organization."""

_OF_TYPE: Final[Mapping[FieldType, str]] = {
    FieldType.BOOLEAN: "TRUE or FALSE",
    FieldType.DATETIME: "a date such as 2023-01-01T12:00:00Z",
}
_FIXED: Final[Mapping[str, str]] = {
    "TREE_ROOT": "root stands above all organizations and is none itself",
    "TREE_CIRCLE": "the parents of the organization go in a circle",
}
_COUNTS: Final = re.compile(r"([0-9]+) cells, the header has ([0-9]+)")
_UNKNOWN_COLUMN: Final = re.compile(
    r"the column ('.*?') is not a field of [^;]*(; did you mean.*)?"
)
_MISSING_COLUMN: Final = re.compile(r"the file has no column ([^;]*);")


def message_of_line(finding: Finding, fields: Mapping[str, Field]) -> str:
    """What follows ``Line <n>`` in a message about one line."""
    if finding.field is None:
        return f": {reason_of(finding, None)}"
    return f", column {finding.field}: {reason_of(finding, fields.get(finding.field))}"


def reason_of(finding: Finding, field: Field | None) -> str:
    """Why a line is rejected, without its place; never the value of a secret."""
    code, shown = finding.code, f"'{(finding.value or '')[:SHOWN_CHARACTERS]}'"
    worded = _worded(finding)
    if worded:
        return worded
    if code == "FOREIGN_KEY":
        noun = _REFERENCED.get(finding.field or "", "organization")
        return f"{noun} {shown} does not exist"
    if code == "FIELD_COUNT":
        found = _COUNTS.search(finding.message)
        return f"{found[1]} cells where the header has {found[2]}" if found else finding.message
    return _of_value(finding, field, shown) if field is not None else finding.message


def _worded(finding: Finding) -> str:
    """Reasons that name no value; empty for any other."""
    if finding.code in _MISSING:
        return "mandatory value is missing"
    if finding.code == "TREE_TOO_DEEP":
        levels = "".join(filter(str.isdigit, finding.expected or ""))
        return f"organization depth is above {levels}"
    if finding.code == "IMMUTABLE" and finding.field == "group_name":
        return "the group of a session cannot be changed"
    return _FIXED.get(finding.code, "")


def _of_value(finding: Finding, field: Field, shown: str) -> str:
    code, title = finding.code, field.title.lower()
    if code in _OF_FORM and field.description:
        if field.secret:
            return f"{title} must have {field.description}"
        return f"{shown} is not {field.description}"
    if code == "LIST_ITEM" and field.item_enum:
        items = [item.strip() for item in (finding.value or "").split(field.delimiter)]
        unknown = next((item for item in items if item not in field.item_enum), "")
        return f"'{unknown[:SHOWN_CHARACTERS]}' is not a {title} ({_known(field.item_enum)})"
    if code == "ENUM" and field.constraints.enum:
        return f"{shown} is not a {title} ({_known(field.constraints.enum)})"
    if code in {"TYPE_MISMATCH", "DATE_INVALID"} and field.type in _OF_TYPE:
        return f"{shown} is not {_OF_TYPE[field.type]}"
    return finding.message


def _known(words: tuple[str, ...]) -> str:
    return f"known: {', '.join(words)}"


def message_of_file(job: Job) -> str:
    """Why the file as a whole failed."""
    code, message = (job.error.code, job.error.message) if job.error else ("", "")
    unknown, missing = _UNKNOWN_COLUMN.match(message), _MISSING_COLUMN.match(message)
    if code == "ENTITY_NOT_RECOGNISED":
        if not job.format_facts.get("columns"):
            return "The file is empty."
        reason = message.partition(": ")[2].replace("; declare no other delimiter", ", not commas")
        return f"The header is not one of the templates: {reason}"
    if code == "COLUMN_UNKNOWN" and unknown:
        hint = unknown[2] or ""
        return f"The header is not one of the templates: unknown column {unknown[1]}{hint}"
    if code == "COLUMN_MISSING" and missing:
        return f"The header lacks {missing[1]}"
    message = without_hint(code, message)
    sentence = f"{message[:1].upper()}{message[1:]}"
    return sentence if sentence.endswith(".") else f"{sentence}."
