"""Trax at the size of its clients: a hundred thousand stores, a hundred clients at once."""

from __future__ import annotations

import csv
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from waybill.testing.server import pause

STORES = 100_000
WRONG = "incorrect value : "
FAULTS = {
    "missing": ("store_name", None, "missing mandatory field : 'store_name'"),
    "typed": ("latitude", "9 N", WRONG + "'latitude' - expected Number received String"),
    "long": (
        "region_name", "R" * 46, WRONG + "'region_name' - expected String(45) received String(46)",
    ),
    "beyond": ("longitude", 181, WRONG + "'longitude' - expected at most 180 received '181'"),
}  # fmt: skip


def stores():
    """The records, and of those with a fault the message by identifier."""
    made, wrong = [], {}
    for number in range(STORES):
        identifier = f"S{number:06d}"
        store = {
            "store_number": identifier, "store_name": f"Store {number}", "region_name": "North",
            "street": f"Street {number % 997}", "city": "Città", "latitude": number % 90,
            "longitude": -(number % 180), "is_active": number % 2 == 0,
        }  # fmt: skip
        if number % 997 == 1:
            name, value, message = list(FAULTS.values())[number % len(FAULTS)]
            store[name] = value
            wrong[identifier] = message
        made.append(store)
    return made, wrong


def as_csv(made):
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(made[0]))
    writer.writeheader()
    writer.writerows(made)
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def trax(vendors):
    return vendors


@pytest.fixture
def connect(trax):
    """Makes a client with connections of its own."""
    token = trax.credentials["trax"]["token"]
    headers = {"Authorization": f"Auth-Token {token}"}
    return partial(httpx.Client, base_url=trax.url, headers=headers, timeout=60)


@pytest.fixture
def http(connect):
    with connect() as client:
        yield client


def patiently(send):
    """The answer, asked for again as long as there are too many requests."""
    while True:
        answer = send()
        if answer.status_code != 429:
            return answer
        assert answer.json() == {"description": "Too Many Requests"}
        assert int(answer.headers["retry-after"]) >= 1
        pause(0.2)


def finished(http, content, file_format, entity_type="stores"):
    answer = patiently(
        lambda: http.post(
            "/api/v5/demo/async-job",
            data={"entity_type": entity_type, "file_format": file_format},
            files={"file": (f"{entity_type}.{file_format}", content)},
        )
    )
    assert answer.status_code == 202, answer.text
    address = f"/api/v5/demo/async-job/status/{answer.json()['id']}"
    effected = rejected = 0
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        status = patiently(lambda: http.get(address)).json()
        assert status["number_of_effected_items"] >= effected
        assert status["number_of_rejected_items"] >= rejected
        effected, rejected = (status[f"number_of_{n}_items"] for n in ("effected", "rejected"))
        if status["complete_time"]:
            return status
        pause(0.1)
    raise AssertionError(status)


def stored(http):
    page = http.get("/api/v5/demo/entity/store", params={"per_page": 1}).json()
    return page["metadata"]["total_count"]


def test_every_fault_among_a_hundred_thousand_is_found_and_no_other(http):
    made, wrong = stores()
    before = stored(http)
    for file_format, content in (("json", json.dumps(made).encode()), ("csv", as_csv(made))):
        status = finished(http, content, file_format)
        assert (status["status"], status["number_of_job_items"]) == ("done", STORES)
        assert status["number_of_rejected_items"] == len(wrong)
        assert status["number_of_effected_items"] == STORES - len(wrong)
        report = httpx.get(status["rejection_details_url"], timeout=60).json()
        assert {each["store_number"]: each["errors"] for each in report} == {
            identifier: [message] for identifier, message in wrong.items()
        }
    assert stored(http) - before == STORES - len(wrong)


def routes():
    """Routes of five stores each, and of those with a fault the message by identifier."""
    made, wrong = [], {}
    for number in range(STORES):
        served = [f"R{(number * 5 + step) % (STORES // 10):06d}" for step in range(5)]
        route = {"external_route_id": number, "name": f"Route {number}", "stores": served}
        if number % 997 == 2:
            served[number % 5] = f"T{number}"
            wrong[number] = f"incorrect value : 'stores' - 'T{number}' does not exist"
        elif number % 997 == 3:
            route["name"] = ""
            wrong[number] = "missing mandatory field : 'name'"
        made.append(route)
    return made, wrong


def test_every_fault_among_a_hundred_thousand_routes_is_found_and_no_other(http):
    names = ("store_name", "region_name", "street", "city")
    known = [
        {"store_number": f"R{n:06d}", **dict.fromkeys(names, "x")} for n in range(STORES // 10)
    ]
    content = json.dumps(known)
    assert finished(http, content.encode(), "json")["number_of_rejected_items"] == 0
    made, wrong = routes()
    status = finished(http, json.dumps(made).encode(), "json", "routes")
    counts = (status["number_of_effected_items"], status["number_of_rejected_items"])
    assert counts == (STORES - len(wrong), len(wrong))
    report = httpx.get(status["rejection_details_url"], timeout=60).json()
    assert {each["external_route_id"]: each["errors"] for each in report} == {
        identifier: [message] for identifier, message in wrong.items()
    }


def test_a_hundred_clients_at_once(connect):
    def one(number):
        store = {
            "store_number": f"C{number}", "store_name": "N", "region_name": "R", "street": "S",
            "city": "C",
        }  # fmt: skip
        bad = {**store, "store_number": f"B{number}", "city": ""}
        with connect() as http:
            status = finished(http, json.dumps([store, bad]).encode(), "json")
        return status["number_of_effected_items"], status["number_of_rejected_items"]

    with ThreadPoolExecutor(100) as clients:
        assert list(clients.map(one, range(100))) == [(1, 1)] * 100
