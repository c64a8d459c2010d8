"""TAO at the size of its clients: a hundred thousand users, a hundred clients at once."""

from __future__ import annotations

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from waybill.testing.server import pause

USERS = 100_000
COLUMNS = (
    "user_username", "user_name", "user_password", "user_email", "user_language", "user_active",
    "user_role", "user_organizationId", "user_metadata_class",
)  # fmt: skip
FAULTS = (
    ("user_password", "password1"),
    ("user_password", ""),
    ("user_email", "no mail"),
    ("user_active", "perhaps"),
    ("user_role", "ADMIN|KING"),
    ("user_organizationId", "Nowhere"),
    ("user_organizationId", ""),
    ("user_username", ""),
)


def users():
    """The file, and of each line with a fault the column."""
    text, wrong = io.StringIO(), {}
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number in range(USERS):
        user = [
            f"user{number:06d}", f"Näme, {number}", f"Passw0rd!{number}", f"u{number}@school.test",
            "en-US", "TRUE", "CONTENT_CREATOR|GROUP_CREATOR" if number % 5 else "ADMIN",
            f"School {number % 200}", f"Class {number % 30}",
        ]  # fmt: skip
        if number % 997 == 1:
            column, value = FAULTS[number // 997 % len(FAULTS)]
            user[COLUMNS.index(column)] = value
            wrong[number + 2] = column
        writer.writerow(user)
    return text.getvalue().encode(), wrong


@pytest.fixture(scope="module")
def tao(vendors):
    return vendors


@pytest.fixture(scope="module")
def connect(tao):
    """Makes a client with connections of its own."""
    fields = {"grant_type": "client_credentials", **tao.credentials["tao"]}
    issued = httpx.post(f"{tao.url}/v1/oauth2/tokens", data=fields).json()
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    return partial(httpx.Client, base_url=tao.url, headers=headers, timeout=60)


def patiently(send):
    """The answer, asked for again as long as there are too many requests."""
    while True:
        answer = send()
        if answer.status_code != 429:
            return answer
        assert answer.json() == {"message": "Too Many Requests"}
        assert int(answer.headers["retry-after"]) >= 1
        pause(0.2)


def imported(http, content):
    """The reference, its last status, and the lines told while it was pending."""
    answer = patiently(lambda: http.post("/api/v1/upload", files={"file": ("u.csv", content)}))
    assert answer.status_code == 202, answer.text
    reference, lines = answer.json()["referenceId"], [0]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        result = patiently(lambda: http.get(f"/api/v1/status/{reference}")).json()["result"]
        assert result["fileLine"] >= lines[-1]
        if result["status"] != "pending":
            return reference, result, lines
        lines.append(result["fileLine"])
        pause(0.1)
    raise AssertionError(result)


def test_every_fault_among_a_hundred_thousand_is_told_once_at_its_line(connect):
    content, wrong = users()
    schools = "hierarchy_organizationId,hierarchy_organizationName,hierarchy_parentOrganizationId\n"
    schools += "".join(f"School {number},S,root\n" for number in range(200))
    with connect() as http:
        assert imported(http, schools.encode())[1]["status"] == "processed"
        reference, result, lines = imported(http, content)
        link = http.get(f"/api/v1/download/{reference}").json()["result"]["url"]
    assert (result["status"], result["fileLine"]) == ("failed", USERS)
    told = [message.removeprefix("Line ").split(": ")[0] for message in result["messages"]]
    assert told == [f"{line}, column {column}" for line, column in wrong.items()]
    assert any(0 < line < USERS for line in lines) or len(lines) < 5
    rows = list(csv.DictReader(io.StringIO(httpx.get(link, timeout=60).text)))
    assert [int(row["_line"]) for row in rows] == list(range(2, USERS + 2))
    rejected = {int(row["_line"]) for row in rows if row["_status"] == "rejected"}
    assert rejected == set(wrong)
    assert {row["_status"] for row in rows} == {"created", "rejected"}
    assert {row["user_password"] for row in rows} == {""}


def test_a_hundred_clients_at_once(connect):
    def one(number):
        text = (
            "group_name,group_organizationId\n"
            f"Group {number},root\nGroup {number} x,Nowhere {number}\n"
        )
        with connect() as http:
            _, result, _ = imported(http, text.encode())
        return result

    with ThreadPoolExecutor(100) as clients:
        found = list(clients.map(one, range(100)))
    place, so = "Line 3, column group_organizationId", "does not exist"
    messages = [[f"{place}: organization 'Nowhere {number}' {so}"] for number in range(100)]
    assert found == [{"status": "failed", "fileLine": 2, "messages": each} for each in messages]
