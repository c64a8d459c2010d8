"""Percent-encoding, both ways."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforming import SIZES, outcome, refusal, transform
from waybill.transforms.percent_coding import decode_url, encode_url
from waybill.transforms.tool import Action, Options

TEXTS = st.text(min_size=1).filter(lambda text: not text.startswith("\ufeff"))


@given(TEXTS, SIZES)
def test_all_but_unreserved_characters_is_encoded(text: str, sizes: list[int]) -> None:
    assert transform(encode_url, text.encode(), sizes=sizes) == quote(text, safe="").encode()


@given(TEXTS)
def test_reserved_characters_may_stay(text: str) -> None:
    found = transform(encode_url, text.encode(), Options(url_safe=False))
    assert found == quote(text, safe=":/?#[]@!$&'()*+,;=").encode()


def test_digits_are_in_upper_case_and_nul_is_encoded_too() -> None:
    assert transform(encode_url, "a/ü?\0~".encode()) == b"a%2F%C3%BC%3F%00~"


@given(TEXTS, SIZES, st.booleans())
def test_what_was_encoded_comes_back(text: str, sizes: list[int], url_safe: bool) -> None:
    encoded = transform(encode_url, text.encode(), Options(url_safe=url_safe))
    assert transform(decode_url, encoded, sizes=sizes) == text.encode()


def test_a_plus_stays_and_small_digits_are_read() -> None:
    assert transform(decode_url, b"a+b%2bc%c3%bc") == "a+b+cü".encode()


@given(
    st.lists(st.sampled_from(["%", "4", "1", "%41", "%C3", "%A9", "%F0%9F%98%80", "é", "\n", "z"])),
    st.sampled_from([b"", b"\xff"]),
    SIZES,
)
def test_where_a_source_is_cut_makes_no_difference(
    parts: list[str], tail: bytes, sizes: list[int]
) -> None:
    data = "".join(parts).encode() + tail
    found = outcome(decode_url, data, sizes=[1000])
    assert outcome(decode_url, data, sizes=sizes) == found
    if isinstance(found, bytes):
        assert found == unquote_to_bytes(data)
        found.decode()


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("ab%", 1, 3),
        ("ab%4", 1, 3),
        ("é\r\né%zz", 2, 2),
        ("%4g", 1, 1),
        ("%%41", 1, 1),
        ("%41%é1", 1, 4),
        ("ok%FF", 1, 3),
        ("%41\n%C3%A9x%A9", 2, 8),
        ("%C3", 1, 1),
        ("a%C3é", 1, 2),
        ("%ED%A0%80", 1, 1),
    ],
)
def test_what_cannot_be_decoded_is_named_by_its_place(text: str, line: int, column: int) -> None:
    wanted = ("INVALID_URL_ENCODING", "URL decoding failed.", line, column)
    assert refusal(decode_url, text.encode()) == wanted
    assert refusal(decode_url, text.encode(), sizes=[1]) == wanted


def test_a_place_is_exact_far_into_a_text() -> None:
    data = "é%C3%A9\n".encode() * 300_000 + b"abc%4x"
    assert refusal(decode_url, data)[2:] == (300_001, 4)


def test_megabytes_come_back() -> None:
    text = "Größe: 5 % von 100 €/Stück\n".encode() * 60_000
    assert transform(decode_url, transform(encode_url, text)) == text


@pytest.mark.parametrize("action", [encode_url, decode_url])
def test_what_is_not_text_is_refused(action: Action) -> None:
    assert refusal(action, b"")[0] == "EMPTY_INPUT"
    assert refusal(action, b"a\xff")[0] == "INVALID_ENCODING"
