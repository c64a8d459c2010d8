"""Zip archives: what is in one, checked before anything is unpacked, and one member's bytes.

Nothing here trusts ``zipfile`` to notice lies: overlapping members, sizes and names are our checks.
Source: APPNOTE.TXT 6.3.10 of the zip format.
"""

from __future__ import annotations

import codecs
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from waybill.formats.contained.protocol import Archive, FrameKind, data_payload, write_frame
from waybill.formats.unpacking import check_ratio
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.errors import FileRefused
    from waybill.formats.contained.protocol import Task
    from waybill.model.limits import Limits

DIRECTORY_BYTES_PER_MEMBER: Final = 4 * 1024
"""A central directory larger than this for each member allowed is refused unread."""

WORKBOOK_PARTS: Final = "xl/"
CONTENT_TYPES: Final = "[Content_Types].xml"

_UTF8: Final = codecs.lookup("utf-8")
_NARROW: Final = codecs.lookup("cp437")
"""Looked up before the limits hold: a name in it must open no further file."""

_LOCAL: Final = struct.Struct("<4s22xHH")
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_END: Final = struct.Struct("<4s6xHIIH")
_LOCATOR: Final = struct.Struct("<4s4xQ4x")
_LOCATOR_MAGIC: Final = b"PK\x06\x07"
_WIDE_END: Final = struct.Struct("<4s28xQQQ")
_WIDE_END_MAGIC: Final = b"PK\x06\x06"
_END_MAGIC: Final = b"PK\x05\x06"
_END_SEARCH: Final = 65_535 + _END.size
_UNREADABLE: Final = (
    zipfile.BadZipFile, struct.error, UnicodeError, OSError, ValueError, NotImplementedError,
)  # fmt: skip
_ENCRYPTED: Final = 0x1
_STRONGLY_ENCRYPTED: Final = 0x40
_PIECE_BYTES: Final = 256 * 1024
_ODD_NAME: Final = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|[\x00-\x1f\\]")
_LITTER: Final = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")
_KNOWN_FAMILIES: Final = (
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint document"),
    ("xl/workbook.bin", "a binary workbook (XLSB)"),
    ("META-INF/manifest.xml", "an OpenDocument file"),
    ("META-INF/MANIFEST.MF", "a Java archive"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its header begins at ``begin``, its packed bytes at ``data``."""

    name: str
    method: int
    begin: int
    data: int
    packed_bytes: int
    unpacked_bytes: int
    crc: int


def inspect(task: Task, output: BinaryIO) -> None:
    """Say what a zip file is: a workbook, or an archive of one file."""
    with Path(task.path).open("rb") as file:
        members = read_directory(file, task.limits)
    told = Archive(is_workbook=True) if is_workbook(members) else _archive(members)
    write_frame(output, FrameKind.HEADER, msgspec.json.encode(told))


def unpack(task: Task, output: BinaryIO) -> None:
    """Send the bytes of the only file of an archive."""
    with Path(task.path).open("rb") as file:
        member = only_member(read_directory(file, task.limits))
        for piece in read_member(file, member, task.limits):
            write_frame(output, FrameKind.DATA, data_payload(file.tell(), piece))


def is_workbook(members: Sequence[Member]) -> bool:
    """Whether the members are those of an XLSX file.

    Raises:
        FileRefused: of a document of another kind.
    """
    names = [member.name for member in members]
    for start, family in _KNOWN_FAMILIES:
        if any(name.startswith(start) for name in names):
            raise file_refused("UNSUPPORTED_FORMAT", found=family, accepted="an XLSX workbook")
    return CONTENT_TYPES in names and any(name.startswith(WORKBOOK_PARTS) for name in names)


def _archive(members: Sequence[Member]) -> Archive:
    return Archive(is_workbook=False, member=only_member(members).name)


def only_member(members: Sequence[Member]) -> Member:
    """The one file there is beside what operating systems leave behind.

    Raises:
        FileRefused: there is none, or several.
    """
    files = [each for each in members if not _LITTER.search(each.name)]
    if not files:
        raise _invalid("it holds no file")
    if len(files) > 1:
        names = ", ".join(repr(each.name[:80]) for each in files[:3])
        more = ", ..." if len(files) > 3 else ""  # noqa: PLR2004 - as many as are named
        raise file_refused("ARCHIVE_AMBIGUOUS", count=len(files), names=names + more)
    return files[0]


def read_directory(file: BinaryIO, limits: Limits) -> list[Member]:
    """The files of an archive, directories left out, checked against each other.

    Raises:
        FileRefused: ``ARCHIVE_LIMIT``, ``ARCHIVE_INVALID``, ``ENCRYPTED_FILE`` or
            ``DECOMPRESSION_LIMIT``.
    """
    _check_end(file, limits)
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            end = archive.start_dir
    except _UNREADABLE as error:
        raise _invalid(str(error) or "its directory cannot be read") from error
    if len(infos) > limits.archive_members:
        raise _beyond(limits)
    for info in infos:
        _check_entry(info)
    names = Counter(info.filename.lower() for info in infos)  # to a workbook they are the same
    repeated = [name for name, count in names.items() if count > 1]
    if repeated:
        raise _invalid(f"it holds {repeated[0][:80]!r} twice")
    members = [(info, _member(file, info)) for info in infos]
    _check_overlap([member for _, member in members], end)
    _check_sizes(infos, limits)
    return [member for info, member in members if not info.is_dir()]


def read_member(file: BinaryIO, member: Member, limits: Limits) -> Iterator[bytes]:
    """The unpacked bytes of a member, checked against what the directory says.

    Raises:
        FileRefused: ``ARCHIVE_INVALID`` or ``DECOMPRESSION_LIMIT``.
    """
    produced = crc = 0
    for piece, consumed in _unpacked(file, member):
        produced += len(piece)
        check_ratio(limits, consumed=consumed, produced=produced)
        if produced > member.unpacked_bytes:
            raise _lying(member)
        crc = zlib.crc32(piece, crc)
        yield piece
    if produced != member.unpacked_bytes or crc != member.crc:
        raise _lying(member)


def _unpacked(file: BinaryIO, member: Member) -> Iterator[tuple[bytes, int]]:
    """Pieces of a member, each with how many packed bytes were read for it."""
    inflater: Any = zlib.decompressobj(-zlib.MAX_WBITS) if member.method else None
    file.seek(member.data)
    left = member.packed_bytes
    while left:
        packed = file.read(min(left, _PIECE_BYTES))
        if not packed:
            raise _lying(member)
        left -= len(packed)
        consumed = member.packed_bytes - left
        if inflater is None:
            yield packed, consumed
            continue
        try:
            while packed:
                piece = inflater.decompress(packed, _PIECE_BYTES)
                packed = inflater.unconsumed_tail
                yield piece, consumed
        except zlib.error as error:
            raise _lying(member) from error
    if inflater is None:
        return
    yield inflater.flush(), member.packed_bytes
    if not inflater.eof or inflater.unused_data:
        raise _lying(member)


def _check_end(file: BinaryIO, limits: Limits) -> None:
    """Refuse a huge directory before it is read, and a file that readers could read in two ways.

    The archive must be the whole file: its directory where the end record says, nothing behind.
    """
    stored = file.seek(0, 2)
    file.seek(max(0, stored - _END_SEARCH))
    tail = file.read()
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise _invalid("its end is missing: the file is cut, or no zip archive")
    _, entries, size, begin, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise _invalid("other data follows its end")
    end = stored - len(tail) + at
    wide = _wide_end(file, tail, at)
    if wide is not None:
        entries, size, begin, end = wide
    if (
        entries > limits.archive_members
        or size > limits.archive_members * DIRECTORY_BYTES_PER_MEMBER
    ):
        raise _beyond(limits)
    if begin + size != end:
        raise _invalid("its directory is not where its end says, or other data stands before it")


def _wide_end(file: BinaryIO, tail: bytes, at: int) -> tuple[int, int, int, int] | None:
    """Entries, bytes and offset of the directory by the 64-bit end record, and where that stands.

    ``None`` where there is none.
    """
    place = at - _LOCATOR.size
    if place < 0 or not tail.startswith(_LOCATOR_MAGIC, place):
        return None
    _, offset = _LOCATOR.unpack_from(tail, place)
    file.seek(min(offset, 2**62))
    record = file.read(_WIDE_END.size)
    if len(record) < _WIDE_END.size or not record.startswith(_WIDE_END_MAGIC):
        raise _invalid("its 64-bit end record is not where it should be")
    _, entries, size, begin = _WIDE_END.unpack(record)
    return entries, size, begin, offset


def _check_entry(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & (_ENCRYPTED | _STRONGLY_ENCRYPTED):
        raise file_refused("ENCRYPTED_FILE", found=f"the member {info.filename[:80]!r}")
    if _ODD_NAME.search(info.orig_filename) or not info.filename:
        raise _invalid(f"the name {info.orig_filename[:80]!r} is no plain relative path")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _invalid(f"{info.filename[:80]!r} is a link or device, not a file")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _invalid(
            f"{info.filename[:80]!r} is packed by method {info.compress_type}, not deflate"
        )


def _check_sizes(infos: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    consumed = sum(info.compress_size for info in infos)
    check_ratio(limits, consumed=consumed, produced=sum(info.file_size for info in infos))


def _member(file: BinaryIO, info: zipfile.ZipInfo) -> Member:
    file.seek(max(0, info.header_offset))
    head = file.read(_LOCAL.size)
    if info.header_offset < 0 or len(head) < _LOCAL.size or not head.startswith(_LOCAL_MAGIC):
        raise _invalid(f"{info.filename[:80]!r} does not begin where the directory says")
    _, name_bytes, extra_bytes = _LOCAL.unpack(head)
    if file.read(name_bytes) != _raw_name(info):
        raise _invalid(f"{info.filename[:80]!r} has another name where it begins")
    return Member(
        name=info.filename,
        method=info.compress_type,
        begin=info.header_offset,
        data=info.header_offset + _LOCAL.size + name_bytes + extra_bytes,
        packed_bytes=info.compress_size,
        unpacked_bytes=info.file_size,
        crc=info.CRC,
    )


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    is_utf8 = info.flag_bits & 0x800
    return (_UTF8 if is_utf8 else _NARROW).encode(info.orig_filename)[0]


def _check_overlap(members: Sequence[Member], directory: int) -> None:
    """Every member's bytes end before those of the next one, and before the directory, begin."""
    ordered = sorted(members, key=lambda member: member.data)
    ends = [member.data + member.packed_bytes for member in ordered]
    begins = [*(member.begin for member in ordered), directory][1:]
    for member, end, following in zip(ordered, ends, begins, strict=True):
        if end > following:
            raise _invalid(f"the bytes of {member.name[:80]!r} belong to another member too")


def _beyond(limits: Limits) -> FileRefused:
    return file_refused("ARCHIVE_LIMIT", limit="archive_members", allowed=limits.archive_members)


def _lying(member: Member) -> FileRefused:
    return _invalid(f"{member.name[:80]!r} does not unpack to what the directory says")


def _invalid(reason: str) -> FileRefused:
    return file_refused("ARCHIVE_INVALID", reason=reason)
