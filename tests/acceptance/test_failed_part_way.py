"""A file that cannot be read to its end: what was loaded before can be fetched all the same."""

from __future__ import annotations

import pytest

GOOD = b'{"id": 1, "name": "Ann"}'
FILES = {
    "text behind a document": b"[" + GOOD + b', {"id": 2, "name": "Bob"}] x',
    "two arrays": b'{"x": [' + GOOD + b'],\n"y": [1]}',
    "no end": b"[" + b",\n".join(b'{"id": %d, "name": "n"}' % n for n in range(200_000)),
    "an open quote": b'id,name\n1,Ann\n2,"Bob\n3,Cid\n',
    "a line without end": b"id,name\n1,Ann\n" + b"x" * 3_000_000,
}
FORMS = ("csv", "ndjson", "json", "xlsx", "parquet")


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_accepted_records_come_in_every_form(client, submit, finish, content):
    job = finish(client, submit(client, content))
    assert job["state"] == "failed"
    loaded = sum(job["counts"][name] for name in ("created", "updated", "unchanged"))
    assert loaded > 0
    lines = client.get(f"/v1/jobs/{job['id']}/accepted.ndjson")
    assert (lines.status_code, len(lines.text.splitlines())) == (200, loaded)
    for form in FORMS if loaded < 1_000 else ():
        assert client.get(f"/v1/jobs/{job['id']}/accepted.{form}").status_code == 200
