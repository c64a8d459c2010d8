"""Trees: what a descriptor may say, and who is too deep or in a circle."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waybill.errors import SchemaInvalid
from waybill.model.entity import Tree
from waybill.validation.descriptor import parse_descriptor
from waybill.validation.sandbox import Sandbox, open_sandbox
from waybill.validation.tree_table import NODE, TreeTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIELDS = [{"name": name, "type": "string"} for name in ("id", "parent", "title")]


def schema(**changes: object) -> dict[str, Any]:
    tree = {"parent": "parent", "roots": ["root"], "maxDepth": 3}
    return {"fields": FIELDS, "primaryKey": ["id"], "waybill": {"tree": {**tree, **changes}}}


def test_a_tree_is_a_reference_to_the_entity_itself() -> None:
    entity = parse_descriptor(schema(), name="units")
    assert entity.tree == Tree(parent="parent", roots=("root",), max_depth=3)
    [key] = entity.foreign_keys
    assert (key.fields, key.reference_entity, key.reference_fields) == (("parent",), "", ("id",))
    assert key.exempt == ("root",)


@pytest.mark.parametrize(
    ("raw", "place", "reason"),
    [
        (schema(depth=3), "/waybill/tree/depth", "unknown key 'depth'"),
        (schema(parent="parnt"), "/waybill/tree/parent", "did you mean 'parent'?"),
        (schema(parent="id"), "/waybill/tree/parent", "a field that is not the key"),
        (schema(maxDepth=0), "/waybill/tree/maxDepth", "from 1 to 1000"),
        (schema(maxDepth=None), "/waybill/tree/maxDepth", "from 1 to 1000"),
        (schema(roots="root"), "/waybill/tree/roots", "must be an array"),
        ({**schema(), "primaryKey": ["id", "title"]}, "/waybill/tree", "of one field"),
        (
            {**schema(), "fields": [{"name": "id", "type": "integer"}, *FIELDS[1:]]},
            "/waybill/tree",
            "'id' must be of type string",
        ),
    ],
)
def test_a_tree_that_cannot_be_is_refused(raw: object, place: str, reason: str) -> None:
    assert isinstance(raw, dict)
    with pytest.raises(SchemaInvalid) as caught:
        parse_descriptor(raw, name="units")
    assert caught.value.pointer == place
    assert reason in caught.value.message


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("spill")
    made = open_sandbox(memory_bytes=1 << 28, threads=1, temp_directory=folder)
    yield made
    made.close()


def wrong(
    sandbox: Sandbox,
    given: list[tuple[str, str | None]],
    stored: Mapping[str, str | None] | None = None,
    max_depth: int = 3,
) -> dict[int, bool]:
    """Records (from 1) that are wrong, and whether for a circle."""
    tree = Tree(parent="parent", roots=("root",), max_depth=max_depth)
    known = stored or {}
    with closing(TreeTable(sandbox, tree)) as table:
        keys, parents = [key for key, _ in given], [parent for _, parent in given]
        columns = [
            pa.array(keys, pa.string()),
            pa.array(parents, pa.string()),
            pa.array(range(1, len(keys) + 1), pa.int64()),
        ]
        table.add(pa.table(columns, names=NODE))
        table.settle()
        while (asked := table.unknown_parents()).num_rows:
            found = [known.get(str(key)) for key in asked.column("key").to_pylist()]
            table.add_stored(asked.append_column("parent", pa.array(found, pa.string())))
        return dict(table.wrong())


def test_a_parent_may_stand_later_and_levels_count_from_the_roots(sandbox: Sandbox) -> None:
    nodes = [("d", "c"), ("c", "b"), ("b", "a"), ("a", "root"), ("e", None), ("f", "e")]
    assert wrong(sandbox, nodes) == {1: False}
    assert wrong(sandbox, nodes, max_depth=4) == {}


def test_stored_nodes_count_and_a_moved_one_counts_as_it_will_lie(sandbox: Sandbox) -> None:
    stored = {"a": "root", "b": "a", "c": "b", "d": "c"}
    assert wrong(sandbox, [("x", "b"), ("y", "c"), ("z", "d")], stored) == {2: False, 3: False}
    assert wrong(sandbox, [("b", None), ("y", "c")], stored) == {}
    assert wrong(sandbox, [("a", "c")], stored) == {1: True}


def test_who_is_in_a_circle_or_below_one_is_told_from_who_is_too_deep(sandbox: Sandbox) -> None:
    circle = [("a", "b"), ("b", "c"), ("c", "a"), ("below", "a"), ("self", "self")]
    chain = [(f"n{at}", f"n{at - 1}" if at else "root") for at in range(6)]
    found = wrong(sandbox, [*circle, *chain])
    assert found == dict.fromkeys(range(1, 6), True) | dict.fromkeys((9, 10, 11), False)


def test_equal_letters_in_other_forms_are_one_node(sandbox: Sandbox) -> None:
    assert wrong(sandbox, [("\u00e9", "root"), ("x", "e\u0301"), ("y", "x"), ("z", "y")]) == {
        4: False
    }


def test_the_last_record_of_a_key_is_what_counts(sandbox: Sandbox) -> None:
    assert wrong(sandbox, [("a", "a"), ("a", "root"), ("b", "a"), ("b", None)]) == {}


def test_a_long_chain_ends(sandbox: Sandbox) -> None:
    nodes = [(f"n{at}", f"n{at - 1}" if at else "root") for at in range(20_000)]
    assert len(wrong(sandbox, nodes)) == 20_000 - 3


NAMES = st.sampled_from("abcdefg")


@settings(max_examples=60, deadline=None)
@given(
    given_nodes=st.dictionaries(NAMES, st.one_of(st.none(), st.just("root"), NAMES)),
    stored=st.dictionaries(NAMES, st.one_of(st.none(), st.just("root"), NAMES)),
    max_depth=st.integers(1, 4),
)
def test_the_verdict_is_that_of_walking_up(
    sandbox: Sandbox,
    given_nodes: dict[str, str | None],
    stored: dict[str, str | None],
    max_depth: int,
) -> None:
    together = {**stored, **given_nodes}
    expected = set()
    for record, key in enumerate(given_nodes, start=1):
        level, above = 1, together.get(key)
        while above not in (None, "root") and level <= max_depth:
            level, above = level + 1, together.get(above)
        if level > max_depth:
            expected.add(record)
    found = wrong(sandbox, list(given_nodes.items()), stored, max_depth)
    assert set(found) == expected
