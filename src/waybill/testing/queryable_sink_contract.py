"""What a sink that can be asked must do besides; see ``sink_contract``."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from waybill.errors import JobFailed, RequestInvalid
from waybill.model.ids import ProjectName
from waybill.model.job import Counts
from waybill.model.options import Operation
from waybill.ports.sink import KEY, KEY_SEPARATOR, QueryableSink, Sink
from waybill.testing.sample_chunks import (
    EVENTS,
    ITEMS,
    JOINS,
    MEMBERS,
    PEOPLE,
    PROJECT,
    SEATS,
    TAGGED,
    chunk_of,
    sink_job,
)
from waybill.testing.server import pause
from waybill.testing.sink_contract import JOIN_FIELDS, OpenSink, Records, SinkContract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from waybill.model.entity import Entity
    from waybill.ports.sink import ChunkResult

_MEMBER = ("id", "email", "club", "number")


class QueryableSinkContract(SinkContract):
    """The promises of ``QueryableSink``, unique values among them."""

    @pytest.fixture
    def asked(self, open_sink: OpenSink) -> QueryableSink:
        """A sink with nothing in it."""
        return _queryable(open_sink())

    def stored(self, sink: Sink, entity: Entity = ITEMS, project: ProjectName = PROJECT) -> Records:
        """All records of an entity, by its pages."""
        return _queryable(sink).records(project, entity, after="", limit=1_000).records

    def test_a_plan_tells_what_applying_would_do_and_does_nothing(
        self, asked: QueryableSink
    ) -> None:
        _apply(asked, "first", ("a", "Apple"), ("b", "Bread"))
        rows = chunk_of(
            ("a", "Apple"), ("b", "Beer"), ("c", "Corn"), ("c", "Cake"), ("d", None),
            actions=[None, None, None, None, "delete"],
        )  # fmt: skip
        planned = asked.plan(sink_job("second"), rows)
        assert planned.outcomes == b"NUCUR"
        assert [each.code for each in planned.refusals] == ["KEY_NOT_FOUND"]
        assert [record["title"] for record in self.stored(asked)] == ["Apple", "Bread"]
        asked.begin(sink_job("second"))
        assert asked.apply(sink_job("second"), 0, rows).outcomes == planned.outcomes

    @pytest.mark.parametrize("has_rows", [False, True])
    def test_a_plan_of_several_entities_tells_the_outcomes_and_writes_nothing(
        self, asked: QueryableSink, *, has_rows: bool
    ) -> None:
        if has_rows:
            _apply(asked, "first", ("a", "Apple"))
        rows = chunk_of(
            ("ann", "a@x", "red", "new"),
            ("ann", "a@x", "red", "new"),
            ("ann", "a@y", "red", "new"),
            fields=JOIN_FIELDS,
            entity=JOINS,
        )
        assert asked.plan(sink_job("second", entity=JOINS), rows).outcomes == b"CNU"
        assert not self.stored(asked, PEOPLE)
        assert not self.stored(asked, SEATS)

    @pytest.mark.parametrize("whole_file", [False, True])
    def test_an_object_of_columns_is_changed_member_by_member(
        self, asked: QueryableSink, *, whole_file: bool
    ) -> None:
        steps = [
            ('{"a":"1","b":"2","c":null}', b"C", {"a": "1", "b": "2"}),
            ('{"b":null,"d":"4"}', b"U", {"a": "1", "d": "4"}),
            ('{"b":null,"d":"4"}', b"N", {"a": "1", "d": "4"}),
            ('{"a":"1","e":null}', b"N", {"a": "1", "d": "4"}),
            ('{"b":null,"d":"5"}', b"U", {"a": "1", "d": "5"}),
            ('{"a":null,"d":null}', b"U", {}),
        ]
        for number, (given, outcome, wanted) in enumerate(steps):
            job = sink_job(f"job-{number}", entity=TAGGED, whole_file=whole_file)
            asked.begin(job)
            rows = chunk_of(("x", given), fields=("id", "tags"), entity=TAGGED)
            assert asked.apply(job, 0, rows).outcomes == outcome, given
            asked.seal(job)
            [record] = self.stored(asked, TAGGED)
            assert json.loads(str(record["tags"])) == wanted

    def test_a_whole_file_is_published_only_over_the_data_it_expects(
        self, asked: QueryableSink
    ) -> None:
        _apply(asked, "first", ("a", "Apple"))
        version = asked.version(PROJECT, ITEMS)
        jobs = [
            replace(sink_job(name, whole_file=True), expects_version=version)
            for name in ("second", "third")
        ]
        for job in jobs:
            asked.begin(job)
            asked.apply(job, 0, chunk_of((job.id, "Bread")))
        asked.seal(jobs[0])
        assert asked.version(PROJECT, ITEMS) != version
        with pytest.raises(JobFailed) as refused:
            asked.seal(jobs[1])
        assert refused.value.code == "PLAN_OUTDATED"
        assert {record["id"] for record in self.stored(asked)} == {"a", "second"}

    def test_values_are_told_key_by_key(self, asked: QueryableSink) -> None:
        keys = _table(_key=["b", "z", "a", "c"])
        assert list(asked.values(PROJECT, "items", "title", keys)) == [None] * 4
        _apply(asked, "first", ("a", "Apple"), ("b", "Bread"), ("c", None))
        assert list(asked.values(PROJECT, "items", "title", keys)) == ["Bread", None, "Apple", None]
        assert list(asked.values(PROJECT, "items", "colour", keys)) == [None] * 4

    def test_missing_tells_key_by_key_what_is_not_stored(self, asked: QueryableSink) -> None:
        assert list(asked.missing(PROJECT, "seats", [KEY], _table(_key=[_seat("ann", "red")]))) == [
            True
        ]
        job = sink_job(entity=JOINS)
        asked.begin(job)
        rows = chunk_of(("ann", "a@x", "red", "new"), fields=JOIN_FIELDS, entity=JOINS)
        asked.apply(job, 0, rows)
        keys = _table(_key=[_seat("ann", "blue"), _seat("ann", "red"), None])
        assert list(asked.missing(PROJECT, "seats", [KEY], keys)) == [True, False, True]

    def test_a_plan_needs_nothing_to_be_there(self, asked: QueryableSink) -> None:
        assert asked.plan(sink_job(), chunk_of(("a", "Apple"))).outcomes == b"C"
        assert not self.stored(asked)
        assert list(asked.results(sink_job().id)) == []

    @pytest.mark.parametrize("whole_file", [False, True])
    def test_a_unique_value_that_is_taken_is_refused(
        self, asked: QueryableSink, *, whole_file: bool
    ) -> None:
        _members(asked, "first", ("a", "a@x", "red", 1), ("b", "b@x", "red", 2))
        rows = (("c", "b@x", "red", 3), ("d", "d@x", "red", 1), ("a", "b@x", "red", 1))
        result = _members(asked, "second", *rows, whole_file=whole_file)
        assert result.outcomes == b"RRR"
        assert [(each.code, each.field) for each in result.refusals] == [
            ("UNIQUE_CONFLICT", "email"),
            ("UNIQUE_CONFLICT", None),
            ("UNIQUE_CONFLICT", "email"),
        ]
        assert len(self.stored(asked, MEMBERS)) == 2

    @pytest.mark.parametrize("whole_file", [False, True])
    def test_records_of_one_file_meet_over_unique_values_in_file_order(
        self, asked: QueryableSink, *, whole_file: bool
    ) -> None:
        _members(asked, "first", ("a", "a@x", None, None), ("b", "b@x", None, None))
        rows = (
            ("z", "z@x", None, None), ("c", "z@x", None, None),
            ("a", "free@x", None, None), ("b", "a@x", None, None), ("d", "b@x", None, None),
        )  # fmt: skip
        result = _members(asked, "second", *rows, whole_file=whole_file)
        assert result.outcomes == b"CRUUC"
        emails = {record["id"]: record["email"] for record in self.stored(asked, MEMBERS)}
        assert emails == {"a": "free@x", "b": "a@x", "d": "b@x", "z": "z@x"}

    def test_a_missing_value_is_never_a_conflict(self, asked: QueryableSink) -> None:
        rows = (("a", None, "red", None), ("b", None, "red", None))
        assert _members(asked, "first", *rows).outcomes == b"CC"

    def test_missing_tells_row_by_row_what_nobody_has(self, asked: QueryableSink) -> None:
        _members(asked, "first", ("a", "a@x", "red", 1), ("b", "b@x", "blue", 2))
        assert _missing(asked, email=["b@x", "c@x", None, "a@x"]) == [False, True, True, False]
        assert _missing(asked, club=["red", "red"], number=[1, 2]) == [False, True]

    def test_everything_is_missing_where_nothing_was_stored(self, asked: QueryableSink) -> None:
        assert _missing(asked, email=["a@x"]) == [True]
        _members(asked, "first", ("a", "a@x", "red", 1))
        assert list(asked.missing(ProjectName("other"), "members", ["id"], _table(id=["a"]))) == [
            True
        ]

    def test_records_come_in_pages_by_key(self, asked: QueryableSink) -> None:
        _apply(asked, "first", *((key, key.upper()) for key in ("c", "é", "a", "d", "b")))
        assert _pages(asked, ITEMS, 2) == [["a", "b"], ["c", "d"], ["é"]]

    def test_records_without_a_key_come_in_pages_as_they_came(self, asked: QueryableSink) -> None:
        rows = chunk_of(*((str(n), n) for n in (5, 3, 4)), fields=("kind", "size"), entity=EVENTS)
        asked.begin(sink_job(entity=EVENTS))
        asked.apply(sink_job(entity=EVENTS), 0, rows)
        assert _pages(asked, EVENTS, 2, field="kind") == [["5", "3"], ["4"]]

    @pytest.mark.parametrize(
        ("sort", "offset", "wanted"),
        [("", 0, ["a", "b"]), ("", 2, ["c"]), ("title", 0, ["c", "a"]), ("title", 2, ["b"])],
    )
    def test_records_come_in_slices_by_a_field(
        self, asked: QueryableSink, sort: str, offset: int, wanted: list[str]
    ) -> None:
        _apply(asked, "first", ("a", "Melon"), ("b", "Pear"), ("c", "Apple"))
        found = asked.record_slice(PROJECT, ITEMS, sort=sort, offset=offset, limit=2)
        assert ([record["id"] for record in found.records], found.total) == (wanted, 3)

    def test_a_slice_tells_when_records_were_changed_last(self, asked: QueryableSink) -> None:
        _apply(asked, "first", ("a", "Melon"), ("b", "Pear"))
        first = asked.record_slice(PROJECT, ITEMS, sort="", offset=0, limit=9).changed_at
        pause(0.01)
        _apply(asked, "second", ("a", "Melon"), ("b", "Apple"), ("c", "Fig"))
        kept, changed, new = asked.record_slice(
            PROJECT, ITEMS, sort="", offset=0, limit=9
        ).changed_at
        assert first[0] == first[1] == kept
        assert kept is not None
        assert changed == new
        assert changed is not None
        assert changed > kept

    @pytest.mark.parametrize("sort", ["no such field", 'ti"tle', "_key", "-title"])
    def test_a_slice_by_what_is_no_field_is_in_the_order_of_keys(
        self, asked: QueryableSink, sort: str
    ) -> None:
        _apply(asked, "first", ("b", "Apple"), ("a", "Pear"))
        found = asked.record_slice(PROJECT, ITEMS, sort=sort, offset=0, limit=9)
        assert [record["id"] for record in found.records] == ["a", "b"]

    def test_nothing_is_there_to_slice_at_first(self, asked: QueryableSink) -> None:
        found = asked.record_slice(PROJECT, ITEMS, sort="", offset=0, limit=9)
        assert (list(found.records), found.total) == ([], 0)

    @pytest.mark.parametrize("cursor", ["!", "bm90IGpzb24", "\N{SNOWMAN}"])
    def test_a_cursor_of_somebody_else_is_refused(self, asked: QueryableSink, cursor: str) -> None:
        _apply(asked, "first", ("a", "Apple"))
        with pytest.raises(RequestInvalid):
            asked.records(PROJECT, ITEMS, after=cursor, limit=2)

    def test_what_is_abandoned_is_never_published(self, asked: QueryableSink) -> None:
        job = sink_job(whole_file=True)
        asked.begin(job)
        asked.apply(job, 0, chunk_of(("a", "Apple")))
        asked.abandon(job.id)
        asked.abandon(job.id)
        assert list(asked.results(job.id)) == []
        assert asked.seal(job) == Counts()
        assert not self.stored(asked)

    def test_nothing_published_is_taken_back_by_abandoning(self, asked: QueryableSink) -> None:
        for whole_file in (True, False):
            job = sink_job(f"job-{whole_file}", whole_file=whole_file)
            asked.begin(job)
            asked.apply(job, 0, chunk_of((f"{whole_file}", "x")))
            asked.seal(job)
            asked.abandon(job.id)
            assert len(list(asked.results(job.id))) == 1
        assert len(self.stored(asked)) == 2

    def test_a_forgotten_job_leaves_its_rows_and_its_fence(self, asked: QueryableSink) -> None:
        _apply(asked, "first", ("a", "Apple"))
        asked.seal(sink_job("first"))
        asked.forget(sink_job("first").id)
        asked.forget(sink_job("first").id)
        assert list(asked.results(sink_job("first").id)) == []
        assert len(self.stored(asked)) == 1
        assert asked.seal(sink_job("first")) == Counts(read=1, created=1)

    def test_an_unknown_job_is_abandoned_and_forgotten_in_silence(
        self, asked: QueryableSink
    ) -> None:
        asked.abandon(sink_job("never").id)
        asked.forget(sink_job("never").id)

    def test_an_insert_after_a_delete_of_one_file_creates_anew(self, asked: QueryableSink) -> None:
        _members(asked, "first", ("a", "a@x", "red", 1))
        job = sink_job("second", entity=MEMBERS, operation=Operation.DELETE)
        rows = chunk_of(
            ("a", None, None, None), ("b", "a@x", "red", 1),
            fields=_MEMBER, entity=MEMBERS, actions=[None, "insert"],
        )  # fmt: skip
        asked.begin(job)
        assert asked.apply(job, 0, rows).outcomes == b"DC"


def _queryable(sink: Sink) -> QueryableSink:
    assert isinstance(sink, QueryableSink)
    return sink


def _apply(sink: QueryableSink, name: str, *rows: Sequence[object]) -> ChunkResult:
    sink.begin(sink_job(name))
    return sink.apply(sink_job(name), 0, chunk_of(*rows))


def _members(
    sink: QueryableSink, name: str, *rows: Sequence[object], whole_file: bool = False
) -> ChunkResult:
    job = sink_job(name, entity=MEMBERS, whole_file=whole_file)
    sink.begin(job)
    result = sink.apply(job, 0, chunk_of(*rows, fields=_MEMBER, entity=MEMBERS))
    sink.seal(job)
    return result


def _seat(person: str, club: str) -> str:
    return KEY_SEPARATOR.join((person, club))


def _table(**columns: Sequence[object]) -> pa.Table:
    return pa.Table.from_pydict({name: list(values) for name, values in columns.items()})


def _missing(sink: QueryableSink, **columns: Sequence[object]) -> list[bool]:
    return list(sink.missing(PROJECT, "members", list(columns), _table(**columns)))


def _pages(
    sink: QueryableSink, entity: Entity, limit: int, *, field: str = "id"
) -> list[list[object]]:
    pages, cursor = [], ""
    while True:
        page = sink.records(PROJECT, entity, after=cursor, limit=limit)
        pages.append([record[field] for record in page.records])
        if page.next is None:
            return pages
        cursor = page.next
