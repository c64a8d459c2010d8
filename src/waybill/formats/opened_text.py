"""A stored file of which the encoding is known: its text, and what every text format says of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waybill.formats.content import read_up_to
from waybill.formats.encoding import Guess
from waybill.formats.slices import CutRules
from waybill.formats.text_stream import open_text

if TYPE_CHECKING:
    from waybill.formats.content import Content
    from waybill.formats.encoding import Encoding
    from waybill.formats.text_stream import TextStream
    from waybill.ports.reader import ReadOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedText:
    """``chunk_bytes`` and ``chunk_records``: how large chunks become."""

    content: Content
    encoding: Encoding
    options: ReadOptions
    chunk_bytes: int
    chunk_records: int

    def open(self) -> TextStream:
        """The text from its beginning."""
        return open_text(self.content.open(), self.encoding)

    def head(self) -> tuple[bytes, bool]:
        """The first two lines of the largest size, and whether that is all."""
        with closing(self.open()) as text:
            return read_up_to(text, 2 * self.content.limits.line_bytes)

    def rules(self, delimiter: str) -> CutRules:
        """How to cut it; see ``CutRules`` for a text without delimiter."""
        return CutRules(
            delimiter=delimiter,
            line_bytes=self.content.limits.line_bytes,
            nesting_depth=self.content.limits.nesting_depth,
            chunk_bytes=self.chunk_bytes,
            chunk_records=self.chunk_records,
        )

    @property
    def label(self) -> str:
        """The name of the encoding, for people."""
        return "UTF-8" if self.encoding.is_utf8 else Guess(name=self.encoding.name).label

    @property
    def label_in_findings(self) -> str:
        """The same for findings, whose bytes count in the text as it is read."""
        if self.encoding.is_utf8:
            return self.label
        return f"{self.label} (bytes are counted after conversion to UTF-8)"

    def facts(self) -> dict[str, object]:
        """What was chosen, and why."""
        return {
            "compression": self.content.packing.value,
            "encoding": self.label,
            "encoding_source": self.encoding.source.value,
            "encoding_confidence": self.encoding.confidence,
            "transcoded": not self.encoding.is_utf8,
            "bom": self.encoding.bom_bytes > 0,
        }
