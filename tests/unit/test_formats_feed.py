"""Feeds of operations: what arrays read is what the XML parser would have read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.errors import FileRefused
from waybill.formats.contained import feed_operations, feed_records
from waybill.formats.contained.batches import read_batch
from waybill.formats.contained.protocol import HEAD, FrameKind, Job, Task
from waybill.model.feed import COLUMNS, Feed, FeedElement
from waybill.model.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEED = Feed(
    elements={
        "product": FeedElement(key="product_key"),
        "variant": FeedElement(key="variant_key", inside="product"),
        "category": FeedElement(key="category_key", nests=True),
    },
    wrappers={"category_tree": "category", "variants": "variant"},
    reserved=frozenset({"add", "product", "variant", "variants", "category_tree"}),
)
ANYTHING = Feed(elements={}, wrappers={})
REFUSALS = ("XML_INVALID", "FEED_INVALID")
Read = tuple[list[tuple[Any, ...]], list[str]]


def frames(data: bytes) -> Iterator[tuple[FrameKind, bytes]]:
    at = 0
    while at < len(data):
        kind, size = HEAD.unpack_from(data, at)
        at += HEAD.size
        yield FrameKind(kind), data[at : at + size]
        at += size


def read(text: bytes, folder: Path, feed: Feed = FEED, rows: int = 8192) -> Read:
    """Rows (rank, line, cells), or faults (rank, line, code, cells), in order; what is cleared."""
    path = folder / "feed.xml"
    path.write_bytes(text)
    task = Task(
        job=Job.FEED, path=str(path), stored_bytes=len(text), limits=Limits(),
        scratch=str(folder), feed=feed, batch_rows=rows,
    )  # fmt: skip
    output = io.BytesIO()
    feed_records.read(task, output)
    found: list[tuple[Any, ...]] = []
    cleared: list[str] = []
    for kind, payload in frames(output.getvalue()):
        if kind is not FrameKind.BATCH:
            continue
        facts, table = read_batch(payload, len(COLUMNS))
        good = iter(table.to_pylist())
        faults = {fault.record: fault for fault in facts.faults}
        for number in range(facts.records):
            if number in faults:
                fault = faults[number]
                found.append((facts.rank, fault.line, fault.code, fault.cells))
            else:
                row = next(good)
                cells = tuple(row[f"c{at}"] for at in range(len(COLUMNS)))
                found.append((facts.rank, row["line"], *cells, row["k4"]))
        cleared += facts.cleared
    return found, cleared


def outcome(text: bytes, folder: Path) -> object:
    try:
        return read(text, folder)
    except FileRefused as refusal:
        return refusal.code, refusal.line, refusal.message


text = st.one_of(
    st.sampled_from(
        ["", "x", " a b ", "&amp;", "&lt;&gt;", "&#65;", "&quot;q&quot;", 'say "hi" \\', "é😀",
         "a\r\nb\tc", "]]&gt;", "<![CDATA[<b>]]>", "&amp;lt;", "<!-- no -->z", "\u00a0", "a>b"]
    ),
    st.text("ab\n\"\\&;'", max_size=4).map(lambda t: t.replace("&", "&amp;")),
)  # fmt: skip
name = st.sampled_from(
    ["title", "color", "a-b", "_x", "xmlish", "add", "category", "k1", "variants", "x.y"]
)
attribute = st.sampled_from(["", "", "", "", ' locale="sv-SE"', " locale='a>b'", ' unit="kg"'])
blank = st.sampled_from(["", "\n", "  ", "\r\n\t", "\n\n"])


@st.composite
def leaf(draw: st.DrawFn) -> str:
    called, told = draw(name), draw(attribute)
    if draw(st.integers(0, 9)) == 0:
        return f"<{called}{told}/>"
    return f"<{called}{told}>{draw(text)}</{called}>"


@st.composite
def record(draw: st.DrawFn) -> str:
    kind, key = draw(
        st.sampled_from(
            [("product", "product_key")] * 6
            + [("variant", "variant_key"), ("category", "category_key"), ("foo", "foo_key")]
        )
    )
    keys = draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2]))
    parts = [f"<{key}>{draw(st.sampled_from(['P1', ' P2 ', 'é', '', 'a&amp;b']))}</{key}>"] * keys
    if kind == "variant" and draw(st.booleans()):
        parts.append("<product_key>P1</product_key>")
    parts += draw(st.lists(leaf(), max_size=4))
    if kind == "product" and draw(st.integers(0, 4)) == 0:
        parts.append("<variants><variant><variant_key>V</variant_key></variant></variants>")
    if draw(st.integers(0, 15)) == 0:
        parts.append(draw(st.sampled_from(["text", "<open>", "</close>", "<!-- c -->", "&x;"])))
    inner = draw(blank).join(draw(st.permutations(parts)))
    made = f"<{kind}>{draw(blank)}{inner}</{kind}>"
    if kind == "category" and draw(st.booleans()):
        return f"<category_tree>{made}</category_tree>"
    return made


@st.composite
def document(draw: st.DrawFn) -> str:
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        operation = draw(st.sampled_from(["clear", "remove", "add", "add", "update", "insert"]))
        records = draw(st.lists(record(), max_size=5))
        if operation == "clear":
            records = draw(st.lists(st.sampled_from(["<product/>", "<category_tree/>", "<x/>"])))
        inside = "".join(draw(blank) + each for each in records)
        parts.append(f"<{operation}>{inside}{draw(blank)}</{operation}>")
    ending = draw(st.sampled_from(["</operations>"] * 9 + ["", "</operations>x", "</op>"]))
    root = draw(st.sampled_from(["<operations>"] * 9 + ['<operations xmlns="urn:x">', "<other>"]))
    return f"<?xml version='1.0'?>\n{root}\n" + "\n".join(parts) + "\n" + ending


@settings(max_examples=150)
@given(text=document(), window=st.sampled_from([1, 40, 4096]))
def test_arrays_read_what_the_parser_reads(
    text: str, window: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("feed")
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_operations, "scan", lambda *_, **__: None)
        wanted = outcome(data, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_operations, "WINDOW_BYTES", window)
        patch.setattr(feed_operations, "PARSED_BYTES", 0)
        patch.setattr(feed_records, "FEW_ROWS", 2)
        found = outcome(data, folder)
    if isinstance(wanted, tuple) and isinstance(wanted[0], str):
        assert isinstance(found, tuple)
        assert found[0] in REFUSALS  # of two faults in one document, either may be found first
        if found[0] == wanted[0]:
            assert found[1] == wanted[1] or None in (found[1], wanted[1])  # lxml's blind spot
    else:
        assert found == wanted


def test_what_comes_behind_an_unknown_entity_is_no_new_document(tmp_path: Path) -> None:
    """The parser itself forgets the fault, and takes the next piece for another document."""
    record = b"<product><product_key>P</product_key><title>&nope;</title></product>"
    filler = b" " * feed_operations.FEED_BYTES
    hidden = b"<operations><add/></operations>"
    with pytest.raises(FileRefused, match="Entity 'nope' not defined"):
        read(b"<operations><add>" + record + filler + hidden + filler, tmp_path)
