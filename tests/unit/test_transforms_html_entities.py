"""Character references of HTML."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforming import SIZES, refusal, transform
from waybill.transforms.html_entities import decode_html

PARTS = st.sampled_from([
    "&", "&amp;", "&amp", "&notit;", "&notin;", "&eacute", "&#39;", "&#x27;", "&#X1F600", "&#",
    "&#x", "&#0;", "&#128;", "&#xD800;", "&#1114112;", "&#11;", "&lt", ";", "a", "0", "9", "x",
    " ", "é", "<b>", "#", "&CounterClockwiseContourIntegral;", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
])  # fmt: skip


@given(st.lists(PARTS, min_size=1).map("".join), SIZES)
def test_references_are_read_as_the_standard_library_does(text: str, sizes: list[int]) -> None:
    assert transform(decode_html, text.encode(), sizes=sizes).decode() == html.unescape(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("&#" + "0" * 3_000_000 + "65;b", "Ab"),
        ("&#x" + "0" * 3_000_000 + "4A;b", "Jb"),
        ("&#" + "1" * 3_000_000 + "x", "\ufffdx"),
        ("&#xA" + "0" * 3_000_000 + "g", "\ufffdg"),
        ("&#000000000000;", "\ufffd"),
        ("&#000000065abc", "Aabc"),
    ],
)
def test_a_number_may_be_of_any_length(text: str, wanted: str) -> None:
    assert transform(decode_html, text.encode()).decode() == wanted


def test_a_reference_between_pieces_is_read() -> None:
    text = b"x" * (1024 * 1024 - 3) + b"&eacute;" + b"y" * 10
    assert transform(decode_html, text) == text.replace(b"&eacute;", "é".encode())


def test_megabytes_without_a_reference_stay() -> None:
    text = b"a & b; <p>" * 300_000
    assert transform(decode_html, text) == text


def test_what_is_not_text_is_refused() -> None:
    assert refusal(decode_html, b"")[0] == "EMPTY_INPUT"
    assert refusal(decode_html, b"&amp;\xff")[0] == "INVALID_ENCODING"
