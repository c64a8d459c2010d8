"""S19 to S24 and S71: what single cells and names may try."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from attacks.case import Attack, Read
from workbooks import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attacks.case import Content

INTEGERS = (
    "१२३", "١٢٣", "1_000", " inf ", "0x10", "0b11", "+5", "1.5", "1e5", ".5", "5.", "\u00a07",
    "NaN", "--5", "1,000", "1 000", "\uff15",
)  # fmt: skip
OUTSIZED = ("9" * 5_000, "1" + "0" * 38, "0." + "0" * 1_000_000 + "1")
WORDS = (
    "0000-00-00", "10000-01-01", "2024-02-30", "1900-02-29", "epoch", "infinity", "-infinity",
    "44-03-15 (BC)", "2024/01/01", "2024-1-1", "today", "now", "0000-01-01",
)  # fmt: skip
PAYLOADS = (
    "'; DROP TABLE people; --",
    "\"; COPY rows TO 'o.csv'; --",
    "read_text('/etc/passwd')",
    "ATTACH 'x.db'",
    "INSTALL httpfs",
    "{{7*7}}${7*7}<%= 7*7 %>",
    '{"$gt": ""}',
    "\x1b[31mred\x1b[0m",
    "%s%n${jndi:ldap://127.0.0.1/a}",
    "rows",
    "context",
    "../../etc/passwd",
)


def csv_of(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def with_integers() -> bytes:
    return csv_of([("id", "name"), *((text, "x") for text in INTEGERS), ("-0", "zero"), (7, "ok")])


def xlsx_integers() -> bytes:
    return table([("id", "name"), *((text, "x") for text in INTEGERS), ("-0", "zero"), (7, "ok")])


def xml_integers() -> bytes:
    rows = "".join(f"<p><id>{text}</id><name>x</name></p>\n" for text in (*INTEGERS, "-0", "7"))
    return f"<people>\n{rows}</people>".encode()


def json_integers() -> bytes:
    return b"".join(
        json.dumps({"id": text, "name": "x"}).encode() + b"\n" for text in (*INTEGERS, 7)
    )


INTEGERS_REJECTED: Mapping[int, str] = dict.fromkeys(range(2, len(INTEGERS) + 2), "TYPE_MISMATCH")


def dates() -> Content:
    good = ("2016-12-31", "2024-02-29")
    rows = [(n, "x", word) for n, word in enumerate((*WORDS, *good), start=1)]
    return csv_of([("id", "name", "day"), *rows])


def moments() -> Content:
    texts = ("2016-12-31T23:59:60Z", "2024-03-31T02:30:00", "2024-10-27T02:30:00", "epoch")
    return csv_of([("id", "name", "moment"), *((n, "x", t) for n, t in enumerate(texts, 1))])


VALUES: tuple[Attack, ...] = (
    Attack(
        id="S19",
        make=lambda: csv_of(
            [
                ("id", "name", "amount"),
                *((text, "x", 1) for text in OUTSIZED[:2]),
                (1, "x", OUTSIZED[2]),
            ]
        ),
        entity="typed",
        answer=Read(
            loaded=0,
            rejected={2: "NUMBER_OUT_OF_RANGE", 3: "NUMBER_OUT_OF_RANGE", 4: "NUMBER_OUT_OF_RANGE"},
        ),
    ),
    Attack(
        id="S19-exponents",
        make=lambda: csv_of(
            [
                ("id", "name", "amount"),
                ("1e1000000", "x", 1),
                (2, "x", "1e1000000"),
                (3, "x", "1e400"),
            ]
        ),
        entity="typed",
        answer=Read(
            loaded=0,
            rejected={2: "TYPE_MISMATCH", 3: "NUMBER_OUT_OF_RANGE", 4: "NUMBER_OUT_OF_RANGE"},
        ),
    ),
    Attack(
        id="S19-many",
        make=lambda: csv_of([("id", "name"), *(("9" * 5_000, "x"),) * 1_000]),
        answer=Read(loaded=0, rejected=dict.fromkeys(range(2, 1002), "NUMBER_OUT_OF_RANGE")),
        seconds=2,
    ),
    Attack(
        id="S19-json",
        make=lambda: (
            b'{"id":%s,"name":"x"}\n{"id":1e1000000,"name":"x"}\n{"id":3,"name":"x"}\n'
            % (b"9" * 5_000)
        ),
        answer=Read(loaded=1, rejected={1: "NUMBER_OUT_OF_RANGE", 2: "TYPE_MISMATCH"}),
    ),
    Attack(id="S20-csv", make=with_integers, answer=Read(loaded=2, rejected=INTEGERS_REJECTED)),
    Attack(id="S20-xlsx", make=xlsx_integers, answer=Read(loaded=2, rejected=INTEGERS_REJECTED)),
    Attack(
        id="S20-xml",
        make=xml_integers,
        answer=Read(loaded=2, rejected=INTEGERS_REJECTED),
    ),
    Attack(
        id="S20-json",
        make=json_integers,
        answer=Read(loaded=1, rejected=dict.fromkeys(range(1, len(INTEGERS) + 1), "KIND_MISMATCH")),
    ),
    Attack(
        id="S21",
        make=lambda: csv_of(
            [
                ("id", "name", "word"),
                (1, "x", "a" * 26 + "!"),
                (2, "x", "a" * 900_000 + "!"),
                (3, "x", "aaa"),
            ]
        ),
        entity="typed",
        answer=Read(loaded=1, rejected={2: "PATTERN", 3: "PATTERN"}),
        seconds=2,
    ),
    Attack(
        id="S22-key",
        make="user,note\nzo\u00eb,1\nzoe\u0308,2\nzo\u200d\u00eb,3\nZO\u00cb,4\n".encode,
        entity="words",
        answer=Read(
            loaded=2,
            rejected={2: "DUPLICATE_KEY_IN_FILE", 3: "DUPLICATE_KEY_IN_FILE"},
            warned=("INVISIBLE_CHARACTER",),
            says={2: "line 3", 3: "line 2"},
        ),
    ),
    Attack(
        id="S22-twin",
        make=lambda: b"id,name\n1,Ann\n1,Bob\n01,Cid\n2,Dan\n",
        answer=Read(
            loaded=1,
            rejected=dict.fromkeys((2, 3, 4), "DUPLICATE_KEY_IN_FILE"),
            says={2: "line 4", 3: "line 2"},
        ),
    ),
    Attack(
        id="S22-lookalike",
        make="id,name,n\u0430me\n1,Ann,Eve\n".encode,
        answer=Read(loaded=1, warned=("LOOKALIKE_NAME",), kept={1: {"name": "Ann"}}),
    ),
    Attack(
        id="S22-override",
        make="id,name\n1,A\u202enn\n".encode,
        answer=Read(loaded=1, warned=("INVISIBLE_CHARACTER",), kept={1: {"name": "A\u202enn"}}),
    ),
    Attack(
        id="S23",
        make=lambda: csv_of([("id", "name"), *enumerate((p[:40] for p in PAYLOADS), start=1)]),
        name="x'; DROP TABLE jobs; --.csv",
        answer=Read(
            loaded=len(PAYLOADS),
            kept={n: {"name": p[:40]} for n, p in enumerate(PAYLOADS, start=1)},
        ),
    ),
    Attack(
        id="S71",
        make=lambda: csv_of([("id", "name", *PAYLOADS), (1, "Ann", *PAYLOADS)]),
        answer=Read(loaded=1),
    ),
    Attack(
        id="S71-kept",
        make=lambda: csv_of([("user", *PAYLOADS), ("ann", *PAYLOADS)]),
        entity="words",
        options={"unknown_columns": "keep"},
        answer=Read(loaded=1),
    ),
    Attack(
        id="S24-dates",
        make=dates,
        entity="typed",
        answer=Read(loaded=2, rejected=dict.fromkeys(range(2, len(WORDS) + 2), "DATE_INVALID")),
    ),
    Attack(
        id="S24-moments",
        make=moments,
        entity="typed",
        answer=Read(loaded=2, rejected={2: "DATE_INVALID", 5: "DATE_INVALID"}),
    ),
)
