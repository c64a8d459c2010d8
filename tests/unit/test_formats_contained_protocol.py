"""What a child says is believed only as far as it can be true."""

from __future__ import annotations

import json

import pytest

from reading import refusal
from waybill.formats.contained.protocol import BatchFacts, Fault, Refusal, Table, Warned, decoded

GOOD = {"record": 1, "line": 2, "code": "FIELD_COUNT", "parameters": {"found": 3}}


def test_what_can_be_true_is_taken() -> None:
    fault = decoded(json.dumps(GOOD).encode(), Fault)
    assert (fault.record, fault.line, fault.code) == (1, 2, "FIELD_COUNT")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Fault, {**GOOD, "code": "NO_SUCH_CODE"}),
        (Fault, {**GOOD, "parameters": {"column": 3}}),
        (Fault, {**GOOD, "record": -1}),
        (Fault, {**GOOD, "line": 2**64}),
        (Fault, {**GOOD, "more": 1}),
        (Fault, [GOOD]),
        (Warned, {"code": "NO_SUCH_CODE"}),
        (Warned, {"code": "EXTERNAL_REFERENCE", "parameters": {"count": 1}}),
        (Refusal, {"code": "NO_SUCH_CODE", "message": "x"}),
        (Refusal, {"code": "XLSX_INVALID"}),
        (Table, {"names": [1], "facts": {}}),
        (BatchFacts, {"records": 1.5, "input_bytes": 0}),
    ],
)
def test_what_cannot_be_true_is_a_crash_of_the_child(kind: type[object], said: object) -> None:
    assert refusal(lambda: decoded(json.dumps(said).encode(), kind)).code == "PARSER_CRASHED"
