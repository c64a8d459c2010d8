"""Options of an import, strictly read."""

from __future__ import annotations

import pytest

from waybill.dialects.native.options import OPTIONS, from_json, from_query
from waybill.errors import OptionInvalid
from waybill.model.options import Atomicity, HeaderMode, ImportOptions, Operation


def test_no_options_are_the_defaults() -> None:
    assert from_json({}).options == from_query({}).options == ImportOptions()


def test_query_and_json_mean_the_same() -> None:
    texts = {
        "operation": "insert",
        "atomicity": "file",
        "max_errors": "10",
        "max_error_ratio": "0.5",
        "dry_run": "true",
        "delimiter": "tab",
        "encoding": "windows-1252",
        "header": "absent",
        "client_ref": "ref 1",
    }
    values = {**texts, "max_errors": 10, "max_error_ratio": 0.5, "dry_run": True}
    assert from_query(texts) == from_json(values)
    assert from_query(texts).options == ImportOptions(
        operation=Operation.INSERT,
        atomicity=Atomicity.FILE,
        max_errors=10,
        max_error_ratio=0.5,
        dry_run=True,
        delimiter="\t",
        encoding="windows-1252",
        header=HeaderMode.ABSENT,
    )
    assert from_query(texts).client_ref == "ref 1"


def test_an_unknown_option_names_the_nearest_one() -> None:
    with pytest.raises(OptionInvalid, match="did you mean on_duplicate") as refused:
        from_json({"on_duplicates": "first"})
    assert refused.value.parameter == "on_duplicates"


def test_a_wrong_word_is_told_the_right_ones() -> None:
    with pytest.raises(OptionInvalid, match="one of upsert, insert, update, delete"):
        from_query({"operation": "merge"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dry_run", "true"),
        ("dry_run", 1),
        ("max_errors", True),
        ("max_errors", "5"),
        ("max_errors", -1),
        ("max_errors", 1.5),
        ("max_errors", 10**30),
        ("max_error_ratio", 1.1),
        ("max_error_ratio", True),
        ("operation", ["insert"]),
        ("operation", {}),
        ("delimiter", "ab"),
        ("delimiter", '"'),
        ("delimiter", "a"),
        ("delimiter", "\n"),
        ("delimiter", "é"),
        ("encoding", "no-such"),
        ("encoding", "hex"),
        ("encoding", "utf\0"),
        ("encoding", "unicode_escape"),
        ("encoding", "utf-7"),
        ("client_ref", ""),
        ("client_ref", "a\nb"),
        ("client_ref", "x" * 256),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(OptionInvalid) as refused:
        from_json({name: value})
    assert refused.value.parameter == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("max_errors", "1_0"),
        ("max_errors", "٣"),
        ("max_errors", "+1"),
        ("max_errors", "9" * 40),
        ("max_error_ratio", "nan"),
        ("max_error_ratio", "inf"),
        ("dry_run", "yes"),
    ],
)
def test_texts_that_only_look_like_numbers_are_refused(name: str, text: str) -> None:
    with pytest.raises(OptionInvalid):
        from_query({name: text})


@pytest.mark.parametrize(
    ("text", "character"), [("tab", "\t"), ("\\t", "\t"), (";", ";"), ("", "")]
)
def test_delimiters_may_be_named(text: str, character: str) -> None:
    assert from_query({"delimiter": text}).options.delimiter == character


def test_null_means_the_default() -> None:
    assert from_json({"max_errors": None, "delimiter": None}).options == ImportOptions()


def test_every_field_of_the_model_is_an_option() -> None:
    assert set(ImportOptions.__dataclass_fields__) | {"client_ref"} == set(OPTIONS)
