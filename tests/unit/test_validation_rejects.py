from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from waybill.model.finding import Rejection
from waybill.validation.codes import make_finding
from waybill.validation.rejects import (
    decode_rejection,
    encode_rejection,
    iterate_rejections,
)

texts = st.one_of(st.none(), st.text())
rejections = st.builds(
    Rejection,
    record=st.integers(1, 2**40),
    line=st.integers(1, 2**40),
    byte=st.integers(0, 2**50),
    cells=st.lists(texts, max_size=4).map(tuple),
    findings=st.lists(
        st.builds(make_finding, st.just("REQUIRED"), field=texts, column=st.none(), value=texts),
        max_size=3,
    ).map(tuple),
)


@given(rejections)
def test_a_rejection_survives_its_line(rejection: Rejection) -> None:
    line = encode_rejection(rejection)
    assert line.count(b"\n") == 1
    assert decode_rejection(line) == rejection


@given(st.lists(rejections, max_size=4), st.integers(1, 50))
def test_a_list_may_arrive_in_pieces_cut_anywhere(
    expected: list[Rejection], piece_bytes: int
) -> None:
    data = b"".join(map(encode_rejection, expected))
    pieces = [data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes)]
    assert list(iterate_rejections(pieces)) == expected
