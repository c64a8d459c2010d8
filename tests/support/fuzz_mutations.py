"""Damages bytes: anywhere, or token by token of a format, as a generator of numbers says."""

from __future__ import annotations

import re
import struct
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

NASTY = (
    b"\0", b"\xff", b"\r", b"\n", b"\r\n", b'"', b"'", b"\\", b",", b"\t", b"<", b">", b"&", b"{",
    b"[", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xe2\x80\xa8", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"9" * 25,
    b"A" * 300,
)  # fmt: skip
JSON_TOKENS = (
    b"{", b"}", b"[", b"]", b":", b",", b'""', b'"a"', b"null", b"true", b"NaN", b"-0", b"1e999",
    b"01", b'"\\ud800"', b'"\\u0000"', b'"a":1', b"\n", b"\r", b" ", b'\\"', b"[[[[", b'"b":{}',
)  # fmt: skip
XML_TOKENS = (
    b"<!-- x -->", b"<![CDATA[x]]>", b"<?p q?>", b"&lt;", b"&#65;", b"&nope;", b"&#0;", b"text",
    b"<a>", b"</a>", b"<a/>", b"<b x='1'>", b"</b>", b"<n:a xmlns:n='u'>", b"</n:a>", b"]]>",
    b"\r\n", b"</r>", b"<!DOCTYPE r>", b"<a x='1' x='2'/>",
)  # fmt: skip
SHEET_TOKENS = (
    b'<c r="A2">', b'<c r="B3" t="s">', b'<c r="XFD1048576">', b'<c r="A2" t="e"><v>#N/A</v></c>',
    b'<c\nr="C3"\nt="e"><v>#N/A</v></c>', b"<c>", b'<c t="str">', b"</c>", b"<v>", b"</v>",
    b"<v>1</v>", b"<f>A1</f>", b"<f/>", b"<is>", b"</is>", b"<t>x</t>", b'<row r="2">', b"<row>",
    b"</row>", b"</sheetData>", b"<v>99999999999</v>", b"<v>-1</v>", b"<v>NaN</v>",
    b"<v><![CDATA[7]]></v>", b"<!-- </row> -->", b' r="A1"', b' t="b"', b' t="d"', b' s="1"',
    b"<sheetData>", b"<sheetData/>", b"<x:c r='B2'><x:v>1</x:v></x:c>",
)  # fmt: skip
_TAGS = re.compile(rb"(<[^<>]*>)")
_LEXEMES = re.compile(rb'([{}\[\]:,\n]|"(?:[^"\\]|\\.)*"?)')
_DIRECTORY = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
_FIELDS = ("<H", "<I")


def damage(random: Random, content: bytes, times: int | None = None) -> bytes:
    """A few flips, cuts, copies and insertions anywhere."""
    for _ in range(times or random.choice((1, 1, 1, 2, 4))):
        content = random.choice((_flip, _cut, _copy, _insert, _truncate, _overwrite))(
            random, content
        )
    return content


def damage_tokens(random: Random, content: bytes, tokens: Sequence[bytes]) -> bytes:
    """A few tokens dropped, doubled, swapped, replaced or inserted."""
    split = _TAGS if content.lstrip()[:1] == b"<" else _LEXEMES
    parts = split.split(content)
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(parts) + 1)
        match random.randrange(5):
            case 0:
                parts[at : at + random.choice((1, 1, 5))] = []
            case 1:
                parts[at:at] = parts[at : at + random.choice((1, 5, 40))]
            case 2:
                parts[at : at + 1] = [random.choice(tokens)]
            case 3:
                other = random.randrange(len(parts) + 1)
                parts[at : at + 1], parts[other : other + 1] = (
                    parts[other : other + 1],
                    parts[at : at + 1],
                )
            case _:
                parts.insert(at, random.choice(tokens))
    return b"".join(parts)


def damage_zip(random: Random, content: bytes) -> bytes:
    """One field of a header of a zip archive set to something else."""
    starts = [found.start() for magic in _DIRECTORY for found in re.finditer(magic, content)]
    if not starts:
        return damage(random, content)
    kind = random.choice(_FIELDS)
    at = random.choice(starts) + random.randrange(4, 46)
    value = random.choice((0, 1, 2, 8, 9, 99, 0x800, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, len(content)))
    field = struct.pack(kind, value & (0xFFFF if kind == "<H" else 0xFFFFFFFF))
    return content[:at] + field + content[at + len(field) :]


def parts_of(package: bytes) -> dict[str, bytes]:
    """The files of a zip archive."""
    with zipfile.ZipFile(BytesIO(package)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _place(random: Random, content: bytes) -> int:
    """Somewhere, often near an end, for headers and footers are there."""
    size = len(content)
    near = min(size, 80)
    return random.choice(
        (random.randint(0, size), random.randint(0, near), size - random.randint(0, near))
    )


def _flip(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    one = bytes(byte ^ 1 << random.randrange(8) for byte in content[at : at + 1])
    return content[:at] + one + content[at + 1 :]


def _cut(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    return content[:at] + content[at + random.choice((1, 1, 2, 8, 100)) :]


def _copy(random: Random, content: bytes) -> bytes:
    at, size = _place(random, content), random.choice((1, 4, 30, 300))
    return content[:at] + content[at : at + size] + content[at:]


def _insert(random: Random, content: bytes) -> bytes:
    at = _place(random, content)
    return content[:at] + random.choice(NASTY) + content[at:]


def _overwrite(random: Random, content: bytes) -> bytes:
    at, nasty = _place(random, content), random.choice(NASTY)
    return content[:at] + nasty + content[at + len(nasty) :]


def _truncate(random: Random, content: bytes) -> bytes:
    return content[: _place(random, content)]
