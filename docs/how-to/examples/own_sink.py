"""A sink that keeps the records of each entity in one JSON file, by key."""

import json
import os

from waybill.ports.sink import CREATED, DELETED, REFUSED, UNCHANGED, UPDATED
from waybill.sinks.ledger_sink import LedgerSink


def open_sink(settings, directory):
    return JsonSink(directory)


class JsonSink(LedgerSink):
    def write(self, job, rows):
        file = self.file(job.project, job.entity.name, staged_by=job.id if job.whole_file else "")
        live = self.file(job.project, job.entity.name)
        records = load(file if file.exists() else live)
        plain = json.loads(json.dumps(rows.to_pylist(), default=str))  # dates become text
        outcomes = bytes(put(records, job, row) for row in plain)
        with file.with_suffix(".new").open("w") as new:
            json.dump(records, new)
            new.flush()
            os.fsync(new.fileno())
        file.with_suffix(".new").replace(file)
        return outcomes

    def publish(self, job):
        staged = self.file(job.project, job.entity.name, staged_by=job.id)
        if staged.exists():
            staged.replace(self.file(job.project, job.entity.name))

    def file(self, project, entity, *, staged_by=""):
        return self.directory / f"{project}@{entity}@{staged_by}.json"


def load(file):
    return json.loads(file.read_text()) if file.exists() else {}


def put(records, job, row):
    key, action = row.get("_key", f"{job.id} {row['_record']}"), row.get("_action") or job.operation
    old = records.get(key)
    if action == "insert" if old else action in {"update", "delete"}:
        return REFUSED
    if action == "delete":
        del records[key]
        return DELETED
    if old:  # what the record lacks keeps its value
        row = {name: value for name, value in row.items() if name not in row.get("_absent", ())}
    names = [field.name for field in job.entity.fields]
    records[key] = {name: row.get(name, old and old[name]) for name in names}
    return CREATED if not old else UNCHANGED if records[key] == old else UPDATED
