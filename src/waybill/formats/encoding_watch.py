"""Notes records with invalid bytes over a whole file, to warn once and say what it may be."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from waybill.formats.encoding import Guess, detect
from waybill.validation.codes import file_warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.finding import FileWarning

_LINES_SHOWN: Final = 10
_SAMPLES: Final = 200


class EncodingWatch:
    """One warning about all records that hold bytes which are not text; safe between threads."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._lock = Lock()
        self._count = 0
        self._lines: list[int] = []
        self._samples: list[bytes] = []
        self._guess: Guess | None = None

    def note(self, lines: Sequence[int], samples: Sequence[bytes]) -> None:
        """Take note of bad records: the line and the bytes of each."""
        with self._lock:
            self._count += len(lines)
            self._lines = sorted([*self._lines, *lines[:_LINES_SHOWN]])[:_LINES_SHOWN]
            self._samples += samples[: _SAMPLES - len(self._samples)]

    def warnings(self) -> tuple[FileWarning, ...]:
        """``ENCODING_SUSPECT`` with the likeliest encoding, or nothing."""
        with self._lock:
            if not self._count:
                return ()
            guess = self._guess or detect(self._samples)
            self._guess = guess
            return (
                file_warning(
                    "ENCODING_SUSPECT",
                    count=self._count,
                    lines=tuple(self._lines),
                    encoding=self._encoding,
                    likely=guess.label,
                    confidence=guess.confidence,
                ),
            )
