"""A sink that keeps everything in one JSON file; each write replaces it as a whole."""

import fcntl
import json
import os
from collections import Counter
from contextlib import contextmanager
from copy import deepcopy

from waybill.errors import Fenced
from waybill.model.job import Counts
from waybill.ports.sink import ChunkResult, Refusal

OUTCOMES = {"C": "created", "U": "updated", "N": "unchanged", "D": "deleted", "R": "rejected"}


def open_sink(settings, directory):
    return JsonSink(directory / "own_sink.json")


class JsonSink:
    def __init__(self, path):
        self.path = path

    def begin(self, job):
        with self._attempt(job):
            pass

    def apply(self, job, chunk, rows, **_hints):
        with self._attempt(job) as (tables, mine):
            if mine["sealed"] and str(chunk) not in mine["chunks"]:
                raise Fenced(f"{job.id} is sealed")
            table = tables.setdefault(f"{job.project}/{job.entity.name}", {})
            if job.whole_file:  # nobody sees the copy before seal
                table = mine.setdefault("staged", deepcopy(table))
            if str(chunk) not in mine["chunks"]:
                mine["chunks"][str(chunk)] = [_put(table, job, row) for row in rows.to_pylist()]
        return _result(chunk, mine["chunks"])

    def seal(self, job):
        with self._attempt(job, closes=True) as (tables, mine):
            if "staged" in mine:
                tables[f"{job.project}/{job.entity.name}"] = mine.pop("staged")
        found = Counter(OUTCOMES[one] for rows in mine["chunks"].values() for _, one, _ in rows)
        return Counts(read=found.total(), **found)

    def results(self, job):
        chunks = self.load()["jobs"].get(job, {}).get("chunks", {})
        yield from (_result(chunk, chunks) for chunk in sorted(map(int, chunks)))

    def load(self):
        return (
            json.loads(self.path.read_text()) if self.path.exists() else {"jobs": {}, "tables": {}}
        )

    @contextmanager
    def _attempt(self, job, *, closes=False):
        """The tables and the job's own notes, written back when the block ends without an error."""
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self.load()
            mine = state["jobs"].setdefault(job.id, {"epoch": 0, "sealed": False, "chunks": {}})
            if job.epoch < mine["epoch"]:
                raise Fenced(f"another attempt owns {job.id}")
            mine.update(epoch=job.epoch, sealed=mine["sealed"] or closes)
            yield state["tables"], mine
            new = self.path.with_suffix(".new")
            with new.open("w") as file:
                json.dump(state, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)


def _put(table, job, row):
    """Apply one row; gives its record number, its outcome, and a code where it is refused."""
    key, action = row.get("_key", str(len(table))), row.get("_action") or job.operation
    old, record = table.get(key), row["_record"]
    if old and action == "insert":
        return record, "R", "KEY_EXISTS"
    if not old and action in {"update", "delete"}:
        return record, "R", "KEY_NOT_FOUND"
    if action == "delete":
        del table[key]
        return record, "D", None
    names = [field.name for field in job.entity.fields]
    table[key] = {name: row.get(name, old and old[name]) for name in names}
    return record, "C" if not old else "N" if table[key] == old else "U", None


def _result(chunk, chunks):
    done = chunks[str(chunk)]
    refused = [(record, code) for record, _, code in done if code]
    return ChunkResult(
        chunk=chunk,
        records=[record for record, _, _ in done],
        outcomes="".join(outcome for _, outcome, _ in done).encode(),
        refusals=tuple(
            Refusal(record=record, code=code, field=None, message=code) for record, code in refused
        ),
    )
