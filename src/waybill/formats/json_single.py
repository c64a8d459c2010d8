"""A JSON document that is one record."""

from __future__ import annotations

import numpy as np

from waybill.formats.csv_exact import QuoteLayout
from waybill.formats.json_cutting import WindowCutter
from waybill.formats.slices import Slice
from waybill.ports.reader import ReadPosition
from waybill.validation.codes import file_refused
from waybill.validation.json_structure import WHITE_SPACE, find_structure
from waybill.validation.record_index import RecordIndex, find_line_ends


class SingleCutter(WindowCutter):
    """Gives the rest of a text as one slice of one record."""

    def next_slice(self) -> Slice | None:
        """See ``Cutter.next_slice``.

        Raises:
            FileRefused: ``RECORD_TOO_LONG``.
        """
        self._window.pass_space(WHITE_SPACE)
        start, allowed = self.position, self._rules.line_bytes
        text = self._window.look(allowed + 1)
        if not text or start.record > self._first_record:
            return None
        if len(text) > allowed:
            raise file_refused(
                "RECORD_TOO_LONG",
                line=start.line,
                byte=start.byte,
                limit="line_bytes",
                allowed=allowed,
            )
        line_ends = find_line_ends(text)
        end = ReadPosition(
            byte=start.byte + len(text), line=start.line + line_ends.size, record=start.record + 1
        )
        self._window.go_to(end)
        return Slice(
            ordinal=0,
            text=text,
            layout=QuoteLayout.regular(np.empty(0, dtype=np.int64)),
            index=RecordIndex(starts=np.zeros(1, dtype=np.int64), line_ends=line_ends),
            start=start,
            end=end,
            input_bytes=self._window.input_bytes,
            ends=np.array([len(text.rstrip(WHITE_SPACE))], dtype=np.int64),
            structure=find_structure(text),
        )
