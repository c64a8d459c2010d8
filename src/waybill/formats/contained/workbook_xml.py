"""The XML of a workbook's parts: well-formed, and with nothing in it that the library passes over.

The library reads on over wrong tags and loses what stands between them; it loses CDATA sections
and text around a comment. No writer of workbooks makes such parts, so they are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from waybill.errors import FileRefused


def well_formed(pieces: Iterable[bytes], part: str) -> Iterator[bytes]:
    """The same pieces of a part, checked. Memory is that of one token.

    Raises:
        FileRefused: ``XLSX_INVALID``: they are no well-formed XML in UTF-8, or text is hidden.
            ``XML_DTD_FORBIDDEN``: there is a document type.
    """
    parser = _parser(part)
    try:
        for piece in pieces:
            parser.Parse(piece)
            yield piece
        parser.Parse(b"", True)  # noqa: FBT003 - that was all
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise _invalid(part, f"{expat.ErrorString(error.code)}, {place}") from error


def _parser(part: str) -> expat.XMLParserType:
    """A parser that looks at nothing else, so that it never comes back to Python on good parts."""
    parser = expat.ParserCreate("utf-8")

    def refuse_type(*_: object) -> None:
        raise file_refused("XML_DTD_FORBIDDEN", place=f" in its part {part[:80]}")

    def refuse_hidden(*_: object) -> None:
        raise _invalid(part, f"it hides text, line {parser.CurrentLineNumber}")

    def begin(*_: object) -> None:
        parser.StartElementHandler = None
        parser.CommentHandler = parser.ProcessingInstructionHandler = refuse_hidden
        parser.StartCdataSectionHandler = refuse_hidden

    parser.StartDoctypeDeclHandler = refuse_type
    parser.StartElementHandler = begin
    return parser


def _invalid(part: str, reason: str) -> FileRefused:
    return file_refused("XLSX_INVALID", reason=f"its part {part[:80]!r} is damaged: {reason}")
