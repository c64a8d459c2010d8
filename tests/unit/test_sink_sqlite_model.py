"""The embedded sink against twenty lines of obvious Python."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.model.entity import Constraints, Entity, Field, FieldType
from waybill.model.options import Operation
from waybill.model.plan import Effect
from waybill.ports.sink import Removal
from waybill.sinks.sqlite import SqliteSink
from waybill.testing.sample_chunks import GOODS, PROJECT, chunk_of, sink_job

Lacks = tuple[str, ...]
Row = tuple[str, dict[str, Any], Lacks]
GoodsRow = tuple[str, tuple[str, str, str], dict[str, Any]]
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
        if operation in ("delete", "remove"):
            outcomes += "D" if old else "R" if operation == "delete" else "N"
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


class Goods:
    """Products that own their variants, in obvious Python; removed is what vanished unread."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str], dict[str, str]] = {}

    def after(
        self, rows: list[GoodsRow], kinds: frozenset[str] | str | None
    ) -> tuple[bytes, dict[tuple[str, str, str], dict[str, str]]]:
        """What becomes of each row, and what is stored then."""
        hidden = {
            key for key in self.stored if kinds != "nothing" and (kinds is None or key[1] in kinds)
        }
        now, outcomes = dict(self.stored), ""
        for operation, key, facts in rows:
            old = None if key in hidden and operation != "upsert" else now.get(key)
            if operation in ("delete", "remove"):
                outcomes += "D" if old is not None else "R" if operation == "delete" else "N"
                if old is not None:
                    now.pop(key)
                    if key[1] == "product":
                        owned = [o for o in now if o[0] == key[0] and o[1] == "variant"]
                        for other in [o for o in owned if o not in hidden]:
                            now.pop(other)
                continue
            if (operation == "insert" and old is not None) or (
                operation == "update" and old is None
            ):
                outcomes += "R"
                continue
            patch = facts if operation != "update" else {**(old or {}), **facts}
            new = {name: value for name, value in patch.items() if value is not None}
            outcomes += "C" if old is None else "N" if [*new.items()] == [*old.items()] else "U"
            now[key] = new
            hidden.discard(key)
        return outcomes.encode(), {key: facts for key, facts in now.items() if key not in hidden}


goods_key = st.one_of(
    st.sampled_from(["P", "P1", "Q"]).map(lambda owner: (owner, "product", owner)),
    st.tuples(st.sampled_from(["P", "P1"]), st.just("variant"), st.sampled_from("vw")),
    st.sampled_from("cd").map(lambda key: (key, "category", key)),
)
goods_row = st.tuples(
    st.sampled_from(["upsert", "upsert", "upsert", "insert", "update", "delete", "remove"]),
    goods_key,
    st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2"])),
)
patch_row = st.tuples(
    st.just("update"),
    goods_key,
    st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", None])),
)
goods_chunk = st.lists(st.one_of(goods_row, patch_row), max_size=6)
removals = st.sampled_from(
    ["nothing", "nothing", None, frozenset({"category"}), frozenset({"product", "variant"})]
)
goods_files = st.lists(
    st.tuples(removals, st.booleans(), st.lists(goods_chunk, max_size=3)), max_size=4
)


@settings(max_examples=120)
@given(files=goods_files)
def test_what_is_removed_owned_and_patched_is_as_one_by_one(
    files: list[tuple[Any, bool, list[list[GoodsRow]]]],
) -> None:
    goods = Goods()
    with tempfile.TemporaryDirectory() as folder:
        sink = SqliteSink(Path(folder))
        for number, (kinds, whole_file, chunks) in enumerate(files):
            removal = None if kinds == "nothing" else Removal(kinds=kinds)
            is_whole = whole_file or removal is not None
            job = replace(sink_job(str(number), entity=GOODS, whole_file=is_whole), removal=removal)
            before = dict(goods.stored)
            wanted, after = goods.after([row for chunk in chunks for row in chunk], kinds)
            sink.begin(job)
            done = b""
            for place, rows in enumerate(chunks):
                table = chunk_of(
                    *((*key, json.dumps(facts, separators=(",", ":"))) for _, key, facts in rows),
                    fields=("owner", "kind", "id", "facts"),
                    entity=GOODS,
                    actions=[operation for operation, *_ in rows],
                )
                done += sink.apply(job, place, table).outcomes
            assert done == wanted
            if job.whole_file:
                shown = sink.preview(job, samples=9)
                gone = [key[1] for key in before if key not in after]
                assert {share.kind: share.gone for share in shown.shares} == Counter(gone)
                assert all(
                    share.stored == sum(key[1] == share.kind for key in before)
                    for share in shown.shares
                )
                created = [each.after for each in shown.samples.get(Effect.CREATED, ())]
                assert len(created) == sum(key not in before for key in after)
            version = sink.version(PROJECT, GOODS)
            counts = sink.seal(job)
            goods.stored = after
            assert (sink.version(PROJECT, GOODS) != version) or after == before or not whole_file
            found = {
                (each["owner"], each["kind"], each["id"]): json.loads(str(each["facts"]))
                for each in sink.records(PROJECT, GOODS, after="", limit=100).records
            }
            assert found == after
            assert counts.read == len(wanted)
        sink.close()
