"""Text as YAML scalars, and the characters that YAML has."""

from __future__ import annotations

import json
import re
from typing import Final

KEY_CHARACTERS: Final = 1000
"""YAML finds no key that is longer than 1,024 characters, quotes and escapes counted."""

_PLAIN: Final = re.compile(
    r"(?!(?:true|false|yes|no|on|off|y|n|null)\Z)[^\W\d_](?:[\w ./@()+;&*%$=-]*[\w.)%+])?",
    re.IGNORECASE,
)
_SINGLE: Final = re.compile(
    "[ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*"
)
_ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def scalar(text: str) -> str:
    """A scalar on one line that YAML reads as this text and nothing else."""
    if _PLAIN.fullmatch(text):
        return text
    if _SINGLE.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return quoted(text)


def quoted(text: str) -> str:
    """A scalar on one line in double quotes, which JSON reads, too."""
    return _ESCAPED.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
