"""The text of an XML document, checked and cut into its markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from waybill.transforms.excess import deeper_than, too_large
from waybill.transforms.places import Place
from waybill.transforms.source_text import read_text
from waybill.transforms.tool import Refused
from waybill.transforms.utf8 import empty_input, not_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from waybill.model.limits import Limits
    from waybill.transforms.tool import Source

START: Final = 2
LEAF: Final = 3
END: Final = 4
ODD_START: Final = 5
OTHER: Final = 6

_MARKUP: Final = re.compile(
    r"""([^<]*+)
    (?: (<[^!?/>"'\s=]++(?:[ ][^>"'\s=]++=(?:"[^"]*+"|'[^']*+'))*+/?+>)
        ((?<!/>)[^<]*+</[^>]*+>)?+
      | (</[^>]*+>)
      | (<[^!?/](?:[^>"']++|"[^"]*+"|'[^']*+')*+>)
      | (<!--(?s:.*?)--> | <!\[CDATA\[(?s:.*?)\]\]> | <\?(?s:.*?)\?>)
    ) | (?s:.+)""",
    re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(r"""\s([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_NAME: Final = re.compile(r"</?([^\s/>]+)")
_REFERENCE: Final = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#x([0-9A-Fa-f]+)|#([0-9]+));")
_ANY_REFERENCE: Final = re.compile("&")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_VERSION: Final = re.compile(r"1\.[0-9]+")
_UTF8: Final = {"utf-8", "utf8"}
_BREAK: Final = re.compile(r"\r\n|[\t\n\r]")
_BLANKS: Final = (9, 10, 13)
_CHARACTERS: Final = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
_MOST_DIGITS: Final = 7
_DOCUMENT_TYPE: Final = "<!DOCTYPE"
_BYTES_OF_A_CHARACTER: Final = 4
_ATTRIBUTE_CHARACTERS: Final = len(' a=""')


class XmlMarkup:
    """The markup of one document, as it was written.

    Each match of ``windows()`` is text (group 1, perhaps none) and what follows it, told by the
    match's ``lastindex``: a start tag (``START``; ``ODD_START``: with more white space than it
    needs), an empty element's, too; a whole element that holds text alone (``LEAF``: groups 2 and
    3); an end tag (``END``); or ``OTHER``: comment, CDATA section, processing instruction.

    The parser is expat, for it alone says where to the byte: libxml2 counts columns in bytes and
    behind the fault, and tells nothing of how the text was written. Well-formed is what XML 1.0
    calls so: a prefix that stands for no namespace is a part of the name.

    ``open_tags``: start tags of the elements that are open now; whoever takes the matches keeps it.
    """

    def __init__(self, source: Source, limits: Limits) -> None:
        self.open_tags: list[str] = []
        self._source = source
        self._limits = limits
        self._window = ""
        self._place = Place()
        self._fed = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartDoctypeDeclHandler = _refuse_type
        self._parser.XmlDeclHandler = self._check_declaration
        self.unchecked_characters = min(
            limits.xml_token_bytes // _BYTES_OF_A_CHARACTER,
            limits.xml_attributes * _ATTRIBUTE_CHARACTERS,
        )

    def windows(self) -> Iterator[Iterator[re.Match[str]]]:
        """The matches, a piece of the source after the other; to be taken in that order.

        Raises:
            Refused: ``INVALID_XML``, ``INVALID_ENCODING`` (one that is declared, too) or
                ``EMPTY_INPUT``.
        """
        is_blank = True
        for text in read_text(self._source):
            window = self._window + text
            is_blank = is_blank and not window.strip()
            yield from self._parse(window, text.encode(), is_final=False)
        if is_blank:
            raise empty_input()
        yield from self._parse(self._window, b"", is_final=True)

    def refuse(self, offset: int, excess: str = "") -> Refused:
        """What says that the character at an offset of the present window cannot be right.

        ``excess``: the limit that is met there.
        """
        place = self._place.after_text(self._window[:offset])
        if excess:
            return too_large(excess, place)
        message = "XML validation failed."
        return Refused(message, code="INVALID_XML", line=place.line, column=place.column)

    def check_size(self, match: re.Match[str]) -> None:
        """Hold one match, longer than ``unchecked_characters``, to the limits.

        Raises:
            Refused: ``PAYLOAD_TOO_LARGE``.
        """
        for group in range(1, OTHER + 1):
            if match.start(group) >= 0:
                end = (
                    match.string.rindex("<", 0, match.end()) if group == LEAF else match.end(group)
                )
                self._check_token(match.start(group), end)
        tag_group = START if match[START] else ODD_START
        most = self._limits.xml_attributes
        if match[tag_group] and match[tag_group].count("=") > most:
            found = list(_ATTRIBUTE.finditer(match[tag_group]))
            if len(found) > most:
                message = f"An element has more than {most} attributes (limits.xml_attributes)."
                raise self.refuse(match.start(tag_group) + found[most].start(1), message)

    def refuse_outside(self, match: re.Match[str]) -> Refused:
        """What says that the text of a match, which no element holds, cannot be right."""
        text = match[1]
        return self.refuse(match.start() + len(text) - len(text.lstrip()))

    def check_depth(self, match: re.Match[str]) -> None:
        """Refuse an element that begins as deep as none may.

        Raises:
            Refused: ``PAYLOAD_TOO_LARGE``.
        """
        most = self._limits.nesting_depth
        if len(self.open_tags) >= most:
            raise self.refuse(match.end(1), deeper_than(most))

    def _parse(
        self, window: str, piece: bytes, *, is_final: bool
    ) -> Iterator[Iterator[re.Match[str]]]:
        """The matches of a window, before a fault in it is raised."""
        self._window = window
        fault: Exception | None = None
        try:
            self._parser.Parse(piece, is_final)
        except (expat.ExpatError, Refused) as error:
            fault = error
        self._fed += len(piece)
        right = len(window) if fault is None else self._fault_offset(fault)
        cut = _Cut(window[:right])
        yield iter(cut)
        self._check_rest(window[:right], cut.taken)
        if isinstance(fault, expat.ExpatError):
            raise self.refuse(self._refined(fault, cut.taken, right)) from fault
        if fault is not None:
            raise fault
        self._place = self._place.after_text(window[: cut.taken])
        self._window = window[cut.taken :]

    def _check_rest(self, window: str, taken: int) -> None:
        """Refuse a document type, and a text or markup that never seems to end."""
        markup = window.find("<", taken)
        if markup < 0:
            markup = len(window)
        if not self.open_tags and self._window.startswith(_DOCUMENT_TYPE, markup):
            raise self.refuse(markup)
        self._check_token(taken, markup)
        self._check_token(markup, len(window))

    def _check_token(self, start: int, end: int) -> None:
        """Refuse a text or markup that is longer than the limit."""
        limit = self._limits.xml_token_bytes
        token = self._window[start:end].encode()
        if len(token) > limit:
            message = f"A text or tag is longer than {limit} bytes (limits.xml_token_bytes)."
            raise self.refuse(start + len(token[:limit].decode(errors="ignore")), message)

    def _fault_offset(self, fault: Exception) -> int:
        """Where in the window the parser stopped."""
        if not isinstance(fault, expat.ExpatError):
            return self._offset(self._parser.CurrentByteIndex)
        error = expat.errors.messages[fault.code]
        if error == expat.errors.XML_ERROR_NO_ELEMENTS:
            return len(self._window)
        offset = self._offset(self._parser.ErrorByteIndex)
        is_markup = self._window.startswith("<", offset)
        if error == expat.errors.XML_ERROR_UNCLOSED_TOKEN and is_markup:
            return len(self._window)
        return offset

    def _offset(self, fed: int) -> int:
        """Which character of the window a byte of all that was fed belongs to."""
        window = self._window.encode()
        return len(window[: len(window) - (self._fed - fed)].decode(errors="ignore"))

    def _refined(self, fault: expat.ExpatError, taken: int, offset: int) -> int:
        """The first wrong character, where the parser tells the beginning of what is wrong."""
        error = expat.errors.messages[fault.code]
        if error == expat.errors.XML_ERROR_TAG_MISMATCH:
            return offset + self._rightly_named(offset)
        if error in {
            expat.errors.XML_ERROR_UNDEFINED_ENTITY,
            expat.errors.XML_ERROR_BAD_CHAR_REF,
        }:
            return self._first_bad_reference(max(taken, offset))
        return offset

    def _rightly_named(self, offset: int) -> int:
        """How many characters of an end tag's name are those of the element that is open."""
        name = element_name(self.open_tags[-1]) if self.open_tags else ""
        count = 0
        while count < len(name) and self._window.startswith(name[count], offset + count):
            count += 1
        return count

    def _first_bad_reference(self, offset: int) -> int:
        """The first reference from there on that is to nothing."""
        for found in _ANY_REFERENCE.finditer(self._window, offset):
            reference = _REFERENCE.match(self._window, found.start())
            if reference is None or not _is_character(reference):
                return found.start()
        return offset

    def _check_declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _UTF8:
            raise not_utf8()
        if not _VERSION.fullmatch(version):
            raise self.refuse(self._window.index(version, len("<?xml")))


class _Cut:
    """The matches of one window; ``taken``: the end of the last one."""

    def __init__(self, text: str) -> None:
        self.taken = 0
        self._text = text

    def __iter__(self) -> Iterator[re.Match[str]]:
        last = None
        for match in _MARKUP.finditer(self._text):
            if match.lastindex is None:
                break
            yield match
            last = match
        self.taken = 0 if last is None else last.end()


def element_name(tag: str) -> str:
    """The name in a start tag or an end tag."""
    found = _NAME.match(tag)
    return found[1] if found is not None else ""


def attributes(tag: str) -> list[tuple[str, str]]:
    """Names and values of a start tag's attributes, in their order."""
    return [
        (name, plain_text(_BREAK.sub(" ", quoted[1:-1])))
        for name, quoted in _ATTRIBUTE.findall(tag)
    ]


def plain_text(text: str) -> str:
    """What text between markup says: line breaks as LF, references as their characters."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_referred, text) if "&" in text else text


def _referred(reference: re.Match[str]) -> str:
    entity, hexadecimal, decimal = reference.groups()
    if entity is not None:
        return _ENTITIES[entity]
    return chr(int(hexadecimal, 16) if hexadecimal is not None else int(decimal))


def _is_character(reference: re.Match[str]) -> bool:
    """Whether a reference is to a character that XML allows."""
    entity, hexadecimal, decimal = reference.groups()
    digits = (hexadecimal or decimal or "").lstrip("0")
    if entity is not None or len(digits) > _MOST_DIGITS:
        return entity is not None
    code = int(digits or "0", 16 if hexadecimal is not None else 10)
    return code in _BLANKS or any(first <= code <= last for first, last in _CHARACTERS)


def _refuse_type(*_: object) -> None:
    """Stop the parser before it reads anything of a document type; its place is found later."""
    raise Refused("XML validation failed.", code="INVALID_XML")
