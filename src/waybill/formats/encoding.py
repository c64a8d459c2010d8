"""Which encoding a text is in: declared, else by BOM, else UTF-8, else detected when sure."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import charset_normalizer

from waybill.formats.latin import read_latin
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from waybill.errors import FileRefused

MINIMUM_CONFIDENCE: Final = 0.75
"""Undeclared text that is not UTF-8 is decoded only when detection is at least this sure."""

_BOMS: Final[tuple[tuple[bytes, str], ...]] = (  # UTF-32 LE begins like UTF-16 LE
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE: Final = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}  # declared without byte order
_REFUSED: Final = frozenset(
    {"utf_7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}
)
_CANDIDATES: Final = (
    "cp1251", "cp1253", "cp1255", "cp1256", "koi8_r", "cp932", "gb18030", "big5", "cp949",
)  # fmt: skip
_LABELS: Final = {"cp932": "shift_jis", "cp949": "euc-kr (cp949)", "koi8_r": "koi8-r"}
_NUL_SHARE: Final = 0.1
_NUL_COUNT: Final = 8  # fewer may be stray characters of a small file
_DETECTION_BYTES: Final = 16 * 1024
_HALF_SURE_BYTES: Final = 4
_MARGIN: Final = 0.05


class EncodingSource(StrEnum):
    """Why an encoding was chosen."""

    DECLARED = "declared"
    BOM = "bom"
    DEFAULT = "default"
    DETECTED = "detected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """An encoding as chosen; ``bom_bytes`` are to be skipped, ``confidence`` is 0..1."""

    name: str
    source: EncodingSource
    bom_bytes: int = 0
    confidence: float = 1.0

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes are taken as they are."""
        return self.name == "utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What detection makes of some bytes; an empty ``name`` means nothing."""

    name: str = ""
    confidence: float = 0.0

    @property
    def label(self) -> str:
        """The encoding's name as people know it."""
        windows = self.name.replace("cp12", "windows-12")
        return _LABELS.get(self.name, windows) or "none that is known"


def choose_encoding(sample: bytes, declared: str, *, whole: bool) -> Encoding:
    """The encoding of a text that begins with ``sample``, or is it where ``whole``.

    Confidence of a detection: share of plausible text, divided by the number of equally good
    readings, lowered where fewer than some dozen bytes speak for it.

    Raises:
        FileRefused: ``ENCODING_UNKNOWN``; ``ENCODING_INVALID`` where the bytes are no text in the
            declared encoding, or are mostly invalid and nothing can be detected.
    """
    marked = _by_bom(sample)
    if declared:
        return _check_nul(sample, _declared(declared, marked))
    if marked:
        return marked
    plain = _check_nul(sample, Encoding(name="utf-8", source=EncodingSource.DEFAULT))
    bad, good, total = _judge_lines(sample, whole=whole)
    if len(bad) <= good:
        return plain
    guess = detect(bad)
    if guess.confidence >= MINIMUM_CONFIDENCE:
        return Encoding(
            name=guess.name, source=EncodingSource.DETECTED, confidence=guess.confidence
        )
    if 2 * len(bad) > total:
        raise _not_text(sample, guess)
    return plain


def detect(lines: list[bytes]) -> Guess:
    """The likeliest encoding of lines that are not UTF-8."""
    text = b"\n".join(lines)[:_DETECTION_BYTES]
    latin = read_latin(text)
    if latin.name:
        return Guess(name=latin.name, confidence=_lowered(text, 1, latin.readings))
    matches = list(charset_normalizer.from_bytes(text, cp_isolation=list(_CANDIDATES)))
    if not matches:
        return Guess()
    best = matches[0]
    rivals = [
        match
        for match in matches
        if match.chaos <= best.chaos + _MARGIN and match.coherence >= best.coherence - _MARGIN
    ]
    return Guess(name=best.encoding, confidence=_lowered(text, 1 - best.chaos, len(rivals)))


def _lowered(text: bytes, confidence: float, readings: int) -> float:
    """A confidence, less where other readings are as good or few bytes speak for it."""
    evidence = len(text) - len(text.decode("ascii", "ignore"))
    return round(confidence / readings * evidence / (evidence + _HALF_SURE_BYTES), 2)


def _by_bom(sample: bytes) -> Encoding | None:
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return Encoding(name=name, source=EncodingSource.BOM, bom_bytes=len(mark))
    return None


def _declared(declared: str, marked: Encoding | None) -> Encoding:
    name = canonical_encoding(declared)
    if marked is None or not marked.name.startswith(name):
        return Encoding(name=_WIDE.get(name, name), source=EncodingSource.DECLARED)
    return Encoding(name=marked.name, source=EncodingSource.DECLARED, bom_bytes=marked.bom_bytes)


def canonical_encoding(declared: str) -> str:
    """The one name of an encoding.

    Raises:
        FileRefused: ``ENCODING_UNKNOWN``, also for codecs that are no encodings of text.
    """
    try:
        name = codecs.lookup(declared).name
        "a".encode(name)
    except (LookupError, ValueError) as error:
        raise _unknown(declared) from error
    if name.replace("-", "_") in _REFUSED:
        raise _unknown(declared)
    return name.removesuffix("-sig")


def _unknown(declared: str) -> FileRefused:
    return file_refused("ENCODING_UNKNOWN", encoding=repr(declared[:40]))


def _check_nul(sample: bytes, encoding: Encoding) -> Encoding:
    """Refuse as UTF-8 what is full of NUL: a wider encoding, or no text."""
    if not encoding.is_utf8 or sample.count(b"\0") < max(_NUL_COUNT, _NUL_SHARE * len(sample)):
        return encoding
    offset = sample.index(b"\0")
    raise file_refused(
        "ENCODING_INVALID", byte=offset, offset=offset, encoding="UTF-8 (many NUL bytes: UTF-16?)"
    )


def _judge_lines(sample: bytes, *, whole: bool) -> tuple[list[bytes], int, int]:
    """Lines that are not UTF-8, how many other non-ASCII ones and how many lines there are."""
    if sample.isascii():
        return [], 0, 0
    lines = sample.splitlines() if whole else sample.splitlines()[:-1]
    wide = [line for line in lines if not line.isascii()]
    bad = [line for line in wide if _first_fault(line) >= 0]
    return bad, len(wide) - len(bad), len(lines)


def _first_fault(text: bytes) -> int:
    """Offset of the first byte that is not UTF-8, -1 where all are."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start
    return -1


def _not_text(sample: bytes, guess: Guess) -> FileRefused:
    offset = _first_fault(sample)
    likely = f"UTF-8 (it looks like {guess.label}, confidence {guess.confidence})"
    return file_refused("ENCODING_INVALID", byte=offset, offset=offset, encoding=likely)
