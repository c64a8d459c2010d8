"""S14 to S16 and S70: CSV text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attacks.case import GOOD_CSV, Attack, Failed, Read

if TYPE_CHECKING:
    from collections.abc import Iterator

MEBIBYTE = 1024 * 1024
LINE = "line_bytes of 1048576"


def endless(mebibytes: int, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    yield before
    for _ in range(mebibytes):
        yield b"a" * MEBIBYTE
    yield after


def names(count: int, size: int = 8) -> bytes:
    """A header of so many names."""
    return b",".join(b"%0*d" % (size, n) for n in range(count)) + b"\n1,2\n"


def unclosed(mebibytes: int) -> Iterator[bytes]:
    yield b'id,name\n1,"Ann\n'
    for _ in range(mebibytes):
        yield b"2,Bob and more\n" * 70_000


def unclosed_later(mebibytes: int) -> Iterator[bytes]:
    yield GOOD_CSV + b'3,"Cid\n'
    for _ in range(mebibytes):
        yield b"4,Dan and more\n" * 70_000


MIXED_ENDS = b"id,name\r1,Ann\n2,Bob\r\n\r\n3,C\xe2\x80\xa8d\r\r4,,\n5,Eve\n"
CP1252 = "id,name\n1,Ann\n2,Zoë\n3,Bob\n4,café\n".encode("cp1252")
TOO_LONG = ("LINE_TOO_LONG",)

TEXTS = (
    Attack(
        id="S14a",
        make=lambda: endless(1_024),
        answer=Failed(code="LINE_TOO_LONG", says=(LINE,), line=1, byte=0),
        seconds=1,
        is_long=True,
    ),
    Attack(
        id="S14a-100",
        make=lambda: endless(100),
        answer=Failed(code="LINE_TOO_LONG", says=(LINE,), line=1, byte=0),
        seconds=1,
    ),
    Attack(
        id="S14b",
        make=lambda: endless(200, GOOD_CSV + b"3,"),
        answer=Failed(code="LINE_TOO_LONG", says=(LINE,), line=4, byte=len(GOOD_CSV), loaded=2),
        seconds=1,
    ),
    Attack(
        id="S14b-quoted",
        make=lambda: endless(50, GOOD_CSV + b'3,"', b'"\n'),
        answer=Failed(code="LINE_TOO_LONG", says=(LINE,), line=4, byte=len(GOOD_CSV), loaded=2),
        seconds=1,
    ),
    Attack(
        id="S14c",
        make=lambda: names(1_000_000, 1),
        answer=Failed(code="TOO_MANY_COLUMNS", says=("columns of 4096",), line=1),
        seconds=1,
    ),
    Attack(
        id="S14d",
        make=lambda: names(100_000),
        answer=Failed(code="TOO_MANY_COLUMNS", says=("columns of 4096",), line=1),
        seconds=1,
    ),
    Attack(
        id="S14-name",
        make=lambda: b"id,name," + b"n" * 100_000 + b"\n1,Ann,x\n",
        answer=Failed(code="HEADER_NAME_TOO_LONG", says=("header_name_characters of 256",), line=1),
    ),
    Attack(
        id="S14-wide-row",
        make=lambda: GOOD_CSV + b"," * 1_000_000 + b"\n",
        answer=Read(loaded=2, rejected={4: "FIELD_COUNT"}),
    ),
    Attack(
        id="S14-ndjson-a",
        make=lambda: endless(100, b'{"id":1,"name":"Ann"}\n{"id":2,"name":"'),
        answer=Failed(code="LINE_TOO_LONG", says=(LINE,), line=2, byte=22, loaded=1),
        seconds=1,
    ),
    Attack(
        id="S14-ndjson-1GiB",
        make=lambda: endless(1_024, b'{"id":1,"name":"'),
        answer=Failed(code="RECORD_TOO_LONG", says=(LINE,), line=1, byte=15),
        seconds=1,
        is_long=True,
    ),
    Attack(
        id="S14-ndjson-columns",
        make=lambda: b"{%s}\n" % b",".join(b'"c%d":1' % n for n in range(50_000)),
        answer=Failed(code="TOO_MANY_COLUMNS", says=("columns of 4096",), line=1),
        seconds=1,
    ),
    Attack(
        id="S14-ndjson-header",
        make=lambda: b'{"id":1,"name":"Ann","%s":1}\n' % (b"n" * 100_000),
        answer=Failed(code="HEADER_NAME_TOO_LONG", says=("header_name_characters of 256",), line=1),
    ),
    Attack(
        id="S15-row",
        make=lambda: unclosed_later(50),
        answer=Failed(code="QUOTE_UNCLOSED", line=4, says=("line 4",), loaded=2),
    ),
    Attack(
        id="S15-file",
        make=lambda: unclosed_later(50),
        options={"atomicity": "file"},
        answer=Failed(code="QUOTE_UNCLOSED", line=4, says=("line 4",)),
    ),
    Attack(
        id="S15",
        make=lambda: unclosed(50),
        answer=Failed(code="QUOTE_UNCLOSED", line=2, says=("line 2",)),
    ),
    Attack(
        id="S16a",
        make=lambda: GOOD_CSV + b"3,C\0d\n4,Dan\n",
        answer=Read(loaded=3, rejected={4: "NUL_CHARACTER"}),
    ),
    Attack(
        id="S16b",
        make=lambda: MIXED_ENDS,
        answer=Read(
            loaded=4,
            rejected={7: "FIELD_COUNT"},
            kept={3: {"name": "C\u2028d"}, 5: {"name": "Eve"}},
        ),
    ),
    Attack(
        id="S16c-start",
        make=lambda: b"\xef\xbb\xbf" + GOOD_CSV,
        answer=Read(loaded=2),
    ),
    Attack(
        id="S16c-row",
        make=lambda: GOOD_CSV + b"3,\xef\xbb\xbfCid\n\xef\xbb\xbf4,Dan\n",
        answer=Read(
            loaded=3,
            rejected={5: "TYPE_MISMATCH"},
            warned=("INVISIBLE_CHARACTER",),
            kept={3: {"name": "\ufeffCid"}},
        ),
    ),
    Attack(
        id="S16d-wide",
        make=lambda: GOOD_CSV.decode().encode("utf-16-le"),
        answer=Failed(code="ENCODING_INVALID"),
    ),
    Attack(
        id="S16d-cp1252",
        make=lambda: CP1252,
        options={"encoding": "utf-8"},
        answer=Read(
            loaded=2,
            rejected={3: "ENCODING_INVALID", 5: "ENCODING_INVALID"},
            warned=("ENCODING_SUSPECT",),
        ),
    ),
    Attack(
        id="S16e",
        make=lambda: GOOD_CSV + b"3,C\xffd\n4,Dan\n5,E\xc0\xafe\n6,F\xed\xa0\x80g\n7,Gus\n",
        options={"encoding": "utf-8"},
        answer=Read(
            loaded=4,
            rejected={4: "ENCODING_INVALID", 6: "ENCODING_INVALID", 7: "ENCODING_INVALID"},
            says={4: "byte 23 ", 6: "byte 35 ", 7: "byte 42 "},
        ),
    ),
    Attack(
        id="S16e-json",
        make=lambda: (
            b'{"id":1,"name":"Ann"}\n{"id":2,"name":"\\ud800"}\n{"id":3,"name":"\xff"}\n'
            b'{"id":4,"name":"\\ud83d\\ude00"}\n'
        ),
        options={"encoding": "utf-8"},
        answer=Read(loaded=2, rejected={2: "JSON_INVALID", 3: "ENCODING_INVALID"}),
    ),
    Attack(
        id="S70-rows",
        make=lambda: GOOD_CSV + b'3\n4,Dan,more\n5,"E"e\n6,Fay\n',
        answer=Read(loaded=3, rejected={4: "FIELD_COUNT", 5: "FIELD_COUNT", 6: "QUOTE_INVALID"}),
    ),
    Attack(
        id="S70-twice",
        make=lambda: b"id,name,name\n1,Ann,Bob\n",
        answer=Failed(code="HEADER_DUPLICATE", says=("name",)),
    ),
    Attack(
        id="S70-empty-name",
        make=lambda: b"id,name,\n1,Ann,Bob\n",
        answer=Failed(code="HEADER_EMPTY", says=("column 3",)),
    ),
    Attack(id="S70-header", make=lambda: b"id,name\n", answer=Read(loaded=0)),
    Attack(id="S70-nothing", make=lambda: b"", answer=Read(loaded=0)),
)
