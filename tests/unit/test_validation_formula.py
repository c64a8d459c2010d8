"""The formula escape is exact in both directions, one by one and over columns."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waybill.validation.formula import (
    escape,
    escape_column,
    needs_escape,
    unescape,
    unescape_column,
)

TEXTS = st.text(
    alphabet=st.sampled_from("'=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20 \u00a0\u3000a1.5é😀"),
    max_size=8,
)


@given(TEXTS | st.text())
@example("-5.00\n")
def test_what_is_escaped_comes_back(text: str) -> None:
    assert unescape(escape(text)) == text


@given(st.lists(TEXTS | st.none(), max_size=8))
def test_columns_are_treated_as_each_cell_would_be(cells: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(cells, pa.string())])
    escaped = [cell if cell is None else escape(cell) for cell in cells]
    assert escape_column(column).to_pylist() == escaped
    assert unescape_column(column).to_pylist() == [c if c is None else unescape(c) for c in cells]
    assert unescape_column(escape_column(column)).to_pylist() == cells


@pytest.mark.parametrize("text", ["=1", "+1", "-1+1", "@a", "\tx", "\rx", "\nx", "\0x", "\uff1dx",
                                  "  =x", "\u3000-x", "'x", "-5.00x", "-5.\n", "-"])  # fmt: skip
def test_s25_what_a_spreadsheet_may_run_gets_one_apostrophe(text: str) -> None:
    assert escape(text) == "'" + text


@pytest.mark.parametrize("text", ["", "x", "-5.00", "-1", "12", "a=b", " x", "x'y"])
def test_s25_numbers_and_plain_text_stay(text: str) -> None:
    assert not needs_escape(text)
    assert escape(text) == text


@pytest.mark.parametrize("text", ["'abc", "'", "'-5", "abc", "'12"])
def test_an_apostrophe_that_we_would_not_have_put_stays(text: str) -> None:
    assert unescape(text) == text
