from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waybill.errors import StorageFull
from waybill.model.entity import ForeignKey
from waybill.validation.references import foreign_values, records_having
from waybill.validation.whole_file import (
    DuplicateFinder,
    Duplicates,
    KeyLedger,
    ReferenceLedger,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
CHUNK = 7


def good_digest(key: str) -> int:
    return (int.from_bytes(key.encode().ljust(8, b"-")[:8], "little") * 0x9E3779B97F4A7C15) % 2**64


def duplicates(
    directory: Path, keys: list[str], digest: Callable[[str], int] = good_digest
) -> Duplicates:
    ledger = KeyLedger(directory)
    records = np.arange(1, len(keys) + 1)
    digests = np.array([digest(key) for key in keys], dtype=np.uint64)
    for start in range(0, len(keys), CHUNK):
        ledger.add(records[start : start + CHUNK], digests[start : start + CHUNK])
    finder = DuplicateFinder(ledger)
    for start in range(0, len(keys), CHUNK):
        chunk = {"_record": records[start : start + CHUNK], "_key": keys[start : start + CHUNK]}
        finder.confirm(pa.table(chunk))
    ledger.close()
    return finder.groups()


def oracle(keys: list[str]) -> list[tuple[int, int, int]]:
    where: dict[str, list[int]] = {}
    for record, key in enumerate(keys, start=1):
        where.setdefault(key, []).append(record)
    return [
        (record, where[key][0], where[key][-1])
        for record, key in enumerate(keys, start=1)
        if len(where[key]) > 1
    ]


def found(groups: Duplicates) -> list[tuple[int, int, int]]:
    columns = (groups.record, groups.first_record, groups.last_record)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(st.lists(st.sampled_from([f"key {number}" for number in range(30)]), max_size=60))
@QUICK
def test_every_duplicate_is_found_with_its_first_and_last(tmp_path: Path, keys: list[str]) -> None:
    assert found(duplicates(tmp_path, keys)) == oracle(keys)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40))
@QUICK
def test_equal_digests_of_different_keys_are_told_apart(tmp_path: Path, keys: list[str]) -> None:
    assert found(duplicates(tmp_path, keys, digest=lambda _: 5)) == oracle(keys)


def test_groups_are_dense_and_can_be_cut_by_record(tmp_path: Path) -> None:
    groups = duplicates(tmp_path, ["a", "b", "a", "c", "b", "a"])
    assert len(groups) == 5
    assert sorted(set(groups.group.tolist())) == [0, 1]
    part = groups.between(3, 5)
    assert found(part) == [(3, 1, 6), (5, 2, 5)]


def test_a_file_without_duplicates_needs_no_second_look(tmp_path: Path) -> None:
    ledger = KeyLedger(tmp_path)
    ledger.add(np.array([1, 2]), np.array([3, 4], dtype=np.uint64))
    assert not DuplicateFinder(ledger).is_needed
    ledger.close()
    assert list(tmp_path.iterdir()) == []


def test_candidates_that_the_spool_lacks_are_no_duplicates(tmp_path: Path) -> None:
    ledger = KeyLedger(tmp_path)
    ledger.add(np.array([1, 2, 9]), np.array([3, 3, 3], dtype=np.uint64))
    finder = DuplicateFinder(ledger)
    finder.confirm(pa.table({"_record": [3, 5, 10], "_key": ["a", "a", "a"]}))
    finder.confirm(pa.table({"_record": [8, 10], "_key": ["a", "a"]}))
    finder.confirm(pa.table({"_record": [1, 2], "_key": ["a", "a"]}))
    ledger.close()
    assert finder.groups().record.tolist() == [1, 2]


def test_a_digest_of_zero_means_no_value(tmp_path: Path) -> None:
    ledger = KeyLedger(tmp_path)
    ledger.add(np.array([1, 2]), np.array([0, 0], dtype=np.uint64))
    assert ledger.candidates().tolist() == []
    ledger.close()


def test_unique_keys_of_several_fields_are_confirmed_by_value(tmp_path: Path) -> None:
    ledger = KeyLedger(tmp_path)
    ledger.add(np.array([1, 2, 3]), np.array([9, 9, 9], dtype=np.uint64))
    finder = DuplicateFinder(ledger, columns=("a", "b"))
    finder.confirm(pa.table({"_record": [1, 2, 3], "a": ["x", "x", "xy"], "b": [1, 1, 1]}))
    ledger.close()
    assert finder.groups().record.tolist() == [1, 2]


def test_a_reference_may_lead_to_any_record_of_the_file(tmp_path: Path) -> None:
    ledger = ReferenceLedger(tmp_path)
    high = 1 << 60
    ledger.add(
        np.array([1, 2]), np.array([high, 7], dtype=np.uint64), np.array([5, 6], dtype=np.uint64)
    )
    ledger.add(
        np.array([3, 4]), np.array([0, 8], dtype=np.uint64), np.array([7, high], dtype=np.uint64)
    )
    assert ledger.missing().tolist() == [4]
    ledger.close()


KEY = ForeignKey(fields=("country",), reference_entity="countries", reference_fields=("code",))


def test_foreign_values_are_distinct_and_named_as_what_they_refer_to() -> None:
    good = pa.table({"_record": [1, 2, 3, 4], "country": ["DE", None, "FR", "DE"]})
    values = foreign_values(good, KEY)
    assert values.column_names == ["code"]
    assert sorted(values.column("code").to_pylist()) == ["DE", "FR"]


def test_the_records_of_a_value_are_found_again() -> None:
    good = pa.table({"_record": [1, 2, 3, 4], "country": ["DE", None, "FR", "DE"]})
    assert records_having(good, KEY, pa.table({"code": ["DE"]})).tolist() == [1, 4]
    assert records_having(good, KEY, pa.table({"code": pa.array([], pa.string())})).tolist() == []


def test_a_file_without_the_field_refers_to_nothing() -> None:
    good = pa.table({"_record": [1]})
    assert foreign_values(good, KEY).num_rows == 0
    assert records_having(good, KEY, pa.table({"code": ["DE"]})).tolist() == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    for number in range(64):
        (tmp_path / f"keys-{number:02d}").symlink_to("/dev/full")
    ledger = KeyLedger(tmp_path)
    with pytest.raises(StorageFull):
        ledger.add(np.arange(70_000), np.arange(1, 70_001, dtype=np.uint64))
    ledger.close()
