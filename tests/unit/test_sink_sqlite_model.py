"""The embedded sink against twenty lines of obvious Python."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.model.entity import Constraints, Entity, Field, FieldType
from waybill.model.options import Operation
from waybill.sinks.sqlite import SqliteSink
from waybill.testing.sample_chunks import PROJECT, chunk_of, sink_job

Lacks = tuple[str, ...]
Row = tuple[str, dict[str, Any], Lacks]
FIELDS = ("id", "name", "tag")


def entity_of(*, is_unique: bool) -> Entity:
    return Entity(
        name="things",
        fields=(
            Field(name="id", type=FieldType.STRING),
            Field(
                name="name",
                type=FieldType.STRING,
                constraints=Constraints(unique=is_unique),
            ),
            Field(name="tag", type=FieldType.STRING),
        ),
        key=("id",),
    )


def expected(
    stored: dict[str, dict[str, Any]],
    fields: tuple[str, ...],
    rows: list[Row],
    *,
    is_unique: bool,
) -> bytes:
    """Applies the rows to ``stored``, one after the other; gives their outcomes."""
    outcomes = ""
    for operation, values, lacks in rows:
        key = values["id"]
        old = stored.get(key)
        if operation == "delete":
            outcomes += "D" if old else "R"
            stored.pop(key, None)
            continue
        if (operation == "insert" and old) or (operation == "update" and not old):
            outcomes += "R"
            continue
        new = {**(old or dict.fromkeys(FIELDS)), **_given(values, fields, lacks if old else ())}
        taken = {each["name"] for other, each in stored.items() if other != key}
        if is_unique and new["name"] is not None and new["name"] in taken:
            outcomes += "R"
            continue
        outcomes += "C" if not old else "N" if new == old else "U"
        stored[key] = new
    return outcomes.encode()


def _given(values: dict[str, Any], fields: tuple[str, ...], lacks: Lacks) -> dict[str, Any]:
    return {name: values[name] for name in fields if name not in lacks}


row = st.tuples(
    st.sampled_from([operation.value for operation in Operation]),
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcde"),
            "name": st.sampled_from(["x", "y", "z", None]),
            "tag": st.sampled_from(["1", "2"]),
        }
    ),
    st.sampled_from([(), (), ("name",), ("tag",), ("name", "tag")]),
)
fields_of_a_file = st.sampled_from([FIELDS, ("id", "name"), ("id", "tag")])
chunk = st.lists(row, max_size=8)
files = st.lists(
    st.tuples(fields_of_a_file, st.booleans(), st.lists(chunk, max_size=3)), max_size=4
)


@settings(max_examples=60)
@given(files=files, is_unique=st.booleans())
def test_outcomes_and_records_are_those_of_applying_one_by_one(
    files: list[tuple[tuple[str, ...], bool, list[list[Row]]]],
    is_unique: bool,
) -> None:
    stored: dict[str, dict[str, Any]] = {}
    entity = entity_of(is_unique=is_unique)
    with tempfile.TemporaryDirectory() as folder:
        sink = SqliteSink(Path(folder))
        for number, (fields, whole_file, chunks) in enumerate(files):
            job = sink_job(str(number), entity=entity, whole_file=whole_file)
            sink.begin(job)
            for place, rows in enumerate(chunks):
                table = chunk_of(
                    *([values[name] for name in fields] for _, values, _ in rows),
                    fields=fields,
                    entity=entity,
                    actions=[operation for operation, _, _ in rows],
                    absent=[set(lacks).intersection(fields) for *_, lacks in rows] or None,
                )
                if not whole_file:
                    planned = sink.plan(job, table).outcomes
                wanted = expected(stored, fields, rows, is_unique=is_unique)
                assert sink.apply(job, place, table).outcomes == wanted
                assert whole_file or planned == wanted
            sink.seal(job)
            page = sink.records(PROJECT, entity, after="", limit=100)
            assert list(page.records) == [stored[key] for key in sorted(stored)]
        sink.close()
