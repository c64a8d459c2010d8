"""However much longer a content becomes, it is written in pieces that memory can hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from transforming import Collected, PiecewiseSource
from waybill.model.limits import Limits
from waybill.transforms.csv_to_json import csv_to_json
from waybill.transforms.json_formatting import format_json, validate_json
from waybill.transforms.json_tables import json_to_csv
from waybill.transforms.json_xml import json_to_xml
from waybill.transforms.json_yaml import json_to_yaml
from waybill.transforms.tool import PIECE_BYTES, Options, Refused

if TYPE_CHECKING:
    from transforming import Given
    from waybill.transforms.tool import Action

MOST_BYTES = 10 * PIECE_BYTES
DEPTH = 60
DEEP = "[" * DEPTH + "1," * 100_000 + "1" + "]" * DEPTH


def written(action: Action, content: str, **options: Given) -> Collected:
    target = Collected()
    action(PiecewiseSource(content.encode()), target, Options(**options), Limits())
    return target


def test_formatted_json_is_the_same_in_any_number_of_pieces() -> None:
    made = written(format_json, DEEP, tab_space=8)
    assert made.data == msgspec.json.format(DEEP.encode(), indent=8)
    assert made.longest_bytes < MOST_BYTES


def test_json_with_a_fault_behind_much_indentation_is_written_in_pieces_too() -> None:
    target = Collected()
    source = PiecewiseSource(DEEP[:-1].encode() + b"x")
    with pytest.raises(Refused) as refused:
        format_json(source, target, Options(tab_space=8), Limits())
    assert (refused.value.code, refused.value.column) == ("INVALID_JSON", len(DEEP))
    assert len(target.data) > MOST_BYTES > target.longest_bytes


def test_json_without_commas_is_written_in_pieces() -> None:
    chain = '{"a":' * DEPTH + "1" + "}" * DEPTH
    content = "[" + ",".join([chain] * 2_000) + "]"
    made = written(format_json, content, tab_space=8)
    assert made.data == msgspec.json.format(content.encode(), indent=8)
    assert made.longest_bytes < MOST_BYTES


@pytest.mark.parametrize("content", [DEEP, json.dumps({"a" * 5_000: [1] * 10_000})])
def test_xml_is_written_in_pieces_where_indentation_or_names_are_long(content: str) -> None:
    made = written(json_to_xml, content, tab_space=8)
    assert len(made.data) > MOST_BYTES > made.longest_bytes
    assert made.data.count(b">1<") == content.count("1")


def test_yaml_is_written_in_pieces_where_indentation_is_long() -> None:
    made = written(json_to_yaml, DEEP)
    assert len(made.data) > MOST_BYTES > made.longest_bytes
    assert made.data.count(b"- 1\n") == DEEP.count("1")


def test_a_table_is_written_in_pieces_where_rows_lack_most_columns() -> None:
    names = {f"column {number}": number for number in range(4_000)}
    content = json.dumps([names] + [{}] * 5_000, separators=(",", ":"))
    made = written(json_to_csv, content)
    assert len(made.data) > MOST_BYTES > made.longest_bytes
    assert made.data.endswith(b"\n" + b"," * 3_999 + b"\n")


def test_rows_of_csv_are_written_in_pieces_where_names_are_long() -> None:
    made = written(csv_to_json, "a" * 5_000 + ",b\n" + "1,2\n" * 10_000, tab_space=8)
    assert len(made.data) > MOST_BYTES > made.longest_bytes


def test_json_that_stays_short_is_written_as_it_is_read() -> None:
    content = json.dumps([{"a": number} for number in range(50_000)])
    assert written(validate_json, content).data == msgspec.json.format(content.encode(), indent=1)
