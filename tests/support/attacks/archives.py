"""S11 and S12: zip archives whose directory lies, and names that are no paths."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING

from attacks.case import GOOD_CSV, Attack, Failed, Read
from workbooks import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END = b"PK\x05\x06"
DIRECTORY_SIZES = struct.Struct("<HHI")


def patched(content: bytes, at: int, layout: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, at, value)
    return bytes(changed)


def in_directory(offset: int, layout: str, value: int, content: bytes = b"") -> bytes:
    """An archive of one file, with another value in its entry of the directory."""
    packed = content or archive({"a.csv": GOOD_CSV})
    return patched(packed, packed.rindex(b"PK\x01\x02") + offset, layout, value)


def repeated_entry(entries: int, body: bytes = b"x" * 10_000) -> bytes:
    """So many entries of the directory over one block of data (CVE-2024-0450)."""
    packed = archive({"a.csv": body})
    begin, end = packed.rindex(b"PK\x01\x02"), packed.rindex(END)
    entry = packed[begin:end]
    tail = bytearray(packed[end:])
    DIRECTORY_SIZES.pack_into(tail, 8, entries & 0xFFFF, entries & 0xFFFF, len(entry) * entries)
    return packed[:begin] + entry * entries + bytes(tail)


def million_entries() -> Iterator[bytes]:
    """A million empty members, by a 64-bit directory of 51 MB."""
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, *[0] * 7, 1, *[0] * 6) + b"a"
    count, size = 1_000_000, len(entry) * 1_000_000
    yield local
    for _ in range(100):
        yield entry * 10_000
    end = len(local) + size
    yield struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, len(local))
    yield struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    yield struct.pack("<4s4H2IH", END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)


def overlapping_quines() -> bytes:
    """Members that share the packed bytes of one kernel, each a little further in."""
    return repeated_entry(1_000, b"0" * 900_000)


def named(name: str) -> bytes:
    return with_info(lambda info: setattr(info, "filename", name))


def with_info(change: Callable[[zipfile.ZipInfo], None], content: bytes = GOOD_CSV) -> bytes:
    buffer, info = io.BytesIO(), zipfile.ZipInfo("a.csv")
    change(info)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(info, content)
    return buffer.getvalue()


def link() -> bytes:
    mode = (stat.S_IFLNK | 0o777) << 16
    return with_info(lambda info: setattr(info, "external_attr", mode), b"/etc/passwd")


def twice(*names: str) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as packed:
        warnings.simplefilter("ignore")
        for name in names:
            packed.writestr(name, GOOD_CSV)
    return buffer.getvalue()


def inside_another() -> bytes:
    """A member whose header lies within the bytes of another one."""
    inner = archive({"b.csv": GOOD_CSV})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("a.csv", inner)
        packed.writestr("b.csv", GOOD_CSV)
    content = buffer.getvalue()
    hidden = content.index(b"PK\x03\x04", 4)
    return patched(content, content.rindex(b"PK\x01\x02") + 42, "<I", hidden)


def wide_lies(at: int, value: int) -> bytes:
    """An archive with 64-bit sizes, one of them another."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("a.csv", "w", force_zip64=True) as member,
    ):
        member.write(GOOD_CSV)
    content = buffer.getvalue()
    begin, end = content.rindex(b"PK\x01\x02"), content.rindex(END)
    entry = bytearray(content[begin:end])
    struct.pack_into("<I", entry, 24, 0xFFFFFFFF)
    struct.pack_into("<H", entry, 30, 12)
    extra = struct.pack("<HHQ", 1, 8, value)
    tail = bytearray(content[end:])
    struct.pack_into("<I", tail, 12, len(entry) + len(extra) + at)
    return content[:begin] + bytes(entry) + extra + bytes(tail)


def commented(comment: bytes, content: bytes = b"") -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a" if content else "w") as packed:
        if not content:
            packed.writestr("a.csv", GOOD_CSV)
        packed.comment = comment
    return buffer.getvalue()


def second_end_in_comment() -> bytes:
    """The comment holds the end record of another directory, which a lax reader takes."""
    other = archive({"evil.csv": b"id,name\n9,Evil\n"})
    return commented(other[other.rindex(END) :] + b"x")


