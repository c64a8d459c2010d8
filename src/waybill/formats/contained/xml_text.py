"""The text of an XML document before its records: encoding, document type, sizes, faults."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from waybill.errors import FileRefused
    from waybill.formats.contained.protocol import Task
    from waybill.model.limits import Limits

TEXT: Final = "#text"
"""The name of what an element itself says, beside attributes and children."""

PROLOG_BYTES: Final = 1024 * 1024
"""The root and its first child begin within so many bytes."""

_DECLARATION: Final = re.compile(rb"""\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]{1,80})["']""")
_BOMS: Final = {
    codecs.BOM_UTF8: "utf_8",
    codecs.BOM_UTF16_LE: "utf_16",
    codecs.BOM_UTF16_BE: "utf_16",
}
_ACCEPTED: Final = "UTF-8, UTF-16 with a byte order mark or ISO-8859-1, which XML may be in here"
_BEGUN: Final = 2  # the root and its first child


@dataclass(frozen=True, slots=True)
class Opening:
    """How a document begins: the names of its root and of the root's first child.

    ``pieces``: what was read to know it, to be parsed again.
    """

    pieces: Sequence[tuple[bytes, int]]
    first_names: tuple[str, ...]


def begin_document(pieces: Iterator[tuple[bytes, int]], task: Task) -> Opening:
    """Look at how a document begins.

    Raises:
        FileRefused: ``XML_DTD_FORBIDDEN``, ``ENCODING_INVALID``, ``XML_INVALID`` or
            ``XML_TOKEN_TOO_LONG``.
    """
    read: list[tuple[bytes, int]] = []
    parser: Any = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    names: list[str] = []
    try:
        for piece, consumed in pieces:
            if not read:
                _check_encoding(piece, task.encoding)
            read.append((piece, consumed))
            parser.feed(piece)
            names += _begun(parser)
            if len(names) >= _BEGUN:
                break
            _check_prolog(read, task.limits)
        else:
            if not read:
                raise file_refused("XML_INVALID", reason="it is empty")
            parser.close()
            names += _begun(parser)
    except etree.XMLSyntaxError as error:
        if not names and b"<!DOCTYPE" in _narrow(b"".join(part for part, _ in read)):
            raise _document_type() from error
        raise refuse_syntax(error, task.limits) from error
    first = tuple(name.rpartition("}")[2] for name in names[:_BEGUN])
    return Opening(read, first if len(first) == _BEGUN else (*first, "*")[:_BEGUN])


def watch_tokens(
    pieces: Iterable[tuple[bytes, int]], limits: Limits
) -> Iterator[tuple[bytes, int]]:
    """The same pieces; one that goes on without any markup for too long is refused.

    Text and attributes cannot hold the character ``<``; what can, such as comments, the parser
    itself limits.
    """
    since = 0
    for piece, consumed in pieces:
        first = piece.find(b"<")
        longest = since + (len(piece) if first < 0 else first)
        if longest > limits.xml_token_bytes:
            limit, allowed = "xml_token_bytes", limits.xml_token_bytes
            raise file_refused("XML_TOKEN_TOO_LONG", limit=limit, allowed=allowed)
        since = longest if first < 0 else len(piece) - piece.rfind(b"<")
        yield piece, consumed


def feed(parser: Any, piece: bytes, limits: Limits, lines_before: int = 0) -> None:  # noqa: ANN401 - lxml has no types
    """Give a parser the next piece.

    A reference to an unknown entity ends the document without an exception, and what comes next
    would be a new one: the log of errors alone tells.

    Raises:
        FileRefused: the XML is not well-formed, or a limit was met.
    """
    try:
        parser.feed(piece)
    except etree.XMLSyntaxError as error:
        raise refuse_syntax(error, limits, lines_before) from error
    found = parser.feed_error_log.last_error
    if found is not None and found.level >= etree.ErrorLevels.FATAL:
        raise _refused(found.line, str(found.message), limits, lines_before)


def refuse_syntax(
    error: etree.XMLSyntaxError, limits: Limits, lines_before: int = 0
) -> FileRefused:
    """What a fault that the parser found means; ``lines_before``: the text that it was given."""
    return _refused(error.lineno, str(error.msg), limits, lines_before)


def _refused(lineno: int | None, message: str, limits: Limits, lines_before: int) -> FileRefused:
    line = lineno + lines_before if lineno else None
    reason = message[:200]
    if lines_before:
        reason = re.sub(r"\bline (\d+)", lambda told: f"line {int(told[1]) + lines_before}", reason)
    known = reason.lower()
    if "depth" in known:
        allowed = limits.nesting_depth
        return file_refused("XML_TOO_DEEP", line=line, limit="nesting_depth", allowed=allowed)
    if "name" in known and "too long" in known:
        limit = f"the limit header_name_characters of {limits.header_name_characters}"
        return file_refused("XML_INVALID", line=line, reason=f"a name is longer than {limit}")
    if "too long" in known or "too big" in known or "huge" in known:
        allowed = limits.xml_token_bytes
        return file_refused(
            "XML_TOKEN_TOO_LONG", line=line, limit="xml_token_bytes", allowed=allowed
        )
    return file_refused("XML_INVALID", line=line, reason=reason)


def _begun(parser: Any) -> Iterator[str]:  # noqa: ANN401 - lxml has no types
    """The names of the elements that have begun, unless the document has a type."""
    for _, element in parser.read_events():
        if element.getroottree().docinfo.doctype:
            raise _document_type()
        yield element.tag


def _check_prolog(read: Sequence[tuple[bytes, int]], limits: Limits) -> None:
    """Refuse a document that does not begin in time."""
    if sum(len(piece) for piece, _ in read) > PROLOG_BYTES:
        limit, allowed = "xml_token_bytes", limits.xml_token_bytes
        raise file_refused("XML_TOKEN_TOO_LONG", limit=limit, allowed=allowed)


def _document_type() -> FileRefused:
    return file_refused("XML_DTD_FORBIDDEN", place="")


def _check_encoding(head: bytes, declared: str) -> None:
    """Let the three encodings pass that are told apart for certain."""
    marked = next((name for mark, name in _BOMS.items() if head.startswith(mark)), "")
    found = _DECLARATION.match(_narrow(head))
    named = found.group(1).decode("ascii", "replace") if found else ""
    names = {_plain_name(each) for each in (declared, named) if each}
    accepted = {marked} if marked else {"utf_8", "latin_1", "ascii"}
    if len(names) > 1 or not names <= accepted or (not marked and b"\0" in head[:4]):
        says = f" (declared: {declared or named!r})" if declared or named else ""
        raise file_refused("ENCODING_INVALID", byte=0, offset=0, encoding=_ACCEPTED + says)


def _plain_name(label: str) -> str:
    """Python's name of an encoding, without its byte order; looked up in no further file."""
    plain = normalize_encoding(label).lower()
    name = aliases.get(plain, plain)
    return name.removesuffix("_le").removesuffix("_be").removesuffix("_sig")


def _narrow(head: bytes) -> bytes:
    """The text without byte order mark, in bytes of one character each where it is markup."""
    for mark in _BOMS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"")
