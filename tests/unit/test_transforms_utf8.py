"""Every tool reads its source so: UTF-8 without a byte order mark, cut between characters."""

from __future__ import annotations

import codecs
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforming import SIZES, PiecewiseSource
from waybill.transforms.places import Place
from waybill.transforms.tool import Refused
from waybill.transforms.utf8 import text_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_all(data: bytes, sizes: Sequence[int]) -> tuple[list[bytes], str]:
    pieces: list[bytes] = []
    try:
        pieces.extend(text_pieces(PiecewiseSource(data, sizes)))
    except Refused as refused:
        return pieces, refused.code
    return pieces, ""


@given(st.text(min_size=1), SIZES)
def test_pieces_are_whole_characters_and_together_the_content(text: str, sizes: list[int]) -> None:
    pieces, code = read_all(codecs.BOM_UTF8 + text.encode(), sizes)
    assert code == ""
    assert "".join(piece.decode() for piece in pieces) == text
    assert all(pieces)


@given(st.binary(min_size=1, max_size=12), SIZES)
def test_all_before_a_wrong_byte_is_given_first(data: bytes, sizes: list[int]) -> None:
    pieces, code = read_all(data, sizes)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        whole, wanted = data[: error.start], "INVALID_ENCODING"
    else:
        whole, wanted = data, ""
    assert code == (wanted or ("" if whole.removeprefix(codecs.BOM_UTF8) else "EMPTY_INPUT"))
    assert b"".join(pieces) == whole.removeprefix(codecs.BOM_UTF8)


@pytest.mark.parametrize("data", [b"", codecs.BOM_UTF8])
def test_no_content_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="The request body is empty") as refused:
        list(text_pieces(PiecewiseSource(data, [1])))
    assert refused.value.code == "EMPTY_INPUT"


@pytest.mark.parametrize("data", [b"\xff", b"ab\xc3", b"\xed\xa0\x80", b"\xc0\x80"])
def test_what_is_not_utf8_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="The content is not valid UTF-8") as refused:
        list(text_pieces(PiecewiseSource(data)))
    assert refused.value.code == "INVALID_ENCODING"


def test_only_the_first_byte_order_mark_is_dropped() -> None:
    pieces, _ = read_all(codecs.BOM_UTF8 * 2, [1])
    assert pieces == [codecs.BOM_UTF8]


@given(st.text(st.sampled_from("aé😀\r\n")), st.lists(st.integers(0, 30)))
def test_a_place_counts_characters_and_every_line_end_once(text: str, cuts: list[int]) -> None:
    place = Place()
    edges = [0, *sorted(cuts), len(text)]
    for begin, end in pairwise(edges):
        place = place.after(text[begin:end].encode())
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert (place.line, place.column) == (len(lines), len(lines[-1]) + 1)
