"""Text without needless white space."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforming import SIZES, refusal, transform
from waybill.transforms.text_minify import minify_text


def minified(text: str) -> str:
    """By the letter, line by line."""
    ends = re.split(r"\r\n|\r|\n", text)
    lines = [re.sub(r"[ \t]+", " ", line).strip(" ") for line in ends]
    kept = [line for line in lines if line]
    has_end = bool(kept) and not lines[-1]
    return "\n".join(kept) + "\n" * has_end


@given(st.text(st.sampled_from("a é \t\n\r\u00a0"), min_size=1), SIZES)
def test_white_space_is_collapsed_however_a_source_is_cut(text: str, sizes: list[int]) -> None:
    if wanted := minified(text):
        assert transform(minify_text, text.encode(), sizes=sizes).decode() == wanted
    else:
        assert refusal(minify_text, text.encode(), sizes=sizes)[0] == "EMPTY_INPUT"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a \t b", "a b"),
        ("  a  \r\n\r\n \t\r b\n", "a\nb\n"),
        ("a\n   ", "a\n"),
        ("a\x0bb\u00a0 c", "a\x0bb\u00a0 c"),
    ],
)
def test_only_spaces_tabs_and_line_ends_are_white_space(text: str, wanted: str) -> None:
    assert transform(minify_text, text.encode()).decode() == wanted


def test_a_run_over_many_pieces_is_one_space() -> None:
    assert transform(minify_text, b"a" + b" \t" * 1_600_000 + b"b") == b"a b"
    assert transform(minify_text, b"a" + b" \n" * 1_600_000 + b"b") == b"a\nb"


def test_what_is_not_text_is_refused() -> None:
    assert refusal(minify_text, b"")[0] == "EMPTY_INPUT"
    assert refusal(minify_text, b" \n\t")[0] == "EMPTY_INPUT"
    assert refusal(minify_text, b"a\xff")[0] == "INVALID_ENCODING"
