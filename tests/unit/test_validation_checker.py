from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from waybill.model.limits import Limits
from waybill.model.options import Operation, UnknownColumns
from waybill.ports.reader import Header, MalformedRecord
from waybill.testing.raw_chunks import BYTES_PER_RECORD, raw_chunk
from waybill.validation.checker import Checker
from waybill.validation.codes import make_finding
from waybill.validation.compiled import CheckOptions
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.rejects import iterate_rejections
from waybill.validation.sandbox import Sandbox, open_sandbox

if TYPE_CHECKING:
    from waybill.model.finding import Rejection
    from waybill.validation.checked import CheckedChunk

PEPPER = "pepper"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return open_sandbox(
        memory_bytes=200 << 20, threads=1, temp_directory=tmp_path_factory.mktemp("spill")
    )


def checker(
    sandbox: Sandbox,
    header: tuple[str, ...],
    *fields: dict[str, object],
    options: CheckOptions = CheckOptions(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    escaped: bool = False,
    **schema: object,
) -> Checker:
    return Checker(
        parse_descriptor({"fields": list(fields), **schema}, name="sample"),
        Header(names=header, escaped=escaped),
        options,
        limits=limits,
        sandbox=sandbox,
        pepper=PEPPER,
    )


def rejections(checked: CheckedChunk) -> list[Rejection]:
    found = list(iterate_rejections([checked.rejects]))
    assert len(found) == checked.rejected
    return found


def codes(checked: CheckedChunk) -> dict[int, list[str]]:
    return {each.record: [f.code for f in each.findings] for each in rejections(checked)}


ID = {"name": "id", "type": "integer"}
NAME = {"name": "name", "type": "string", "constraints": {"required": True, "maxLength": 5}}


def test_good_rows_are_typed_and_bad_ones_rejected_in_file_order(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("name", "id"), ID, NAME, primaryKey="id").check
    checked = check(raw_chunk([["ann", "007"], ["x", "y"], ["toolong", "3"], ["bob", "-1"]]))
    assert checked.good.column_names == ["_record", "_key", "_hash", "id", "name"]
    assert checked.good.drop_columns(["_hash"]).to_pylist() == [
        {"_record": 1, "_key": "7", "id": 7, "name": "ann"},
        {"_record": 4, "_key": "-1", "id": -1, "name": "bob"},
    ]
    assert codes(checked) == {2: ["TYPE_MISMATCH"], 3: ["MAX_LENGTH"]}
    assert checked.key_digests is not None
    assert len(checked.key_digests) == 2


def test_every_finding_of_every_field_is_given_with_its_place(sandbox: Sandbox) -> None:
    code = {"name": "code", "constraints": {"pattern": "[A-Z]+", "enum": ["AB", "CD"]}}
    check = checker(sandbox, ("id", "code", "name"), ID, code, NAME).check
    (rejection,) = rejections(check(raw_chunk([["1,5", "ab", None]])))
    assert (rejection.record, rejection.line, rejection.byte) == (1, 2, BYTES_PER_RECORD)
    assert rejection.cells == ("1,5", "ab", None)
    assert [(f.code, f.field, f.column, f.value) for f in rejection.findings] == [
        ("TYPE_MISMATCH", "id", 1, "1,5"),
        ("PATTERN", "code", 2, "ab"),
        ("ENUM", "code", 2, "ab"),
        ("REQUIRED", "name", 3, None),
    ]
    assert rejection.findings[2].hint == "did you mean 'AB'?"


def test_hints_say_what_to_write(sandbox: Sandbox) -> None:
    price, day = {"name": "price", "type": "number"}, {"name": "day", "type": "date"}
    check = checker(sandbox, ("price", "day"), price, day).check
    (rejection,) = rejections(check(raw_chunk([["1,5", "31/12/2024"]])))
    assert [f.hint for f in rejection.findings] == ["use . as decimal sign", "write 2024-12-31"]


def test_messages_cut_long_values_and_cells_do_not(sandbox: Sandbox) -> None:
    long = "x" * 5_000
    (rejection,) = rejections(checker(sandbox, ("id",), ID).check(raw_chunk([[long]])))
    assert rejection.cells == (long,)
    assert len(rejection.findings[0].message) < 300


def test_malformed_records_stand_between_the_others(sandbox: Sandbox) -> None:
    finding = make_finding("FIELD_COUNT", found=1, expected_count=2)
    broken = MalformedRecord(record=2, line=3, byte=9, cells=("x",), findings=(finding,))
    check = checker(sandbox, ("id", "name"), ID, NAME).check
    checked = check(raw_chunk([["x", "a"], ["2", "b"], ["y", "c"]], malformed=[broken]))
    assert codes(checked) == {1: ["TYPE_MISMATCH"], 2: ["FIELD_COUNT"], 4: ["TYPE_MISMATCH"]}
    assert checked.records == 4


def test_a_chunk_of_malformed_records_only_has_an_empty_table(sandbox: Sandbox) -> None:
    broken = MalformedRecord(record=1, line=2, byte=9, cells=(), findings=())
    checked = checker(sandbox, ("id",), ID).check(raw_chunk([], width=1, malformed=[broken]))
    assert (checked.good.num_rows, checked.rejected) == (0, 1)
    assert checked.good.schema.field("id").type == pa.int64()


def test_missing_values_become_null_or_the_default(sandbox: Sandbox) -> None:
    fields = (
        {"name": "a", "missingValues": ["", "-"]},
        {"name": "b", "type": "integer", "waybill": {"default": 5}},
        {"name": "c", "missingValues": []},
    )
    check = checker(sandbox, ("a", "b", "c"), *fields).check
    checked = check(raw_chunk([["-", None, None], ["", "", ""], ["x", "1", "y"]]))
    assert checked.good.select(["a", "b", "c"]).to_pylist() == [
        {"a": None, "b": 5, "c": ""},
        {"a": None, "b": 5, "c": ""},
        {"a": "x", "b": 1, "c": "y"},
    ]


def test_a_quoted_empty_cell_is_empty_text_only_in_an_escaped_file(sandbox: Sandbox) -> None:
    rows = raw_chunk([["", ""], [None, None]])
    text = {"name": "t", "type": "string"}
    plain = checker(sandbox, ("t", "id"), text, ID).check(rows).good
    assert plain.column("t").to_pylist() == [None, None]
    escaped = checker(sandbox, ("t", "id"), text, ID, escaped=True).check(rows).good
    assert escaped.column("t").to_pylist() == ["", None]
    assert escaped.column("id").to_pylist() == [None, None]


def test_trimming_comes_before_everything_else(sandbox: Sandbox) -> None:
    fields = (
        {**ID, "waybill": {"trim": True}},
        {"name": "name", "constraints": {"required": True}, "waybill": {"trim": "both"}},
    )
    checked = checker(sandbox, ("id", "name"), *fields).check(
        raw_chunk([[" 7\t", "\u00a0ann "], ["8", "  "]])
    )
    assert checked.good.select(["id", "name"]).to_pylist() == [{"id": 7, "name": "ann"}]
    assert codes(checked) == {2: ["REQUIRED"]}


def test_equal_keys_have_one_text_and_others_never_do(sandbox: Sandbox) -> None:
    fields = ({"name": "a"}, {"name": "b"})
    check = checker(sandbox, ("a", "b"), *fields, primaryKey=["a", "b"]).check
    rows = [["x|", "y"], ["x", "|y"], ["x\\", "|y"], ["e\u0301", "1"], ["\u00e9", "1"]]
    keys = check(raw_chunk(rows)).good.column("_key").to_pylist()
    assert len(set(keys)) == 4
    assert keys[3] == keys[4]


def test_a_missing_key_part_is_named(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("id", "name"), ID, {"name": "name"}, primaryKey=["id", "name"]).check
    (rejection,) = rejections(check(raw_chunk([["1", None]])))
    assert [(f.code, f.field) for f in rejection.findings] == [("KEY_MISSING", "name")]


def hashes(check: Checker, rows: list[list[str | None]]) -> list[int]:
    return list(check.check(raw_chunk(rows)).good.column("_hash").to_pylist())


def test_equal_records_have_equal_hashes_in_any_chunk(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("a", "n"), {"name": "a"}, {"name": "n", "type": "number"})
    (one,) = hashes(check, [["x", "1.50"]])
    assert hashes(check, [["x", "1.5"], ["\u00e9", "2"], ["\x1f", "3"]])[0] == one


def test_hashes_do_not_mistake_separators_for_values(sandbox: Sandbox) -> None:
    check = checker(
        sandbox, ("a", "b"), {"name": "a"}, {"name": "b"}, missingValues=["none"], escaped=True
    )
    rows: list[list[str | None]] = [
        ["x\x1fy", "z"],
        ["x", "y\x1fz"],
        ["none", "z"],
        ["\x1e2", "z"],
        ["", "z"],
        ["\x1e", "2z"],
    ]
    assert len(set(hashes(check, rows))) == len(rows)


def test_the_hash_is_the_same_in_every_version(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("a", "n"), {"name": "a"}, ID | {"name": "n"})
    digest = hashlib.md5(b"x\x1f7", usedforsecurity=False).digest()
    halves = {
        int.from_bytes(digest[at : at + 8], order, signed=True)
        for at in (0, 8)
        for order in ("little", "big")
    }
    assert hashes(check, [["x", "007"]])[0] in halves


def test_an_action_column_decides_per_record(sandbox: Sandbox) -> None:
    action = {"column": "op", "actions": {"D": "delete", "U": "update"}}
    check = checker(
        sandbox, ("id", "name", "op"), ID, NAME, primaryKey="id", waybill={"action": action}
    ).check
    rows = [["1", "ann", None], ["2", "b\0", " d "], ["3", "bob", "U"], ["4", "eve", "X"]]
    checked = check(raw_chunk([*rows, ["x", None, "D"]]))
    assert checked.good.column("_action").to_pylist() == ["upsert", "delete", "update"]
    assert codes(checked) == {4: ["ACTION_INVALID"], 5: ["TYPE_MISMATCH"]}
    assert rejections(checked)[0].findings[0].column == 3


def test_records_to_delete_are_checked_on_their_keys_only(sandbox: Sandbox) -> None:
    options = CheckOptions(operation=Operation.DELETE)
    check = checker(sandbox, ("id", "name"), ID, NAME, primaryKey="id", options=options).check
    checked = check(raw_chunk([["1", None], ["x", "ann"]]))
    assert checked.good.column_names == ["_record", "_key", "_hash", "id"]
    assert codes(checked) == {2: ["TYPE_MISMATCH"]}


def test_undeclared_columns_are_kept_as_json_in_file_order(sandbox: Sandbox) -> None:
    options = CheckOptions(unknown_columns=UnknownColumns.KEEP)
    check = checker(sandbox, ('z"', "id", "a"), ID, options=options, waybill={"open": True}).check
    good = check(raw_chunk([['x"y', "1", None], [None, "2", ""]])).good
    assert good.column("_extra").to_pylist() == ['{"z\\"":"x\\"y"}', '{"a":""}']


def test_secret_values_leave_only_as_hash_or_mask(sandbox: Sandbox) -> None:
    pin = {
        "name": "pin",
        "type": "string",
        "constraints": {"maxLength": 4},
        "waybill": {"secret": True},
    }
    check = checker(sandbox, ("id", "pin"), ID, pin).check
    checked = check(raw_chunk([["1", "1234"], ["2", "98765"], ["x", "5555"]]))
    wanted = hashlib.sha256(b"pepper1234").hexdigest()
    assert checked.good.column("pin").to_pylist() == [wanted]
    for clear in (b"98765", b"5555"):
        assert clear not in checked.rejects
    assert rejections(checked)[0].cells == ("2", "********")
    assert rejections(checked)[0].findings[0].value == "********"


def test_secrets_of_malformed_records_are_masked_too(sandbox: Sandbox) -> None:
    pin = {"name": "pin", "waybill": {"secret": True}}
    finding = replace(make_finding("QUOTE_INVALID"), value="1234x")
    broken = MalformedRecord(record=1, line=2, byte=9, cells=("1234", None), findings=(finding,))
    checked = checker(sandbox, ("pin",), pin).check(raw_chunk([], width=1, malformed=[broken]))
    assert b"1234" not in checked.rejects


def test_a_mask_that_comes_back_is_no_secret(sandbox: Sandbox) -> None:
    pin = {"name": "pin", "waybill": {"secret": True}}
    checked = checker(sandbox, ("pin",), pin, escaped=True).check(raw_chunk([["********"], ["x"]]))
    assert codes(checked) == {1: ["SECRET_MASKED"]}


def test_numbers_that_a_double_cannot_hold_are_told_as_rounded(sandbox: Sandbox) -> None:
    amount = {"name": "amount", "type": "number"}
    exact = ["63.38700000000001", "0.1", "1e300", "9007199254740992", "1.00000000000000000000"]
    lost = ["123456789012345678.12", "9007199254740993", "0.12345678901234567891", "1" * 30]
    rows = [[cell] for cell in (*exact, *lost)]
    checked = checker(sandbox, ("amount",), amount).check(raw_chunk(rows))
    (warning,) = checked.warnings
    assert (warning.code, warning.count, warning.lines) == ("NUMBER_ROUNDED", 4, (7, 8, 9, 10))
    assert checked.good.num_rows == len(rows)


def test_the_mask_of_a_secret_number_is_told_as_such(sandbox: Sandbox) -> None:
    rules = {"required": True, "minimum": 5}
    pin = {"name": "pin", "type": "integer", "constraints": rules, "waybill": {"secret": True}}
    cells = [["********"], ["7"], ["x"], ["1"], [None]]
    checked = checker(sandbox, ("pin",), pin, escaped=True).check(raw_chunk(cells))
    assert codes(checked) == {
        1: ["SECRET_MASKED"], 3: ["TYPE_MISMATCH"], 4: ["MINIMUM"], 5: ["REQUIRED"],
    }  # fmt: skip


def test_a_nul_character_is_the_only_finding_of_its_cell(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("id", "name"), ID, NAME).check
    checked = check(raw_chunk([["1\0", "a"], ["2", "b\0"], ["3", "c"]]))
    assert codes(checked) == {1: ["NUL_CHARACTER"], 2: ["NUL_CHARACTER"]}


def test_a_cell_over_the_limit_is_rejected(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("a",), {"name": "a"}, limits=Limits(field_bytes=10)).check
    checked = check(raw_chunk([["x" * 11], ["x" * 10], ["\u00e9" * 6]]))
    assert codes(checked) == {1: ["FIELD_TOO_LONG"], 3: ["FIELD_TOO_LONG"]}


def test_invisible_characters_are_counted_and_warned_of(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("a", "b"), {"name": "a"}, {"name": "b"}).check
    checked = check(raw_chunk([["x\u200by", "q"], ["\u2019", "\u00e9"], ["\ufeffz", "\u00ad"]]))
    assert [(w.field, w.count, w.lines) for w in checked.warnings] == [
        ("a", 2, (2, 4)),
        ("b", 1, (4,)),
    ]
    assert checked.rejected == 0


def test_unique_values_and_references_have_digests(sandbox: Sandbox) -> None:
    fields = (
        ID,
        {"name": "mail", "constraints": {"unique": True}},
        {"name": "boss", "type": "integer"},
    )
    reference = {"fields": "boss", "reference": {"fields": "id"}}
    check = checker(
        sandbox, ("id", "mail", "boss"), *fields, primaryKey="id", foreignKeys=[reference]
    ).check
    checked = check(raw_chunk([["1", "a", None], ["2", "a", "01"], ["3", None, "9"]]))
    (mails,) = checked.unique_digests
    assert mails[0] == mails[1] != 0
    assert mails[2] == 0
    ((bosses, keys),) = checked.reference_digests
    assert bosses[0] == 0
    assert bosses[1] == keys[0]
    assert checked.key_digests is not None
    assert keys.tolist() == checked.key_digests.tolist()


def test_a_unique_key_without_its_column_has_no_digests(sandbox: Sandbox) -> None:
    mail = {"name": "mail", "constraints": {"unique": True}}
    (digests,) = checker(sandbox, ("id",), ID, mail).check(raw_chunk([["1"]])).unique_digests
    assert digests.tolist() == [0]


def test_secret_values_get_no_hint(sandbox: Sandbox) -> None:
    pin = {"name": "pin", "type": "integer", "waybill": {"secret": True}}
    (rejection,) = rejections(checker(sandbox, ("pin",), pin).check(raw_chunk([["+5"]])))
    assert rejection.findings[0].hint is None


def test_without_rows_only_what_whole_file_rules_need_is_given(sandbox: Sandbox) -> None:
    options = CheckOptions(needs_rows=False)
    mail = {"name": "mail", "constraints": {"unique": True}}
    check = checker(
        sandbox, ("id", "mail", "name"), ID, mail, NAME, primaryKey="id", options=options
    ).check
    checked = check(raw_chunk([["1", "a", "b"], ["2", "c", None]]))
    assert checked.good.column_names == ["_record", "_key", "mail"]
    assert codes(checked) == {2: ["REQUIRED"]}


@pytest.mark.parametrize(
    "text",
    [
        "x\"; COPY rows TO 'o.csv'; --",
        "read_text('/etc/passwd')",
        "'; ATTACH 'x.db'; --",
        "{v} {t} $1 ? %s",
        "checker",
    ],
)
def test_hostile_text_is_data_wherever_it_stands(sandbox: Sandbox, text: str) -> None:
    options = CheckOptions(unknown_columns=UnknownColumns.KEEP)
    field = {
        "name": text,
        "constraints": {"enum": [text, "b"]},
        "missingValues": [text + "-"],
        "waybill": {"default": text},
    }
    check = checker(
        sandbox, (text, text + "2"), field, options=options, waybill={"open": True}
    ).check
    checked = check(raw_chunk([[text, text], [text + "-", None], ["c", None]]))
    assert checked.good.column(text).to_pylist() == [text, text]
    assert codes(checked) == {3: ["ENUM"]}


def test_one_checker_serves_several_threads(sandbox: Sandbox) -> None:
    check = checker(sandbox, ("id",), ID, primaryKey="id")
    rows = [[str(number)] if number % 10 else ["x"] for number in range(2_000)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(check.check, [raw_chunk(rows)] * 8))
    check.close()
    assert {result.rejected for result in results} == {200}
    assert all(result.good.equals(results[0].good) for result in results)
