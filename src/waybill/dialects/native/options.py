"""The options of an import, read strictly from JSON or from a query string."""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from waybill.errors import OptionInvalid
from waybill.model.options import (
    AbsentMembers,
    Atomicity,
    BrokenJson,
    FileFormat,
    HeaderMode,
    ImportOptions,
    MissingColumns,
    OnDuplicate,
    Operation,
    UnknownColumns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

DELIMITER_NAMES: Final = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
ODD_ENCODINGS: Final = frozenset(
    {
        "undefined",
        "unicode_escape",
        "raw_unicode_escape",
        "idna",
        "punycode",
        "utf_7",
        "mbcs",
        "oem",
    }
)
PLAN_HASH: Final = re.compile("[0-9a-f]{64}")
CLIENT_REF_CHARACTERS: Final = 255
PATH_CHARACTERS: Final = 1_000
SHEET_CHARACTERS: Final = 31
LARGEST_COUNT: Final = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: how its text becomes a value, what a value must be, and how it is documented.

    ``from_text`` gives ``None`` for a text that is no such value.
    """

    schema: Mapping[str, Any]
    check: Callable[[object], object | None]
    from_text: Callable[[str], object | None]
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenOptions:
    """Options as given; ``client_ref`` travels with them."""

    options: ImportOptions
    client_ref: str | None


def from_query(pairs: Mapping[str, str]) -> GivenOptions:
    """Options of a raw upload; every value is text and is converted.

    Raises:
        OptionInvalid: unknown, or not a value of its kind.
    """
    return _build({name: _option(name).from_text(text) for name, text in pairs.items()}, pairs)


def from_json(values: Mapping[str, object]) -> GivenOptions:
    """Options of a multipart upload; every value must have its JSON type.

    Raises:
        OptionInvalid: unknown, or not a value of its kind.
    """
    return _build({name: _option(name).check(value) for name, value in values.items()}, values)


def _build(read: Mapping[str, Any], given: Mapping[str, object]) -> GivenOptions:
    for name, value in read.items():
        if value is None and given[name] is not None:
            expected = OPTIONS[name].expected
            raise OptionInvalid(f"The option {name} must be {expected}.", parameter=name)
    values = {name: value for name, value in read.items() if value is not None}
    client_ref = values.pop("client_ref", None)
    return GivenOptions(options=ImportOptions(**values), client_ref=client_ref)


def with_charset(options: ImportOptions, charset: str) -> ImportOptions:
    """The options with the encoding that the file's Content-Type declares, unless they name one.

    Raises:
        OptionInvalid: there is no such encoding.
    """
    if options.encoding or not charset:
        return options
    encoding = _encoding(charset)
    if encoding is None:
        raise OptionInvalid(
            f"The Content-Type names the charset {charset[:80]!r}, which is no text encoding.",
            parameter="encoding",
        )
    return replace(options, encoding=encoding)


def _option(name: str) -> Option:
    option = OPTIONS.get(name)
    if option is not None:
        return option
    near = get_close_matches(name, OPTIONS, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(OPTIONS)}."
    raise OptionInvalid(f"The option {name[:80]!r} is unknown; {hint}", parameter=name[:80])


def _choice(kind: type[StrEnum]) -> Option:
    members = {member.value: member for member in kind}

    def check(value: object) -> StrEnum | None:
        return members.get(value) if isinstance(value, str) else None

    return Option(
        schema={"type": "string", "enum": list(members)},
        check=check,
        from_text=check,
        expected=f"one of {', '.join(members)}",
    )


def _flag() -> Option:
    words = {"true": True, "false": False}
    return Option(
        schema={"type": "boolean"},
        check=lambda value: value if isinstance(value, bool) else None,
        from_text=lambda text: words.get(text.lower()),
        expected="true or false",
    )


def _count() -> Option:
    def check(value: object) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return value if 0 <= value <= LARGEST_COUNT else None

    def from_text(text: str) -> int | None:
        is_number = text.isascii() and text.isdigit() and len(text) < len(str(LARGEST_COUNT)) + 1
        return check(int(text)) if is_number else None

    return Option(
        schema={"type": "integer", "minimum": 0},
        check=check,
        from_text=from_text,
        expected="a whole number from 0",
    )


def _ratio() -> Option:
    def check(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if 0 <= value <= 1 else None

    def from_text(text: str) -> float | None:
        try:
            number = float(text)
        except ValueError:
            return None
        return check(number) if math.isfinite(number) else None

    return Option(
        schema={"type": "number", "minimum": 0, "maximum": 1},
        check=check,
        from_text=from_text,
        expected="a number from 0 to 1",
    )


def _text(
    read: Callable[[str], str | None], expected: str, schema: Mapping[str, Any] | None = None
) -> Option:
    return Option(
        schema={"type": "string", **(schema or {})},
        check=lambda value: read(value) if isinstance(value, str) else None,
        from_text=read,
        expected=expected,
    )


def _delimiter(text: str) -> str | None:
    character = DELIMITER_NAMES.get(text.lower(), text)
    if not character:
        return ""
    is_one = len(character) == 1 and character.isascii() and not character.isalnum()
    return character if is_one and character not in '"\r\n\0' else None


def _encoding(text: str) -> str | None:
    if not text:
        return ""
    try:
        name = codecs.lookup(text).name
        "".encode(name)  # refuses codecs that are not of text, such as hex
    except (LookupError, ValueError):
        return None
    return None if name.replace("-", "_") in ODD_ENCODINGS else text


def _records_path(text: str) -> str | None:
    return text if text.isprintable() and len(text) <= PATH_CHARACTERS else None


def _sheet(text: str) -> str | None:
    return text if text.isprintable() and len(text) <= SHEET_CHARACTERS else None


def _plan_hash(text: str) -> str | None:
    return text if not text or PLAN_HASH.fullmatch(text) else None


def _client_ref(text: str) -> str | None:
    return text if text.isprintable() and 0 < len(text) <= CLIENT_REF_CHARACTERS else None


OPTIONS: Final[Mapping[str, Option]] = {
    "operation": _choice(Operation),
    "atomicity": _choice(Atomicity),
    "on_duplicate": _choice(OnDuplicate),
    "unknown_columns": _choice(UnknownColumns),
    "missing_columns": _choice(MissingColumns),
    "absent_members": _choice(AbsentMembers),
    "max_errors": _count(),
    "max_error_ratio": _ratio(),
    "max_deletes": _count(),
    "max_delete_ratio": _ratio(),
    "delete_guard_from": _count(),
    "snapshot": _flag(),
    "dry_run": _flag(),
    "expected_plan": _text(
        _plan_hash, "the hash of a plan: 64 hexadecimal digits", {"pattern": PLAN_HASH.pattern}
    ),
    "client_ref": _text(
        _client_ref,
        "1 to 255 printable characters",
        {"minLength": 1, "maxLength": CLIENT_REF_CHARACTERS},
    ),
    "delimiter": _text(_delimiter, "one ASCII character that is no letter, digit or quote, or tab"),
    "encoding": _text(_encoding, "the name of a text encoding, such as utf-8 or windows-1252"),
    "header": _choice(HeaderMode),
    "escaped": _flag(),
    "format": _choice(FileFormat),
    "records_path": _text(
        _records_path,
        f"a JSON Pointer, or an element's name or path, of at most {PATH_CHARACTERS} characters",
        {"maxLength": PATH_CHARACTERS},
    ),
    "record_members": _text(
        _records_path,
        f"names of members parted by commas, at most {PATH_CHARACTERS} characters",
        {"maxLength": PATH_CHARACTERS},
    ),
    "broken_json": _choice(BrokenJson),
    "sheet": _text(
        _sheet,
        f"the name of a sheet, at most {SHEET_CHARACTERS} characters",
        {"maxLength": SHEET_CHARACTERS},
    ),
    "header_row": _count(),
}
"""Every option of an import by its name on the wire."""
