"""S73: Parquet."""

from __future__ import annotations

import io
import random
import struct
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from attacks.case import Attack, Failed, Read


def written(columns: dict[str, Any], **options: Any) -> bytes:  # noqa: ANN401 - as the library has it
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def good(rows: int = 1_000) -> bytes:
    return written({"id": list(range(rows)), "name": [f"N{n}" for n in range(rows)]})


def repeated_text(millions: int) -> bytes:
    """Rows of one text of 1,000 characters: 20 million are 20 GB, in a file of 2 MB."""
    texts = pa.DictionaryArray.from_arrays(
        pa.array([0] * 1_000_000, pa.int8()), pa.array(["x" * 1_000])
    )
    numbers = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int8()), pa.array([7]))
    buffer = io.BytesIO()
    table = pa.table({"id": numbers, "name": texts})
    with parquet.ParquetWriter(buffer, table.schema) as writer:
        for _ in range(millions):
            writer.write_table(table)
    return buffer.getvalue()


def with_footer_length(length: int) -> bytes:
    content = bytearray(good())
    struct.pack_into("<I", content, len(content) - 8, length)
    return bytes(content)


def flipped(seed: int) -> bytes:
    """Thirty random bytes are others, the magic ones left alone."""
    content, dice = bytearray(good()), random.Random(seed)  # noqa: S311 - no secret
    for _ in range(30):
        content[dice.randrange(4, len(content) - 4)] ^= 1 << dice.randrange(8)
    return bytes(content)


def flipped_footer(seed: int) -> bytes:
    """Five random bytes of the footer are others: counts, offsets and types that lie."""
    content, dice = bytearray(good()), random.Random(seed)  # noqa: S311 - no secret
    (length,) = struct.unpack_from("<I", content, len(content) - 8)
    for _ in range(5):
        content[len(content) - 8 - dice.randrange(1, length)] = dice.randrange(256)
    return bytes(content)


def wide(columns: int, rows: int) -> bytes:
    names = ["id", "name", *(f"c{n}" for n in range(columns - 2))]
    return written({name: pa.array(range(rows)) for name in names}, use_dictionary=False)


def large_texts(rows: int, size: int) -> bytes:
    """Texts that pack badly, so that no ratio is met."""
    dice = random.Random(1)  # noqa: S311 - no secret
    texts = [dice.randbytes(size // 2).hex() for _ in range(rows)]
    return written({"id": list(range(rows)), "name": texts, "note": texts}, use_dictionary=False)


def twins() -> bytes:
    buffer = io.BytesIO()
    columns = [pa.array([1]), pa.array(["Ann"]), pa.array(["Bob"])]
    parquet.write_table(pa.Table.from_arrays(columns, names=["id", "name", "name"]), buffer)
    return buffer.getvalue()


def bad_text() -> bytes:
    """A column of text with bytes that are none."""
    data = pa.py_buffer(b"Ann\xff\xfeBob")
    offsets = pa.py_buffer(struct.pack("<4i", 0, 3, 5, 8))
    names = pa.Array.from_buffers(pa.string(), 3, [None, offsets, data])
    return written({"id": [1, 2, 3], "name": names})


def nested(levels: int) -> bytes:
    kind: pa.DataType = pa.string()
    value: object = "x"
    for _ in range(levels):
        kind, value = pa.list_(kind), [value]
    return written({"id": [1], "name": ["Ann"], "note": pa.array([value], kind)})


BROKEN = ("PARQUET_INVALID", "PARQUET_TYPE", "PARSER_CRASHED", "PARSER_MEMORY", "COLUMN_MISSING")
PARQUET_FILES = (
    Attack(
        id="S73",
        make=lambda: repeated_text(1),
        answer=Failed(code="DECOMPRESSION_LIMIT", says=("inflate_ratio of 100",)),
    ),
    Attack(
        id="S73-20GB",
        make=lambda: repeated_text(20),
        answer=Failed(code="DECOMPRESSION_LIMIT", says=("inflate_ratio of 100",)),
        seconds=30,
        is_long=True,
    ),
    *(
        Attack(
            id=f"S73-footer-{length}",
            make=lambda length=length: with_footer_length(length),
            answer=Failed(code="PARQUET_INVALID"),
        )
        for length in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF)
    ),
    Attack(id="S73-cut", make=lambda: good()[:-20], answer=Failed(code="PARQUET_INVALID")),
    Attack(id="S73-head", make=lambda: good()[:200], answer=Failed(code="PARQUET_INVALID")),
    Attack(
        id="S73-columns",
        make=lambda: wide(10_000, 1),
        answer=Failed(code="TOO_MANY_COLUMNS", says=("columns of 4096",)),
    ),
    Attack(id="S73-twins", make=twins, answer=Failed(code="HEADER_DUPLICATE", says=("name",))),
    Attack(
        id="S14-parquet-header",
        make=lambda: written({"id": [1], "name": ["Ann"], "n" * 100_000: [1]}),
        answer=Failed(code="HEADER_NAME_TOO_LONG", says=("header_name_characters of 256",)),
    ),
    Attack(
        id="S16-parquet-bytes",
        make=bad_text,
        answer=Read(loaded=2, rejected={2: "ENCODING_INVALID"}),
    ),
    Attack(
        id="S17-parquet",
        make=lambda: nested(100),
        answer=Failed(code="PARQUET_INVALID"),
    ),
)
FLIPPED = tuple((seed, make) for make in (flipped, flipped_footer) for seed in range(12))
