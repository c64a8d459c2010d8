"""A team's own sink, installed beside a real server, is found by its entry point."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from waybill.testing.server import ServerProcess

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "examples" / "own_sink.py"
ITEMS = {
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "made_on", "type": "date"},
        {"name": "price", "type": "number"},
    ],
    "primaryKey": "id",
    "waybill": {"sink": "ledger"},
}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server with the package of the how-to installed."""
    site, metadata = tmp_path / "site", tmp_path / "site" / "theirs-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "own_sink.py").write_text(EXAMPLE.read_text(encoding="utf-8"))
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[waybill.sinks]\nledger = own_sink:open_sink\n")
    paths = [str(site), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    made = ServerProcess(tmp_path / "server")
    made.init({"items": ITEMS})
    made.start()
    yield made
    made.stop()


def stored(server: ServerProcess) -> Any:
    return json.loads((server.directory / "sinks" / "demo@items@.json").read_text())


def test_a_sink_of_another_package_receives_the_rows_of_a_job(server, submit, finish):
    with server.client() as client:
        first = finish(
            client, submit(client, "id,made_on,price\na,2024-02-29,1.5\nb,,2\n", "items")
        )
        again = "id,made_on,price\nb,,3\na,2024-02-29,1.5\nc,2024-13-01,1\n"
        second = finish(client, submit(client, again, "items"))
        third = submit(client, "id,price\na,0\nz,9\n", "items", operation="insert")
        rejected = finish(client, third)
        findings = client.get(f"/v1/jobs/{third['id']}/rejections").json()["rejections"]
    assert (first["state"], first["counts"]["created"]) == ("succeeded", 2)
    counts = second["counts"]
    assert (counts["updated"], counts["unchanged"], counts["rejected"]) == (1, 1, 1)
    assert (rejected["counts"]["created"], rejected["counts"]["rejected"]) == (1, 1)
    assert findings[0]["findings"][0]["code"] == "KEY_EXISTS"
    assert stored(server)["a"] == {"id": "a", "made_on": "2024-02-29", "price": 1.5}
    assert sorted(stored(server)) == ["a", "b", "z"]


def test_a_sink_of_another_package_takes_a_whole_file_or_nothing(server, submit, finish):
    with server.client() as client:
        text = "id,price\na,1\nb,2\n"
        bad = finish(client, submit(client, text + "c,x\n", "items", atomicity="file"))
        assert bad["counts"]["created"] == 0
        good = finish(client, submit(client, text, "items", atomicity="file"))
    assert good["counts"]["created"] == 2
    assert sorted(stored(server)) == ["a", "b"]


def test_a_sink_that_cannot_be_asked_plans_nothing_and_removes_nothing(server, submit, finish):
    with server.client() as client:
        finish(client, submit(client, "id,price\na,1\nb,2\n", "items"))
        for option in ({"dry_run": "true"}, {"snapshot": "true"}, {"max_deletes": 1}):
            job = finish(client, submit(client, "id,price\na,9\n", "items", **option))
            assert (job["state"], job["error"]["code"]) == ("failed", "SINK_NOT_QUERYABLE")
            assert job["counts"]["unprocessed"] == 1
    assert {key: record["price"] for key, record in stored(server).items()} == {"a": 1, "b": 2}
