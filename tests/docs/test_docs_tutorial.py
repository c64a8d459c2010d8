"""The tutorial works as it is written: its own blocks, a real server, the real command line."""

from __future__ import annotations

import csv
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "first-import.md"
WAYBILL = str(Path(sys.executable).with_name("waybill"))


class Reader:
    """Somebody who follows the tutorial in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = dict(os.environ)

    def waybill(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [WAYBILL, *words],
            cwd=self.folder,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def records(self) -> list[dict[str, object]]:
        answer = httpx.get(
            self.environment["WAYBILL_URL"] + "/v1/entities/products/records",
            headers={"Authorization": f"Bearer {self.environment['WAYBILL_TOKEN']}"},
        )
        return list(answer.raise_for_status().json()["records"])


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path)
    made = json.loads(reader.waybill("init", "shop", "--json").stdout)
    (tmp_path / "shop/entities/products.json").write_text(block("json entity=products"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    reader.environment["WAYBILL_TOKEN"] = made["credentials"]["waybill"]["token"]
    reader.environment["WAYBILL_URL"] = f"http://127.0.0.1:{port}"
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [WAYBILL, "serve", "shop", "--port", str(port)], cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        wait_until_ready(server, reader.environment["WAYBILL_URL"])
        yield reader
    finally:
        server.terminate()
        server.wait(20)


def wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 20
    while not is_ready(address):
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server is not ready"
        time.sleep(0.1)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz/ready").status_code == 200
    except httpx.TransportError:
        return False


def mend(file: Path) -> None:
    """What the tutorial tells the reader to correct."""
    text = file.read_bytes().decode()
    rows = list(csv.reader(text.splitlines()))
    mended = {"1.200,00": "1200.00", "ab-1003": "AB-1003", "31/12/2026": "2026-12-31"}
    changed = [[mended.get(cell, cell) for cell in row[:4]] + row[4:] for row in rows]
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(changed)


def test_the_tutorial_ends_with_all_four_records_loaded(reader: Reader) -> None:
    (reader.folder / "products.csv").write_text(block("csv"), encoding="utf-8")
    first = reader.waybill("submit", "products.csv", "--entity", "products", "--watch", "--json")
    assert first.returncode == 3, first.stderr
    job = json.loads(first.stdout)
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (1, 3)

    saved = reader.waybill("rejections", job["id"], "--format", "csv", "--output", "rejections.csv")
    assert saved.returncode == 0, saved.stderr
    mend(reader.folder / "rejections.csv")

    second = reader.waybill("submit", "rejections.csv", "--entity", "products", "--watch")
    assert second.returncode == 0, second.stdout + second.stderr
    assert [record["sku"] for record in reader.records()] == [
        "AB-1001",
        "AB-1002",
        "AB-1003",
        "AB-1004",
    ]


def test_the_tutorial_file_can_be_checked_without_a_server(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(block("csv"), encoding="utf-8")
    (tmp_path / "products.json").write_text(block("json entity=products"), encoding="utf-8")
    checked = Reader(tmp_path).waybill("check", "products.csv", "--schema", "products.json")
    assert checked.returncode == 3, checked.stderr
    assert "AB-" in checked.stdout or "ab-1003" in checked.stdout
