"""Telling single-byte Latin encodings apart by the alphabets of the languages written in them.

Statistics alone take Polish for Western European text; an alphabet either holds a letter or not.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS: Final = "€–—‘’“”„‚…°§«»·£©®™µ²³½¼\u00a0"  # noqa: RUF001 - meant
_COVERED: Final = 0.98
_OTHER_SHARE: Final = 0.5
_WORD: Final = re.compile(rb"[A-Za-z\x80-\xff]+")
_ASCII_LETTERS: Final = string.ascii_letters.encode()

_ALPHABETS: Final[tuple[tuple[str, str], ...]] = (
    ("cp1252", "äöüß"),  # German
    ("cp1252", "àâæçèéêëîïôœùûüÿ"),  # French
    ("cp1252", "áéíñóúü¿¡ªº"),  # Spanish
    ("cp1252", "àáâãçéêíóôõúüªº"),  # Portuguese
    ("cp1252", "àèéìíîòóùú"),  # Italian
    ("cp1252", "àçèéíïòóúü·"),  # Catalan
    ("cp1252", "åäöé"),  # Swedish, Finnish
    ("cp1252", "æøåéèêóòôü"),  # Danish, Norwegian
    ("cp1252", "áðéíóúýþæö"),  # Icelandic
    ("cp1252", "áéëïóöüíèê"),  # Dutch
    ("cp1252", "äõöüšž"),  # Estonian
    ("cp1252", "áéíóú"),  # Irish
    ("cp1250", "ąćęłńóśźż"),  # Polish
    ("cp1250", "áčďéěíňóřšťúůýžöüä"),  # Czech
    ("cp1250", "áäčďéíĺľňóôŕšťúýž"),  # Slovak
    ("cp1250", "áéíóöőúüű"),  # Hungarian
    ("cp1250", "čćđšž"),  # Croatian, Slovene
    ("cp1250", "ăâîşţ"),  # Romanian
    ("cp1254", "çğıöşüâîû\u0307"),  # Turkish; the dot is what is left of a small dotted I
    ("cp1257", "ąčęėįšųūž"),  # Lithuanian
    ("cp1257", "āčēģīķļņšūž"),  # Latvian
)
_TOGETHER: Final = tuple(
    (name, "".join(letters for each, letters in _ALPHABETS if each == name))
    for name in dict.fromkeys(name for name, _ in _ALPHABETS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatinReading:
    """A reading of Latin text; an empty ``name`` means that it is none.

    ``readings``: how many encodings read it equally well, but differently.
    """

    name: str = ""
    readings: int = 0


def read_latin(text: bytes) -> LatinReading:
    """The encoding in which some language's alphabet covers the text.

    Of several that read the same characters, Western European goes first. Where no alphabet
    covers it, names of many countries perhaps, those of one encoding together may: then it is not
    the only reading. Else the nearest one counts as one of many.
    """
    if not _is_latin(text):
        return LatinReading()
    fewest, (names, share) = 1, _nearest(text, _ALPHABETS)
    if share < _COVERED:
        fewest, (names, share) = 2, _nearest(text, _TOGETHER)
    if share < _COVERED:
        return LatinReading(name=names[0], readings=len(_ALPHABETS))
    texts = {text.decode(name, "replace") for name in names}
    return LatinReading(name=names[0], readings=max(fewest, len(texts)))


def _nearest(text: bytes, alphabets: Sequence[tuple[str, str]]) -> tuple[list[str], float]:
    """The encodings whose alphabets hold most of the text, and the share that they hold."""
    shares = [(_covered(text, name, letters), name) for name, letters in alphabets]
    best = max(share for share, _ in shares)
    return list(dict.fromkeys(name for share, name in shares if share == best)), best


def _is_latin(text: bytes) -> bool:
    """Whether words that hold other bytes are for the most part ASCII letters."""
    words = b"".join(word for word in _WORD.findall(text) if not word.isascii())
    others = len(words.translate(None, delete=_ASCII_LETTERS))
    return others <= _OTHER_SHARE * len(words)


def _covered(text: bytes, name: str, letters: str) -> float:
    """The share of characters beyond ASCII that the alphabet and common signs hold."""
    beyond = [mark for mark in text.decode(name, "replace").lower() if not mark.isascii()]
    return sum(mark in letters or mark in _SIGNS for mark in beyond) / max(len(beyond), 1)
