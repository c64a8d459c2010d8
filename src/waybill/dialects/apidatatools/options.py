"""The options of a tool, as headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from waybill.errors import RequestInvalid
from waybill.model.transform import ToolOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from waybill.model.transform import ToolFacts

MOST_SPACES: Final = 8
ROOT_CHARACTERS: Final = 100
_FLAGS: Final = {"1": True, "true": True, "0": False, "false": False}
_DELIMITERS: Final = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def read_options(facts: ToolFacts, headers: Mapping[str, str]) -> ToolOptions:
    """The options that a tool takes, as far as the headers have them; others are ignored.

    Raises:
        RequestInvalid: ``INVALID_OPTION``: names the header and what it takes.
    """
    values: dict[str, Any] = dict(facts.takes)
    for name, read in _READERS.items():
        header = f"x-{name.replace('_', '-')}"
        if name in values and header in headers:
            values[name] = read(header, headers[header])
    return ToolOptions(**values)


def _spaces(header: str, text: str) -> int:
    number = text.strip()
    is_digit = len(number) == 1 and number.isascii() and number.isdigit()
    if not is_digit or int(number) > MOST_SPACES:
        raise _invalid(header, f"an integer from 0 to {MOST_SPACES}")
    return int(number)


def _flag(header: str, text: str) -> bool:
    found = _FLAGS.get(text.strip().lower())
    if found is None:
        raise _invalid(header, "1, true, 0 or false")
    return found


def _delimiter(header: str, text: str) -> str:
    found = _DELIMITERS.get(text.strip().lower(), text.strip(" ") or text[:1])
    if len(found) != 1 or found in '"\r\n\0' or not found.isascii():
        raise _invalid(header, "one character, or tab, comma, semicolon or pipe")
    return found


def _root(header: str, text: str) -> str:
    name = text.strip()
    is_plain = name.isascii() and name.replace("_", "").replace("-", "").replace(".", "").isalnum()
    if not is_plain or name[0] in "-." or name[0].isdigit() or len(name) > ROOT_CHARACTERS:
        raise _invalid(header, "a name of letters, digits, _, - and . that begins with a letter")
    return name


def _invalid(header: str, wanted: str) -> RequestInvalid:
    return RequestInvalid(f"{header} must be {wanted}", code="INVALID_OPTION")


_READERS: Final[Mapping[str, Callable[[str, str], object]]] = {
    "tab_space": _spaces,
    "has_header": _flag,
    "delimiter": _delimiter,
    "root_name": _root,
    "url_safe": _flag,
}
"""Option of a tool -> how its header is read."""
