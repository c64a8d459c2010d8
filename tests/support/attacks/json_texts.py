"""S17 and S18: NDJSON."""

from __future__ import annotations

from attacks.case import Attack, Failed, Read

GOOD = b'{"id":1,"name":"Ann"}\n'
LAST = b'{"id":9,"name":"Ida"}\n'


def between(*lines: bytes) -> bytes:
    """Lines between two good records."""
    return GOOD + b"".join(line + b"\n" for line in lines) + LAST


def nested(levels: int) -> bytes:
    return b'{"id":2,"name":"B","note":' + b"[" * levels + b"]" * levels + b"}"


def listed(*lines: bytes) -> bytes:
    """The same records as members of an array, the array's bracket on the first one's line."""
    return b"[" + b",\n".join((GOOD.rstrip(), *lines, LAST.rstrip())) + b"]\n"


ODD = (
    b'{"id":2,"id":3,"name":"B"}',
    b'{"id":NaN,"name":"B"}',
    b'{"id":-Infinity,"name":"B"}',
    b'{"id":1e400,"name":"B"}',
    b"[1]",
    b"5",
    b"null",
)
ODD_REJECTED = {
    2: "DUPLICATE_KEY",
    3: "JSON_INVALID",
    4: "JSON_INVALID",
    5: "TYPE_MISMATCH",
    6: "NOT_AN_OBJECT",
    7: "NOT_AN_OBJECT",
    8: "NOT_AN_OBJECT",
}
JSON_TEXTS = (
    *(
        Attack(
            id=f"S17-array-{levels}",
            make=lambda levels=levels: listed(nested(levels)),
            answer=Read(loaded=2, rejected={2: "JSON_TOO_DEEP"}, says={2: "nesting_depth of 64"}),
        )
        for levels in (65, 129, 100_000)
    ),
    Attack(
        id="S17-array-open",
        make=lambda: listed(b"[" * 10_000_000)[:-1],
        answer=Failed(code="JSON_INVALID", says=("nesting_depth",), line=2, loaded=1),
    ),
    Attack(id="S18-array", make=lambda: listed(*ODD), answer=Read(loaded=2, rejected=ODD_REJECTED)),
    Attack(
        id="S18-array-cut",
        make=lambda: listed(b'{"id":2,"na'),
        answer=Failed(code="JSON_INVALID", line=2, loaded=1),
    ),
    Attack(
        id="S18-array-bom",
        make=lambda: b"\xef\xbb\xbf" + listed(),
        answer=Read(loaded=2),
    ),
    Attack(
        id="S14-array",
        make=lambda: [listed(b'{"id":2,"name":"')[:-25], *[b"a" * (1 << 20)] * 100],
        answer=Failed(code="RECORD_TOO_LONG", says=("line_bytes of 1048576",), line=2, loaded=1),
    ),
    *(
        Attack(
            id=f"S17-{levels}",
            make=lambda levels=levels: between(nested(levels)),
            answer=Read(loaded=2, rejected={2: "JSON_TOO_DEEP"}, says={2: "nesting_depth of 64"}),
        )
        for levels in (65, 129, 100_000, 500_000)
    ),
    Attack(
        id="S17-first",
        make=lambda: nested(100_000) + b"\n" + LAST,
        answer=Read(loaded=1, rejected={1: "JSON_TOO_DEEP"}),
    ),
    Attack(
        id="S17-line",
        make=lambda: between(b"[" * 1_000_000),
        answer=Read(loaded=2, rejected={2: "JSON_TOO_DEEP"}),
    ),
    Attack(
        id="S17-open",
        make=lambda: b"[" * 10_000_000,
        name="a.json",
        answer=Failed(code="JSON_INVALID", line=1),
    ),
    Attack(
        id="S18",
        make=lambda: between(
            *ODD,
            b'{"id":2,"na',
            b'{"id":2,"name":"B"} {"id":3,"name":"C"}',
            b'\xef\xbb\xbf{"id":2,"name":"B"}',
        ),
        answer=Read(loaded=2, rejected=ODD_REJECTED | dict.fromkeys((9, 10, 11), "JSON_INVALID")),
    ),
    Attack(
        id="S18-escaped-twin",
        make=lambda: between(b'{"id":2,"name":"B","n\\u0061me":"C"}'),
        answer=Read(loaded=2, rejected={2: "DUPLICATE_KEY"}),
    ),
    Attack(
        id="S18-proto",
        make=lambda: between(b'{"id":2,"name":"B","__proto__":{"x":1},"constructor":1}'),
        options={"unknown_columns": "reject"},
        answer=Failed(code="COLUMN_UNKNOWN", says=("__proto__",)),
    ),
    Attack(
        id="S18-proto-ignored",
        make=lambda: between(b'{"id":2,"name":"B","__proto__":{"x":1}}'),
        options={"unknown_columns": "ignore"},
        answer=Read(loaded=3),
    ),
    Attack(id="S18-bom", make=lambda: b"\xef\xbb\xbf" + GOOD + LAST, answer=Read(loaded=2)),
)
