"""The parent's side: starts the child, reads its frames, and says what its end means."""

from __future__ import annotations

import selectors
import signal
import subprocess
import sys
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from waybill.errors import FileRefused
from waybill.formats.contained.protocol import (
    FRAME_BYTES,
    HEAD,
    Frame,
    FrameKind,
    Refusal,
    broken_protocol,
    decoded,
)
from waybill.validation.codes import file_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import IO

    from waybill.formats.contained.protocol import Task

_COMMAND: Final = (sys.executable, "-I", "-m", "waybill.formats.contained.child")
_SAID_BYTES: Final = 64 * 1024
_OUT_OF_MEMORY: Final = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"out of memory")
_ATTEMPTS: Final = 2
_RETRIED: Final = frozenset({"PARSER_CRASHED", "PARSER_MEMORY"})


class Frames:
    """All frames of the child that does a task, up to and without its end; it starts at once.

    ``while_waiting`` is called about once a second while nothing comes; what it raises ends all.
    A child that dies is started once more, frames that came before are passed over: the same input
    gives the same frames.
    """

    def __init__(self, task: Task, while_waiting: Callable[[], None]) -> None:
        self._start = partial(_Child, task, while_waiting)
        self._child = self._start()
        self._frames = self._all()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        """The next frame.

        Raises:
            FileRefused: the child refuses the file; ``PARSER_MEMORY``, ``PARSER_TIMEOUT`` or
                ``PARSER_CRASHED`` where it died.
        """
        return next(self._frames)

    def close(self) -> None:
        """End the child; safe to repeat."""
        self._frames.close()
        self._child.close()

    def __del__(self) -> None:
        """No child outlives whoever wanted its frames."""
        self.close()

    def _all(self) -> Generator[Frame]:
        given = 0
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                for number, frame in enumerate(self._child.frames()):
                    if number >= given:
                        given = number + 1
                        yield frame
            except FileRefused as refusal:
                if refusal.code not in _RETRIED or attempt == _ATTEMPTS:
                    raise
            else:
                return
            finally:
                self._child.close()
            self._child = self._start()


class _Child:
    """One child process. Its standard input stays open: its end is the child's."""

    def __init__(self, task: Task, while_waiting: Callable[[], None]) -> None:
        self._while_waiting = while_waiting
        self._seconds = task.limits.parser_seconds
        self._task = task
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={"TZ": "UTC", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"},
            cwd="/",
            bufsize=0,
        )

    def frames(self) -> Iterator[Frame]:
        """Every frame up to the end; raises as ``Frames``."""
        self._send(msgspec.json.encode(self._task) + b"\n")
        output = self._process.stdout
        if output is None:
            raise RuntimeError("the child has no output")
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while frame := self._frame(output, selector):
                if frame.kind is FrameKind.END:
                    return
                if frame.kind is FrameKind.REFUSAL:
                    raise _refused(frame.payload)
                yield frame
        raise self._death()

    def close(self) -> None:
        """End the child; safe to repeat."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
        self._said.close()

    def _send(self, line: bytes) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.write(line)
            except BrokenPipeError:
                return  # it is dead; reading says so

    def _frame(self, output: IO[bytes], selector: selectors.BaseSelector) -> Frame | None:
        head = self._read(output, selector, HEAD.size)
        if len(head) < HEAD.size:
            return None
        kind, size = HEAD.unpack(head)
        if kind not in FrameKind.__members__.values() or size > FRAME_BYTES:
            raise broken_protocol()
        payload = self._read(output, selector, size)
        return Frame(FrameKind(kind), payload) if len(payload) == size else None

    def _read(self, output: IO[bytes], selector: selectors.BaseSelector, size: int) -> bytes:
        """So many bytes, or fewer at the end of the output."""
        parts: list[bytes] = []
        while size > 0:
            self._wait(selector)
            part = output.read(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, selector: selectors.BaseSelector) -> None:
        """Block until the child says something."""
        for _ in range(self._seconds):
            if selector.select(1):
                return
            self._while_waiting()
        raise file_refused("PARSER_TIMEOUT", limit="parser_seconds", allowed=self._seconds)

    def _death(self) -> FileRefused:
        """What the end of the child means."""
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read(_SAID_BYTES)
        if any(words in said for words in _OUT_OF_MEMORY) or code == -signal.SIGKILL:
            allowed = self._task.limits.parser_memory_bytes
            return file_refused("PARSER_MEMORY", limit="parser_memory_bytes", allowed=allowed)
        if code == -signal.SIGXCPU:
            return file_refused("PARSER_TIMEOUT", limit="parser_seconds", allowed=self._seconds)
        if code < 0:
            return self._crashed(f"it was ended by {signal.Signals(-code).name}")
        return self._crashed(f"it ended with {code}")

    def _crashed(self, reason: str) -> FileRefused:
        return file_refused("PARSER_CRASHED", reason=reason)


def _refused(payload: bytes) -> FileRefused:
    told = decoded(payload, Refusal)
    return FileRefused(told.message, code=told.code, line=told.line, byte=told.byte)
