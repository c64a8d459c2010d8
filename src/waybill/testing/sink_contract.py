"""What every sink must do, as tests to inherit.

A subclass gives a fixture ``open_sink``: a function that opens a sink on one and the same, at
first empty, place each time it is called; and ``stored``: how the records of an entity are read
back. Its class name begins with ``Test``. A sink that can also be asked (``QueryableSink``)
inherits ``QueryableSinkContract`` instead, which has ``stored`` already; one that recognises a file
(``RepeatingSink``) inherits ``RepeatingSinkContract``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from waybill.errors import Fenced
from waybill.model.ids import ProjectName
from waybill.model.job import Counts
from waybill.model.options import Operation
from waybill.ports.sink import Sink
from waybill.testing.sample_chunks import (
    EVENTS,
    ITEMS,
    JOINS,
    PEOPLE,
    PROJECT,
    SEATS,
    chunk_of,
    sink_job,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from waybill.model.entity import Entity
    from waybill.ports.sink import ChunkResult, SinkJob

_THREE = ("id", "title", "stock")
_STOCKED = (("a", "Apple", 5), ("b", "Bread", 7), ("c", "Corn", 9))

OpenSink: TypeAlias = Callable[[], Sink]
Records: TypeAlias = Sequence[Mapping[str, object]]

JOIN_FIELDS: Final = ("name", "mail", "club", "role")


class SinkContract:
    """The promises of ``Sink``."""

    @pytest.fixture
    def sink(self, open_sink: OpenSink) -> Sink:
        """A sink with nothing in it."""
        return open_sink()

    def stored(self, sink: Sink, entity: Entity = ITEMS, project: ProjectName = PROJECT) -> Records:
        """All records of an entity, in any order, by field name."""
        raise NotImplementedError

    def test_new_records_are_created(self, sink: Sink) -> None:
        result = _import(sink, sink_job(), chunk_of(("a", "Apple"), ("b", "Bread")))
        assert result.outcomes == b"CC"
        assert _titles(self.stored(sink)) == {"a": "Apple", "b": "Bread"}

    def test_the_same_records_again_are_unchanged(self, sink: Sink) -> None:
        rows = chunk_of(("a", "Apple"), ("b", "Bread"))
        _import(sink, sink_job("first"), rows)
        assert _import(sink, sink_job("second"), rows).outcomes == b"NN"

    def test_only_records_with_another_value_are_updated(self, sink: Sink) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple"), ("b", "Bread")))
        result = _import(sink, sink_job("second"), chunk_of(("a", "Apple"), ("b", "Butter")))
        assert result.outcomes == b"NU"
        assert _titles(self.stored(sink)) == {"a": "Apple", "b": "Butter"}

    def test_a_missing_value_is_a_value(self, sink: Sink) -> None:
        _import(sink, sink_job("1"), chunk_of(("a", None)))
        assert _import(sink, sink_job("2"), chunk_of(("a", None))).outcomes == b"N"
        assert _import(sink, sink_job("3"), chunk_of(("a", ""))).outcomes == b"U"
        assert _import(sink, sink_job("4"), chunk_of(("a", None))).outcomes == b"U"
        assert _titles(self.stored(sink)) == {"a": None}

    def test_outcomes_stand_in_file_order_beside_their_records(self, sink: Sink) -> None:
        _import(sink, sink_job("first"), chunk_of(("b", "Bread"), ("d", "Dill")))
        rows = chunk_of(("d", "Dill"), ("c", "Corn"), ("b", "Beer"), ("a", "Ale"), first_record=7)
        result = _import(sink, sink_job("second"), rows)
        assert list(result.records) == [7, 8, 9, 10]
        assert result.outcomes == b"NCUC"

    def test_a_field_that_the_file_lacks_keeps_its_value(self, sink: Sink) -> None:
        both = ("id", "title", "stock")
        _import(sink, sink_job("first"), chunk_of(("a", "Apple", 5), fields=both))
        _import(sink, sink_job("second"), chunk_of(("a", "Pear"), ("b", "Bread")))
        records = {record["id"]: record for record in self.stored(sink)}
        assert (records["a"]["title"], records["a"]["stock"]) == ("Pear", 5)
        assert records["b"]["stock"] is None

    def test_a_file_with_fewer_fields_of_equal_values_changes_nothing(self, sink: Sink) -> None:
        both = ("id", "title", "stock")
        _import(sink, sink_job("first"), chunk_of(("a", "Apple", 5), fields=both))
        assert _import(sink, sink_job("second"), chunk_of(("a", "Apple"))).outcomes == b"N"

    def test_a_change_by_a_file_with_fewer_fields_is_seen_by_the_next_full_one(
        self, sink: Sink
    ) -> None:
        full = chunk_of(("a", "Apple", 5), fields=("id", "title", "stock"))
        _import(sink, sink_job("first"), full)
        _import(sink, sink_job("second"), chunk_of(("a", "Pear")))
        assert _import(sink, sink_job("third"), full).outcomes == b"U"
        assert _titles(self.stored(sink)) == {"a": "Apple"}

    def test_what_a_record_lacks_keeps_its_value_and_a_missing_value_clears(
        self, sink: Sink
    ) -> None:
        _import(sink, sink_job("1"), chunk_of(*_STOCKED, fields=_THREE))
        rows = chunk_of(
            ("a", None, 6), ("b", None, 7), ("c", "Corn", None), ("d", "new", None),
            fields=_THREE, absent=[["title"], [], ["stock"], ["stock"]],
        )  # fmt: skip
        assert _import(sink, sink_job("2"), rows).outcomes == b"UUNC"
        assert _rows(self.stored(sink)) == {
            ("a", "Apple", 6), ("b", None, 7), ("c", "Corn", 9), ("d", "new", None),
        }  # fmt: skip

    def test_a_new_record_gets_what_stands_in_the_column_of_a_field_that_it_lacks(
        self, sink: Sink
    ) -> None:
        rows = chunk_of(("a", "untitled", 5), fields=_THREE, absent=[["title"]])
        assert _import(sink, sink_job("1"), rows).outcomes == b"C"
        assert _import(sink, sink_job("2"), rows).outcomes == b"N"
        full = chunk_of(("a", "Apple", 5), fields=_THREE, absent=[[]])
        assert _import(sink, sink_job("3"), full).outcomes == b"U"
        assert _import(sink, sink_job("4"), rows).outcomes == b"N"
        assert _rows(self.stored(sink)) == {("a", "Apple", 5)}

    def test_a_value_that_a_record_kept_is_cleared_by_the_next_one_that_has_it(
        self, sink: Sink
    ) -> None:
        _import(sink, sink_job("1"), chunk_of(*_STOCKED, fields=_THREE))
        lacking = chunk_of(("a", None, 6), fields=_THREE, absent=[["title"]])
        assert _import(sink, sink_job("2"), lacking).outcomes == b"U"
        assert _import(sink, sink_job("3"), lacking).outcomes == b"N"
        clearing = chunk_of(("a", None, 6), fields=_THREE, absent=[[]])
        assert _import(sink, sink_job("4"), clearing).outcomes == b"U"
        assert ("a", None, 6) in _rows(self.stored(sink))

    @pytest.mark.parametrize("whole_file", [False, True])
    def test_records_of_one_key_keep_what_those_before_them_wrote(
        self, sink: Sink, *, whole_file: bool
    ) -> None:
        _import(sink, sink_job("1"), chunk_of(*_STOCKED, fields=_THREE))
        job = sink_job("2", whole_file=whole_file)
        rows = chunk_of(
            ("a", "Ale", None), ("a", None, 8), ("x", "X", None), ("x", None, 3), ("x", None, 3),
            fields=_THREE, absent=[["stock"], ["title"], ["stock"], ["title"], ["title"]],
        )  # fmt: skip
        assert _import(sink, job, rows).outcomes == b"UUCUN"
        stored = _rows(self.stored(sink))
        assert {("a", "Ale", 8), ("x", "X", 3)} <= stored

    def test_an_update_keeps_what_its_record_lacks(self, sink: Sink) -> None:
        _import(sink, sink_job("1"), chunk_of(*_STOCKED, fields=_THREE))
        job = sink_job("2", operation=Operation.UPDATE)
        rows = chunk_of(
            ("z", None, 1), ("b", None, 1), ("c", None, 9),
            fields=_THREE, absent=[["title"], ["title"], ["title"]],
        )  # fmt: skip
        assert _import(sink, job, rows).outcomes == b"RUN"
        assert _rows(self.stored(sink)) == {("a", "Apple", 5), ("b", "Bread", 1), ("c", "Corn", 9)}

    def test_a_whole_file_keeps_what_its_records_lack(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        _import(sink, sink_job("1"), chunk_of(*_STOCKED, fields=_THREE))
        job = sink_job("2", whole_file=True)
        sink.begin(job)
        first = chunk_of(("a", None, 6), fields=_THREE, absent=[["title"]])
        second = chunk_of(
            ("b", None, None), ("a", "Ale", None),
            fields=_THREE, absent=[["title", "stock"], ["stock"]], first_record=2,
        )  # fmt: skip
        assert sink.apply(job, 0, first).outcomes == b"U"
        again = sink_job("2", epoch=2, whole_file=True)
        later = open_sink()
        later.begin(again)
        assert later.apply(again, 0, first).outcomes == b"U"
        assert later.apply(again, 1, second).outcomes == b"NU"
        assert later.seal(again) == Counts(read=3, updated=2, unchanged=1)
        assert _rows(self.stored(sink)) == {("a", "Ale", 6), ("b", "Bread", 7), ("c", "Corn", 9)}

    def test_values_of_every_type_come_back(self, sink: Sink) -> None:
        fields = ("id", "title", "stock", "price", "active")
        row = ("a", "Äpfel, \"rot\"\n'x'", -(2**63), 0.1, True)
        empty = ("b", None, None, None, None)
        _import(sink, sink_job(), chunk_of(row, empty, fields=fields))
        found = {
            record["id"]: tuple(record[field] for field in fields) for record in self.stored(sink)
        }
        assert found == {"a": row, "b": empty}
        assert any(record["active"] is True for record in self.stored(sink))

    def test_an_insert_of_a_known_key_is_refused(self, sink: Sink) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple")))
        job = sink_job("second", operation=Operation.INSERT)
        result = _import(sink, job, chunk_of(("b", "Bread"), ("a", "Ale")))
        assert result.outcomes == b"CR"
        assert [(each.record, each.code) for each in result.refusals] == [(2, "KEY_EXISTS")]
        assert _titles(self.stored(sink)) == {"a": "Apple", "b": "Bread"}

    def test_an_update_of_an_unknown_key_is_refused(self, sink: Sink) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple")))
        job = sink_job("second", operation=Operation.UPDATE)
        result = _import(sink, job, chunk_of(("b", "Bread"), ("a", "Ale")))
        assert result.outcomes == b"RU"
        assert [(each.record, each.code) for each in result.refusals] == [(1, "KEY_NOT_FOUND")]
        assert _titles(self.stored(sink)) == {"a": "Ale"}

    def test_a_delete_takes_known_records_and_refuses_others(self, sink: Sink) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple"), ("b", "Bread")))
        job = sink_job("second", operation=Operation.DELETE)
        result = _import(sink, job, chunk_of(("b",), ("c",), fields=("id",)))
        assert result.outcomes == b"DR"
        assert [(each.record, each.code) for each in result.refusals] == [(2, "KEY_NOT_FOUND")]
        assert _titles(self.stored(sink)) == {"a": "Apple"}

    def test_a_record_may_name_its_own_operation(self, sink: Sink) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple"), ("b", "Bread"), ("c", "Corn")))
        rows = chunk_of(
            ("a", None), ("b", "Beer"), ("c", "Cake"), ("d", "Dill"),
            actions=["delete", None, "insert", "update"],
        )  # fmt: skip
        result = _import(sink, sink_job("second"), rows)
        assert result.outcomes == b"DURR"
        assert _titles(self.stored(sink)) == {"b": "Beer", "c": "Corn"}

    def test_records_with_one_key_are_applied_in_file_order(self, sink: Sink) -> None:
        rows = chunk_of(
            ("a", "Ale"), ("b", "Bread"), ("a", "Apple"), ("a", "Apple"), ("a", None), ("a", "Ant"),
            actions=[None, None, None, None, "delete", "insert"],
        )  # fmt: skip
        assert _import(sink, sink_job(), rows).outcomes == b"CCUNDC"
        assert _titles(self.stored(sink)) == {"a": "Ant", "b": "Bread"}

    def test_a_record_without_a_key_is_added_each_time(self, sink: Sink) -> None:
        rows = chunk_of(("open", 1), ("open", 1), fields=("kind", "size"), entity=EVENTS)
        assert _import(sink, sink_job("first", entity=EVENTS), rows).outcomes == b"CC"
        assert _import(sink, sink_job("second", entity=EVENTS), rows).outcomes == b"CC"
        assert len(self.stored(sink, EVENTS)) == 4

    def test_records_without_a_key_cannot_be_deleted(self, sink: Sink) -> None:
        job = sink_job(entity=EVENTS, operation=Operation.DELETE)
        result = _import(sink, job, chunk_of(("open", 1), fields=("kind", "size"), entity=EVENTS))
        assert result.outcomes == b"R"
        assert len(result.refusals) == 1

    def test_a_record_of_several_entities_is_stored_in_each_and_counted_once(
        self, sink: Sink
    ) -> None:
        result = _join(sink, "first", ("ann", "a@x", "red", "lead"), ("bob", "b@x", "red", "new"))
        assert (list(result.records), result.outcomes) == ([1, 2], b"CC")
        assert _whole(self.stored(sink, PEOPLE)) == {("ann", "a@x"), ("bob", "b@x")}
        assert _whole(self.stored(sink, SEATS)) == {("ann", "red", "lead"), ("bob", "red", "new")}
        job = sink_job("first", entity=JOINS)
        assert sink.seal(job) == Counts(read=2, created=2)

    def test_the_outcome_of_parts_is_that_of_the_one_that_changed_most(self, sink: Sink) -> None:
        _join(sink, "first", ("ann", "a@x", "red", "lead"), ("bob", "b@x", "red", "new"))
        result = _join(
            sink,
            "second",
            ("ann", "a@x", "red", "lead"),
            ("bob", "b@y", "red", "new"),
            ("ann", "a@x", "blue", "new"),
            ("cat", "c@x", "red", "new"),
        )
        assert result.outcomes == b"NUCC"
        assert _whole(self.stored(sink, PEOPLE)) == {("ann", "a@x"), ("bob", "b@y"), ("cat", "c@x")}
        assert len(self.stored(sink, SEATS)) == 4

    def test_a_part_is_the_same_as_a_record_of_its_own_entity(self, sink: Sink) -> None:
        people = chunk_of(("ann", "a@x"), fields=("name", "mail"), entity=PEOPLE)
        _import(sink, sink_job("first", entity=PEOPLE), people)
        assert _join(sink, "second", ("ann", "a@y", "red", "lead")).outcomes == b"C"
        assert _whole(self.stored(sink, PEOPLE)) == {("ann", "a@y")}
        again = chunk_of(("ann", "a@y"), fields=("name", "mail"), entity=PEOPLE)
        assert _import(sink, sink_job("third", entity=PEOPLE), again).outcomes == b"N"

    def test_a_field_of_a_part_that_the_file_lacks_keeps_its_value(self, sink: Sink) -> None:
        _join(sink, "first", ("ann", "a@x", "red", "lead"))
        fields = ("name", "club")
        result = _join(sink, "second", ("ann", "red"), ("ann", "blue"), fields=fields)
        assert result.outcomes == b"NC"
        assert _whole(self.stored(sink, PEOPLE)) == {("ann", "a@x")}
        assert _whole(self.stored(sink, SEATS)) == {("ann", "red", "lead"), ("ann", "blue", None)}

    def test_a_field_that_a_record_lacks_keeps_its_value_in_the_part(self, sink: Sink) -> None:
        _join(sink, "first", ("ann", "a@x", "red", "lead"), ("bob", "b@x", "red", "new"))
        result = _join(
            sink,
            "second",
            ("ann", None, "red", "new"),
            ("bob", "b@x", "red", None),
            ("bob", None, "blue", None),
            absent=[("mail",), ("role",), ("mail", "role")],
        )
        assert result.outcomes == b"UNC"
        assert _whole(self.stored(sink, PEOPLE)) == {("ann", "a@x"), ("bob", "b@x")}
        assert _whole(self.stored(sink, SEATS)) == {
            ("ann", "red", "new"),
            ("bob", "red", "new"),
            ("bob", "blue", None),
        }

    def test_records_that_share_a_part_are_applied_in_file_order(self, sink: Sink) -> None:
        rows = (("ann", "a@x", "red", "new"), ("ann", "a@y", "blue", "new"))
        assert _join(sink, "first", *rows).outcomes == b"CC"
        assert _whole(self.stored(sink, PEOPLE)) == {("ann", "a@y")}

    def test_a_chunk_of_several_entities_applied_again_changes_nothing(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        rows = chunk_of(("ann", "a@x", "red", "new"), fields=JOIN_FIELDS, entity=JOINS)
        first, second = (sink_job(epoch=epoch, entity=JOINS) for epoch in (1, 2))
        sink.begin(first)
        assert sink.apply(first, 0, rows).outcomes == b"C"
        later = open_sink()
        later.begin(second)
        other = chunk_of(("ann", "a@y", "red", "old"), fields=JOIN_FIELDS, entity=JOINS)
        assert later.apply(second, 0, other).outcomes == b"C"
        assert _whole(self.stored(later, PEOPLE)) == {("ann", "a@x")}
        assert _whole(self.stored(later, SEATS)) == {("ann", "red", "new")}
        with pytest.raises(Fenced):
            sink.apply(first, 1, rows)

    def test_an_empty_chunk_has_an_empty_result(self, sink: Sink) -> None:
        result = _import(sink, sink_job(), chunk_of())
        assert (list(result.records), result.outcomes) == ([], b"")

    def test_a_chunk_applied_again_changes_nothing_and_gives_its_first_result(
        self, sink: Sink
    ) -> None:
        job = sink_job(operation=Operation.INSERT)
        sink.begin(job)
        first = sink.apply(job, 0, chunk_of(("a", "Apple"), ("a", "Ale")))
        again = sink.apply(job, 0, chunk_of(("a", "Apple"), ("a", "Ale")))
        assert (again.chunk, again.outcomes) == (first.chunk, first.outcomes) == (0, b"CR")
        assert list(again.records) == list(first.records)
        assert again.refusals == first.refusals
        assert len(self.stored(sink)) == 1

    def test_a_chunk_applied_by_an_earlier_attempt_is_not_applied_by_a_later_one(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        sink.begin(sink_job(epoch=1))
        sink.apply(sink_job(epoch=1), 0, chunk_of(("a", "Apple")))
        later = open_sink()
        later.begin(sink_job(epoch=2))
        assert later.apply(sink_job(epoch=2), 0, chunk_of(("a", "Apple"))).outcomes == b"C"
        assert later.seal(sink_job(epoch=2)) == Counts(read=1, created=1)

    def test_an_attempt_is_fenced_once_a_later_one_has_begun(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        zombie = sink_job(epoch=1)
        sink.begin(zombie)
        open_sink().begin(sink_job(epoch=2))
        with pytest.raises(Fenced):
            sink.apply(zombie, 0, chunk_of(("a", "Apple")))
        with pytest.raises(Fenced):
            sink.begin(zombie)
        with pytest.raises(Fenced):
            sink.seal(zombie)
        assert not self.stored(sink)

    def test_an_attempt_may_begin_again(self, sink: Sink) -> None:
        job = sink_job()
        sink.begin(job)
        sink.apply(job, 0, chunk_of(("a", "Apple")))
        sink.begin(job)
        assert sink.apply(job, 1, chunk_of(("b", "Bread"))).outcomes == b"C"

    @pytest.mark.parametrize("epoch", [1, 2])
    def test_a_sealed_job_takes_nothing_more(self, sink: Sink, epoch: int) -> None:
        _import(sink, sink_job(), chunk_of(("a", "Apple")))
        with pytest.raises(Fenced):
            sink.apply(sink_job(epoch=epoch), 1, chunk_of(("b", "Bread")))
        assert _titles(self.stored(sink)) == {"a": "Apple"}

    @pytest.mark.parametrize("whole_file", [False, True])
    @pytest.mark.parametrize("epoch", [1, 2])
    def test_a_sealed_job_may_begin_again_and_finds_what_it_did(
        self, sink: Sink, open_sink: OpenSink, *, epoch: int, whole_file: bool
    ) -> None:
        rows = chunk_of(("a", "Apple"), ("a", "Ale"))
        _import(sink, sink_job(operation=Operation.INSERT, whole_file=whole_file), rows)
        again = sink_job(epoch=epoch, operation=Operation.INSERT, whole_file=whole_file)
        later = open_sink()
        later.begin(again)
        assert later.apply(again, 0, rows).outcomes == b"CR"
        with pytest.raises(Fenced):
            later.apply(again, 1, chunk_of(("b", "Bread")))
        assert later.seal(again) == Counts(read=2, created=1, rejected=1)
        assert _titles(self.stored(later)) == {"a": "Apple"}

    def test_beginning_a_sealed_job_again_fences_its_earlier_attempt(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        _import(sink, sink_job(epoch=1), chunk_of(("a", "Apple")))
        open_sink().begin(sink_job(epoch=2))
        with pytest.raises(Fenced):
            sink.begin(sink_job(epoch=1))
        with pytest.raises(Fenced):
            sink.seal(sink_job(epoch=1))

    def test_sealing_gives_the_counts_and_gives_them_again(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple"), ("b", "Bread"), ("c", "Corn")))
        job = sink_job("second")
        sink.begin(job)
        sink.apply(job, 0, chunk_of(("a", "Apple"), ("b", "Beer")))
        actions = ["delete", "update"]
        sink.apply(job, 3, chunk_of(("c", None), ("d", "Dill"), first_record=3, actions=actions))
        counts = Counts(read=4, updated=1, unchanged=1, deleted=1, rejected=1)
        assert sink.seal(job) == counts
        assert open_sink().seal(job) == counts
        assert open_sink().seal(sink_job("second", epoch=2)) == counts

    @pytest.mark.parametrize("epoch", [1, 2])
    def test_a_last_chunk_that_may_seal_its_job_can_be_repeated_with_the_seal(
        self, sink: Sink, open_sink: OpenSink, epoch: int
    ) -> None:
        sink.begin(sink_job())
        sink.apply(sink_job(), 0, chunk_of(("a", "Apple")))
        last = chunk_of(("b", "Bread"), ("c", "Corn"), first_record=2)
        assert sink.apply(sink_job(), 1, last, seals=True).outcomes == b"CC"
        again, job = open_sink(), sink_job(epoch=epoch)
        again.begin(job)
        assert again.apply(job, 0, chunk_of(("a", "Apple"))).outcomes == b"C"
        assert again.apply(job, 1, last, seals=True).outcomes == b"CC"
        assert again.seal(job) == Counts(read=3, created=3)
        assert again.seal(job) == Counts(read=3, created=3)
        with pytest.raises(Fenced):
            again.apply(job, 2, chunk_of(("d", "Dill")))

    def test_a_job_without_chunks_is_sealed_with_zeros(self, sink: Sink) -> None:
        sink.begin(sink_job())
        assert sink.seal(sink_job()) == Counts()
        assert list(sink.results(sink_job().id)) == []

    def test_results_come_by_rising_chunk_whatever_the_order_of_applying(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        job = sink_job()
        sink.begin(job)
        sink.apply(job, 2, chunk_of(("b", "Bread"), first_record=30))
        sink.apply(job, 0, chunk_of(("a", "Apple"), ("a", "Apple"), first_record=10))
        sink.seal(job)
        results = list(open_sink().results(job.id))
        assert [(r.chunk, list(r.records), r.outcomes) for r in results] == [
            (0, [10, 11], b"CN"),
            (2, [30], b"C"),
        ]

    def test_results_of_an_unknown_job_are_none(self, sink: Sink) -> None:
        assert list(sink.results(sink_job("never").id)) == []

    def test_records_stay_when_the_sink_is_opened_again(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        _import(sink, sink_job(), chunk_of(("a", "Apple")))
        assert _titles(self.stored(open_sink())) == {"a": "Apple"}

    def test_projects_and_entities_are_apart(self, sink: Sink) -> None:
        other = ProjectName("other")
        _import(sink, sink_job("first"), chunk_of(("a", "Apple")))
        result = _import(sink, sink_job("second", project=other), chunk_of(("a", "Ant")))
        assert result.outcomes == b"C"
        assert _titles(self.stored(sink)) == {"a": "Apple"}
        assert _titles(self.stored(sink, ITEMS, other)) == {"a": "Ant"}
        assert not self.stored(sink, EVENTS)

    def test_a_whole_file_is_seen_by_nobody_before_it_is_sealed(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple"), ("b", "Bread"), ("c", "Corn")))
        job = sink_job("second", whole_file=True)
        sink.begin(job)
        sink.apply(job, 0, chunk_of(("a", "Ale"), ("b", None), actions=[None, "delete"]))
        sink.apply(job, 1, chunk_of(("d", "Dill"), ("c", "Corn"), first_record=3))
        before = {"a": "Apple", "b": "Bread", "c": "Corn"}
        assert _titles(self.stored(sink)) == before
        assert _titles(self.stored(open_sink())) == before
        assert sink.seal(job) == Counts(read=4, created=1, updated=1, unchanged=1, deleted=1)
        assert _titles(self.stored(sink)) == {"a": "Ale", "c": "Corn", "d": "Dill"}

    def test_the_outcomes_of_a_whole_file_count_what_it_staged_before(self, sink: Sink) -> None:
        _import(sink, sink_job("first"), chunk_of(("a", "Apple")))
        job = sink_job("second", whole_file=True)
        sink.begin(job)
        chunks = [
            (chunk_of(("a", None), ("b", "Bread"), actions=["delete", None]), b"DC"),
            (chunk_of(("a", "Ale"), ("b", "Bread"), first_record=3), b"CN"),
            (chunk_of(("b", "Beer"), ("a", None), first_record=5, actions=[None, "delete"]), b"UD"),
        ]
        for number, (rows, outcomes) in enumerate(chunks):
            assert sink.apply(job, number, rows).outcomes == outcomes
        sink.seal(job)
        assert _titles(self.stored(sink)) == {"b": "Beer"}

    def test_a_whole_file_goes_on_where_an_earlier_attempt_stopped(
        self, sink: Sink, open_sink: OpenSink
    ) -> None:
        first, second = (sink_job(epoch=epoch, whole_file=True) for epoch in (1, 2))
        sink.begin(first)
        sink.apply(first, 0, chunk_of(("a", "Apple")))
        later = open_sink()
        later.begin(second)
        later.apply(second, 0, chunk_of(("a", "Apple")))
        later.apply(second, 1, chunk_of(("b", "Bread"), first_record=2))
        assert later.seal(second) == Counts(read=2, created=2)
        assert later.seal(second) == Counts(read=2, created=2)
        assert _titles(self.stored(later)) == {"a": "Apple", "b": "Bread"}


def _import(sink: Sink, job: SinkJob, rows: pa.Table) -> ChunkResult:
    """A job of one chunk, from begin to seal."""
    sink.begin(job)
    result = sink.apply(job, 0, rows)
    sink.seal(job)
    return result


def _join(
    sink: Sink,
    name: str,
    *rows: Sequence[object],
    fields: Sequence[str] = JOIN_FIELDS,
    absent: Sequence[Sequence[str]] | None = None,
) -> ChunkResult:
    job = sink_job(name, entity=JOINS)
    return _import(sink, job, chunk_of(*rows, fields=fields, entity=JOINS, absent=absent))


def _rows(records: Records) -> set[tuple[object, ...]]:
    return {tuple(record[name] for name in _THREE) for record in records}


def _whole(records: Records) -> set[tuple[object, ...]]:
    return {tuple(record.values()) for record in records}


def _titles(records: Records) -> dict[object, object]:
    return {record["id"]: record["title"] for record in records}
