"""Records that lie below one another, in files and in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from waybill.testing.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    Run = Callable[..., dict[int, list[tuple[str, str]]]]

ENTITIES = {
    "units": {
        "fields": [{"name": name, "type": "string"} for name in ("id", "title", "parent")],
        "primaryKey": ["id"],
        "waybill": {
            "tree": {"parent": "parent", "roots": ["root"], "maxDepth": 4},
            "action": {"column": "op", "actions": {"D": "delete"}},
        },
    }
}
CIRCLE, DEEP = [("TREE_CIRCLE", "parent")], [("TREE_TOO_DEEP", "parent")]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("server"))
    running.init(ENTITIES)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def run(
    client: httpx.Client,
    submit: Callable[..., dict[str, Any]],
    finish: Callable[..., dict[str, Any]],
) -> Run:
    """Import units; gives the findings by record."""

    def findings(text: str, **query: object) -> dict[int, list[tuple[str, str]]]:
        job = finish(client, submit(client, text, entity="units", **query))
        assert job["state"] == "succeeded", job["error"]
        answer = client.get(f"/v1/jobs/{job['id']}/rejections").json()
        return {
            each["record"]: [(found["code"], found["field"]) for found in each["findings"]]
            for each in answer["rejections"]
        }

    return findings


def test_parents_stand_anywhere_and_findings_on_the_records_they_are_of(run: Run) -> None:
    text = (
        "id,parent\nd,c\nc,b\nb,a\na,root\ne,d\nf,e\n"  # six levels
        "x,y\ny,x\nz,y\nlone,\nlost,nowhere\nbelow,lost\n"
    )
    assert run(text) == {
        5: DEEP, 6: DEEP, 7: CIRCLE, 8: CIRCLE, 9: CIRCLE,
        11: [("FOREIGN_KEY", "parent")], 12: [("FOREIGN_KEY", "parent")],
    }  # fmt: skip


def test_what_is_stored_counts_as_it_will_lie(run: Run) -> None:
    assert run("id,parent\na,root\nb,a\nc,b\nd,c\n") == {}
    assert run("id,parent\ne,d\nf,c\n") == {1: DEEP}
    assert run("id,parent\na,c\n") == {1: CIRCLE}
    assert run("id,title\na,A\nnew,N\n") == {}
    assert run("id,parent\nb,\ne,d\n") == {}
    assert run("id,parent,op\na,a,D\n") == {}


def test_a_moved_record_takes_along_what_is_stored_below_it(run: Run) -> None:
    assert run("id,parent\nm1,root\nm2,m1\nm3,m2\nlong1,root\nlong2,long1\nlong3,long2\n") == {}
    assert run("id,parent\nm1,long2\n") == {1: DEEP}
    assert run("id,parent\nm1,long2\nm3,root\n") == {}
    assert run("id,parent\nm3,m2\n") == {1: DEEP}
    assert run("id,title\nm2,T\n") == {}
    assert run("id,title,parent\nm2,U,m1\n") == {}


def test_a_root_is_no_record(run: Run) -> None:
    assert run("id,parent\nroot,\n") == {1: [("TREE_ROOT", "id")]}
    assert run("id,parent\nr1,root\nroot,r1\n") == {2: [("TREE_ROOT", "id")]}


def test_a_finding_shows_the_parent_and_the_depth(
    client: httpx.Client,
    submit: Callable[..., dict[str, Any]],
    finish: Callable[..., dict[str, Any]],
) -> None:
    text = "id,parent\na,root\nb,a\nc,b\nd,c\ne,d\n"
    job = finish(client, submit(client, text, entity="units"))
    [rejected] = client.get(f"/v1/jobs/{job['id']}/rejections").json()["rejections"]
    [finding] = rejected["findings"]
    assert (rejected["line"], finding["column_name"], finding["value"]) == (6, "parent", "d")
    assert finding["message"] == "the record lies below more than 4 levels"


def test_a_hundred_thousand_nodes_with_seeded_faults(run: Run) -> None:
    count = 100_000
    parents = ["root" if n < 10 else f"n{n % 10 if n < 1000 else n % 1000}" for n in range(count)]
    wrong = dict.fromkeys(range(5_000, count, 20_000))
    for at, node in enumerate(wrong):
        parents[node] = f"n{node}" if at % 2 else f"n{node - 1}"  # a circle, or level 4: good
    rows = [f"n{n},{parent}" for n, parent in enumerate(parents)]
    found = run("id,parent\n" + "\n".join(reversed(rows)) + "\n")
    circles = [node for at, node in enumerate(wrong) if at % 2]
    assert found == {count - node: CIRCLE for node in circles}
