"""zstd inputs: what is joined, what is refused, and where. Cases S72 of the attack corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading import refusal
from waybill.errors import FileRefused
from waybill.formats.opening import open_reader
from waybill.formats.zstd_frames import FrameWalker
from waybill.model.limits import Limits
from waybill.ports.reader import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rows = Callable[..., list[tuple[str | None, ...]]]

TEXT = b"a,b\n1,x\n2,y\n"
SKIPPABLE = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"


def packed(text: bytes) -> bytes:
    return pa.compress(text, codec="zstd", asbytes=True)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    def read(content: bytes, **limits: int) -> list[tuple[str | None, ...]]:
        path = tmp_path / "input"
        path.write_bytes(content)
        reader = open_reader(str(path), ReadOptions(), Limits(**limits))
        assert reader.header.facts["compression"] == "zstd"
        chunks = list(reader.map_chunks(lambda chunk: chunk.table))
        return [tuple(row.values()) for table in chunks for row in table.to_pylist()]

    return read


def test_frames_are_joined_and_skippable_ones_passed_over(rows: Rows) -> None:
    first, second = packed(TEXT), packed(b"3,z\n")
    assert rows(SKIPPABLE + first + SKIPPABLE + second) == [("1", "x"), ("2", "y"), ("3", "z")]


def test_a_bomb_is_refused_while_streaming(rows: Rows) -> None:
    error = refusal(lambda: rows(packed(b"\0" * (200 << 20))))
    assert error.code == "DECOMPRESSION_LIMIT"
    assert "inflate_ratio of 100" in error.message


def test_a_window_beyond_the_limit_is_refused_before_anything_is_unpacked(rows: Rows) -> None:
    two_gibibytes = bytes([(31 - 10) << 3])
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + two_gibibytes + b"\x01\x00\x00"
    error = refusal(lambda: rows(frame))
    assert (error.code, "zstd_window_bytes" in error.message) == ("DECOMPRESSION_LIMIT", True)


@pytest.mark.parametrize("cut", [1, 3, 9])
def test_a_cut_frame_is_never_a_short_file(rows: Rows, cut: int) -> None:
    assert refusal(lambda: rows(packed(TEXT)[:-cut])).code == "CORRUPT_ZSTD"


def test_damage_after_whole_chunks_comes_after_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "input"
    body = b"".join(b"%d,x\n" % number for number in range(400_000))
    path.write_bytes(packed(b"a,b\n" + body) + b"garbage")
    reader = open_reader(str(path), ReadOptions(), Limits(), chunk_bytes=1 << 20)
    seen: list[int] = []
    error = refusal(lambda: seen.extend(reader.map_chunks(lambda chunk: chunk.ordinal)))
    assert (error.code, bool(seen)) == ("CORRUPT_ZSTD", True)


def test_more_frames_than_allowed_are_refused(rows: Rows) -> None:
    error = refusal(lambda: rows(SKIPPABLE * 1_000_000 + packed(TEXT)))
    assert (error.code, "compressed_members" in error.message) == ("DECOMPRESSION_LIMIT", True)


def test_packed_data_inside_packed_data_is_refused(rows: Rows) -> None:
    error = refusal(lambda: rows(packed(packed(TEXT))))
    assert error.code == "UNSUPPORTED_FORMAT"


def test_unpacked_bytes_are_limited_at_low_ratios_too(rows: Rows) -> None:
    text = TEXT + b"".join(b"%d,z\n" % number for number in range(500_000))
    error = refusal(lambda: rows(packed(text), inflated_bytes=1 << 20))
    assert "inflated_bytes" in error.message


@given(st.lists(st.binary(max_size=400), max_size=6), st.integers(1, 50), st.data())
def test_frames_are_counted_however_the_bytes_are_cut(
    contents: list[bytes], step: int, data: st.DataObject
) -> None:
    frames = [data.draw(st.sampled_from([packed(each), SKIPPABLE])) for each in contents]
    text = b"".join(frames)
    walker = FrameWalker(Limits(compressed_members=len(frames)))
    for at in range(0, len(text), step):
        walker.feed(text[at : at + step])
    with pytest.raises(FileRefused):
        walker.feed(packed(b"one more"))
