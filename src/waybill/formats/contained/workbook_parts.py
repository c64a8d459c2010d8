"""The parts of a workbook package: checked before the library sees them, and its sheets."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from lxml import etree

from waybill.formats.contained.archive import read_member
from waybill.formats.contained.workbook_xml import well_formed
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.errors import FileRefused
    from waybill.formats.contained.archive import Member
    from waybill.model.limits import Limits

WORKBOOK: Final = "xl/workbook.xml"
RELATIONS: Final = "xl/_rels/workbook.xml.rels"
CONTENT_TYPES: Final = "[Content_Types].xml"
SHARED_STRINGS: Final = "sharedstrings.xml"
PART_BYTES: Final = 16 * 1024 * 1024
"""Most of a part that is read as a whole: the list of sheets, the relations."""

PROLOG_BYTES: Final = 64 * 1024
"""The first element of every part begins within so many bytes."""

_ROOT: Final = re.compile(rb"<[A-Za-z_]")
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_IDENTITY: Final = re.compile(r"\}id$")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its name, and the part that holds it."""

    name: str
    part: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one workbook, by name as the package has it."""

    file: BinaryIO
    members: Sequence[Member]
    limits: Limits
    _by_name: dict[str, Member] = field(init=False)

    def __post_init__(self) -> None:
        """Index the parts; their names know no case."""
        known = {member.name.lower(): member for member in self.members}
        object.__setattr__(self, "_by_name", known)

    def check(self) -> None:
        """Refuse macros, document types and strings beyond the limit, in any part.

        Raises:
            FileRefused: ``MACROS_NOT_ACCEPTED``, ``XML_DTD_FORBIDDEN``, ``DECOMPRESSION_LIMIT`` or
                ``XLSX_INVALID``.
        """
        if any(name.endswith("vbaproject.bin") for name in self._by_name):
            raise file_refused("MACROS_NOT_ACCEPTED")
        if b"macroenabled" in self._whole(CONTENT_TYPES).lower():
            raise file_refused("MACROS_NOT_ACCEPTED")
        for name, member in self._by_name.items():
            if name.endswith((".xml", ".rels")):
                self._check_prolog(member)
            if name.endswith(SHARED_STRINGS):
                self._check_strings(member)

    def pieces(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, as ``well_formed`` gives them; raises as it and ``unchecked``."""
        return well_formed(self.unchecked(part), part)

    def unchecked(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, whatever they are.

        Raises:
            FileRefused: there is none, or the package does not have what its directory says.
        """
        member = self._by_name.get(part.lower())
        if member is None:
            raise _invalid(f"it has no part {part[:80]!r}")
        return read_member(self.file, member, self.limits)

    def external_references(self) -> int:
        """How many relations lead outside of the file; none is followed."""
        return sum(
            self._whole(name).count(b'TargetMode="External"')
            for name in self._by_name
            if name.endswith(".rels")
        )

    def find_sheet(self, wanted: str) -> Sheet:
        """The sheet of that name, else the first that can be seen.

        Raises:
            FileRefused: ``SHEET_NOT_FOUND``, or the list cannot be read.
        """
        sheets = list(self._sheets())
        for sheet, is_visible in sheets:
            if sheet.name == wanted or (not wanted and is_visible):
                return sheet
        names = ", ".join(repr(sheet.name) for sheet, _ in sheets[:20]) or "none"
        raise file_refused("SHEET_NOT_FOUND", name=repr(wanted), names=names)

    def _sheets(self) -> Iterator[tuple[Sheet, bool]]:
        """Every worksheet in order, and whether it is visible."""
        targets = {
            each.get("Id"): each.get("Target", "")
            for each in _parse(self._whole(RELATIONS)).iter("{*}Relationship")
            if each.get("Type", "").endswith("/worksheet")
        }
        for each in _parse(self._whole(WORKBOOK)).iter("{*}sheet"):
            identity = next((str(v) for k, v in each.items() if _IDENTITY.search(str(k))), "")
            if identity in targets:
                part = posixpath.normpath(posixpath.join("/xl", targets[identity])).lstrip("/")
                is_visible = each.get("state", "visible") == "visible"
                yield Sheet(each.get("name", ""), part), is_visible

    def _whole(self, part: str) -> bytes:
        content = bytearray()
        for piece in self.pieces(part):
            content += piece
            if len(content) > PART_BYTES:
                raise _invalid(f"its part {part} is larger than {PART_BYTES} bytes")
        return bytes(content)

    def _check_prolog(self, member: Member) -> None:
        """Refuse a document type: it stands before the first element, or nowhere."""
        prolog = bytearray()
        for piece in read_member(self.file, member, self.limits):
            prolog += piece[:PROLOG_BYTES]
            if _ROOT.search(prolog) or len(prolog) >= PROLOG_BYTES:
                break
        root = _ROOT.search(prolog)
        if b"<!DOCTYPE" in prolog[: root.start() if root else None]:
            raise file_refused("XML_DTD_FORBIDDEN", place=f" in its part {member.name[:80]}")
        if prolog.startswith(_WIDE) or (root is None and prolog):
            raise _invalid(f"its part {member.name[:80]!r} is no XML in UTF-8")

    def _check_strings(self, member: Member) -> None:
        allowed = self.limits.xlsx_shared_string_bytes
        if member.unpacked_bytes > allowed:
            limit = "xlsx_shared_string_bytes"
            raise file_refused("DECOMPRESSION_LIMIT", limit=limit, allowed=allowed)
        for _ in self.pieces(member.name):
            pass  # refuses damage, and a directory that lies about the size


def _parse(text: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise _invalid(str(error)[:200]) from error


def _invalid(reason: str) -> FileRefused:
    return file_refused("XLSX_INVALID", reason=reason)
