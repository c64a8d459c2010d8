"""Base16, base32 and base64, both ways."""

from __future__ import annotations

import base64
import codecs
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforming import SIZES, outcome, refusal, transform
from waybill.transforms import byte_codes

if TYPE_CHECKING:
    from waybill.transforms.tool import Action

CODES = {
    "Base16": (byte_codes.encode_base16, byte_codes.decode_base16, base64.b16encode),
    "Base32": (byte_codes.encode_base32, byte_codes.decode_base32, base64.b32encode),
    "Base64": (byte_codes.encode_base64, byte_codes.decode_base64, base64.b64encode),
}
DECODERS = {name: decode for name, (_, decode, _) in CODES.items()}


@pytest.mark.parametrize("name", CODES)
@given(text=st.text(min_size=1), sizes=SIZES)
def test_text_is_encoded_as_the_standard_library_does(
    name: str, text: str, sizes: list[int]
) -> None:
    encode, _, reference = CODES[name]
    data = text.encode().removeprefix(codecs.BOM_UTF8) or b"x"
    assert transform(encode, data, sizes=sizes) == reference(data)


@pytest.mark.parametrize("name", CODES)
@given(data=st.binary(min_size=1), sizes=SIZES, white=st.sampled_from(["", " ", "\r\n", "\t\v\f"]))
def test_any_bytes_come_back_with_white_space_anywhere(
    name: str, data: bytes, sizes: list[int], white: str
) -> None:
    _, decode, reference = CODES[name]
    text = white.join(["", *reference(data).decode(), ""]).encode()
    assert transform(decode, text, sizes=sizes) == data
    assert transform(decode, text.rstrip(b"= \r\n\t\v\f"), sizes=sizes) == data


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
@given(
    text=st.text(st.sampled_from("QA4Fg=\n \r*é_"), min_size=1, max_size=20),
    tail=st.sampled_from([b"", b"\xff"]),
    sizes=SIZES,
)
def test_where_a_source_is_cut_makes_no_difference(
    decode: Action, text: str, tail: bytes, sizes: list[int]
) -> None:
    data = text.encode() + tail
    assert outcome(decode, data, sizes=sizes) == outcome(decode, data, sizes=[100])


@pytest.mark.parametrize("name", CODES)
def test_a_megabyte_is_encoded_and_decoded(name: str) -> None:
    encode, decode, reference = CODES[name]
    text = "Zeile für Zeile, 1234567890\n".encode() * 60_000
    encoded = transform(encode, text)
    assert encoded == reference(text)
    assert transform(decode, encoded) == text


def test_base16_is_written_in_upper_case_and_read_in_either() -> None:
    assert transform(byte_codes.encode_base16, b"Hello World") == b"48656C6C6F20576F726C64"
    assert transform(byte_codes.decode_base16, b"48656c6C6f") == b"Hello"


def test_base32_is_read_in_either_case() -> None:
    assert transform(byte_codes.decode_base32, b"nbSwy3dP") == b"hello"


@pytest.mark.parametrize(
    ("name", "text", "line", "column"),
    [
        ("Base16", "4142\n4 x", 2, 3),
        ("Base16", "414", 1, 4),
        ("Base16", "41=", 1, 3),
        ("Base16", "é1", 1, 1),
        ("Base32", "MZXW6===\nA", 2, 1),
        ("Base32", "MZXW61==", 1, 6),
        ("Base32", "MZX=", 1, 4),
        ("Base32", "MZXW6====", 1, 9),
        ("Base32", "M", 1, 2),
        ("Base64", "QUJD\r\nQ*JD", 2, 2),
        ("Base64", "QUJDQUJDQ-", 1, 10),
        ("Base64", "QUJD\r\n=", 2, 1),
        ("Base64", "QUI==", 1, 5),
        ("Base64", "QQ==QQ==", 1, 5),
        ("Base64", "QUJDQ\n", 2, 1),
        ("Base64", "Q=", 1, 2),
        ("Base64", "QUJ😀", 1, 4),
    ],
)
def test_a_wrong_character_is_named_by_its_place(
    name: str, text: str, line: int, column: int
) -> None:
    wanted = (f"INVALID_{name.upper()}", f"{name} decoding failed.", line, column)
    assert refusal(DECODERS[name], text.encode()) == wanted
    assert refusal(DECODERS[name], text.encode(), sizes=[1]) == wanted


def test_a_place_is_exact_far_into_a_text() -> None:
    text = b"QUJD" * 19 + b"\n"
    wanted = ("INVALID_BASE64", "Base64 decoding failed.", 40_001, 3)
    assert refusal(DECODERS["Base64"], text * 40_000 + b"QU?D") == wanted
    one_line = ("INVALID_BASE64", "Base64 decoding failed.", 1, 2_000_002)
    assert refusal(DECODERS["Base64"], b"QUJD" * 500_000 + b"Q?") == one_line


@pytest.mark.parametrize("action", [action for code in CODES.values() for action in code[:2]])
def test_what_is_not_text_is_refused(action: Action) -> None:
    assert refusal(action, b"")[0] == "EMPTY_INPUT"
    assert refusal(action, b"4242\xff")[0] == "INVALID_ENCODING"


def test_a_byte_order_mark_is_not_encoded() -> None:
    assert transform(byte_codes.encode_base64, codecs.BOM_UTF8 + b"ABC") == b"QUJD"


@pytest.mark.parametrize("action", DECODERS.values())
def test_white_space_alone_is_no_content_to_decode(action: Action) -> None:
    assert refusal(action, b" \n")[0] == refusal(action, b" \n", sizes=[1])[0] == "EMPTY_INPUT"