def another_archive_before() -> bytes:
    return archive({"evil.csv": b"id,name\n9,Evil\n"}) + archive({"a.csv": GOOD_CSV})


def odd_encoding() -> bytes:
    """A name in bytes that are neither UTF-8 nor ASCII, not marked as UTF-8."""
    content = archive({"XX.csv": GOOD_CSV})
    return content.replace(b"XX.csv", b"\xe5\xff.csv")


def broken_utf8_name() -> bytes:
    """A name that is marked as UTF-8 and is none."""
    content = archive({"XX.csv": GOOD_CSV}).replace(b"XX.csv", b"\xc0\xaf.csv")
    at = content.rindex(b"PK\x01\x02")
    return patched(patched(content, at + 8, "<H", 0x800), 6, "<H", 0x800)


BAD = Failed(code="ARCHIVE_INVALID")
ARCHIVES = (
    Attack(id="S11", make=lambda: repeated_entry(1_000, b"0" * 900_000), answer=BAD),
    Attack(id="S11-csv", make=lambda: repeated_entry(900), name="a.csv", answer=BAD),
    Attack(
        id="S12-million",
        make=million_entries,
        answer=Failed(code="ARCHIVE_LIMIT", says=("archive_members of 1000",)),
    ),
    Attack(
        id="S12-entries",
        make=lambda: repeated_entry(5_000),
        answer=Failed(code="ARCHIVE_LIMIT", says=("archive_members of 1000",)),
    ),
    *(
        Attack(id=f"S12-name-{kind}", make=lambda name=name: named(name), answer=BAD)
        for kind, name in {
            "parent": "../x",
            "root": "/etc/x",
            "drive": "C:\\x",
            "inner-parent": "a/../../x",
            "backslash": "a\\b.csv",
            "newline": "a\nb.csv",
        }.items()
    ),
    Attack(id="S12-link", make=link, answer=BAD),
    Attack(id="S12-twice", make=lambda: twice("a.csv", "a.csv"), answer=BAD),
    Attack(
        id="S12-encrypted",
        make=lambda: in_directory(8, "<H", 1),
        answer=Failed(code="ENCRYPTED_FILE"),
    ),
    Attack(id="S12-size", make=lambda: in_directory(24, "<I", len(GOOD_CSV) - 1), answer=BAD),
    Attack(id="S12-size-more", make=lambda: in_directory(24, "<I", 99), answer=BAD),
    Attack(id="S12-packed-size", make=lambda: in_directory(20, "<I", 5), answer=BAD),
    Attack(id="S12-crc", make=lambda: in_directory(16, "<I", 1), answer=BAD),
    Attack(
        id="S12-bomb-lying",
        make=lambda: in_directory(
            24, "<I", 1_000, archive({"a.csv": b"id,name\n" + b"1,a\n" * 20_000_000})
        ),
        answer=Failed(code=("ARCHIVE_INVALID", "DECOMPRESSION_LIMIT")),
    ),
    Attack(
        id="S12-bomb",
        make=lambda: archive({"a.csv": bytes(200 << 20)}),
        answer=Failed(code="DECOMPRESSION_LIMIT", says=("inflate_ratio of 100",)),
    ),
    Attack(
        id="S12-wide-size",
        make=lambda: wide_lies(0, 2**62),
        answer=Failed(code=("ARCHIVE_INVALID", "DECOMPRESSION_LIMIT")),
    ),
    Attack(id="S12-wide-small", make=lambda: wide_lies(0, 3), answer=BAD),
    Attack(id="S12-inside", make=inside_another, answer=BAD),
    Attack(id="S12-comment", make=lambda: commented(b"made by hand"), answer=Read(loaded=2)),
    Attack(id="S12-second-end", make=second_end_in_comment, answer=BAD),
    Attack(id="S12-before", make=another_archive_before, answer=BAD),
    Attack(id="S12-after", make=lambda: archive({"a.csv": GOOD_CSV}) + b"more", answer=BAD),
    Attack(id="S12-odd-name", make=odd_encoding, answer=Read(loaded=2)),
    Attack(id="S12-broken-name", make=broken_utf8_name, answer=BAD),
    Attack(
        id="S12-several",
        make=lambda: archive({"a.csv": GOOD_CSV, "b.csv": GOOD_CSV}),
        answer=Failed(code="ARCHIVE_AMBIGUOUS"),
    ),
)
