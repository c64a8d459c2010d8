"""Trax as its clients speak it, by curl and by hand, against a real server."""

from __future__ import annotations

import gzip
import io
import json
import socket
import subprocess
import time
from urllib.parse import urljoin

import httpx
import pytest
from python_calamine import CalamineWorkbook

from waybill.testing.server import pause
from workbooks import table

GOOD = {"store_number": "7", "store_name": "N", "region_name": "R", "street": "S", "city": "C"}
SEED_REPORT = [
    {"store_number": 136, "errors": ["missing mandatory field : 'store_name'"]},
    {
        "store_number": 15656,
        "errors": ["incorrect value : 'latitude' - expected Number received String"],
    },
]
FAULTY = [
    {name: value for name, value in {**GOOD, "store_number": 136}.items() if name != "store_name"},
    {**GOOD, "store_number": 15656, "latitude": "59.9"},
]
FIELDS = {
    "entity_type": str, "file_name": str, "input_file_url": str, "number_of_job_items": int,
    "action": str, "mode": str, "user_name": str, "source": str, "import_mode": str,
    "project": str, "parsed_file_url": str, "status": str, "creation_time": str, "tries": int,
    "failure_reason": str | None, "complete_time": str | None, "number_of_effected_items": int,
    "number_of_rejected_items": int, "rejection_details_url": str,
    "rejection_details_xlsx_url": str,
}  # fmt: skip


@pytest.fixture(scope="module")
def trax(vendors):
    return vendors


@pytest.fixture
def token(trax):
    return trax.credentials["trax"]["token"]


@pytest.fixture
def http(trax, token):
    with httpx.Client(
        base_url=trax.url, headers={"Authorization": f"Auth-Token {token}"}, timeout=60
    ) as client:
        yield client


def send(http, content, entity_type="stores", file_format="json", version="v4", **more):
    data = {"entity_type": entity_type, "file_format": file_format, **more}
    return http.post(
        f"/api/{version}/demo/async-job",
        params={"uploadType": "multipart"},
        data=data,
        files={"file": ("f." + file_format, content, "application/gzip")},
    )


def finished(http, answer):
    assert answer.status_code == 202, answer.text
    location = answer.headers["location"]
    assert location == f"{answer.url.path[5:]}/status/{answer.json()['id']}"
    deadline = time.monotonic() + 60
    seen = set()
    while time.monotonic() < deadline:
        status = http.get(f"/api/{location}").json()
        seen.add(status["status"])
        assert seen <= {"queued", "in progress", "done", "failed"}
        if status["complete_time"]:
            return status
        pause()
    raise AssertionError(status)


def records(entities):
    return json.dumps(entities).encode()


def test_the_request_of_the_page_by_curl(trax, token, tmp_path):
    (tmp_path / "my_file.json").write_bytes(records(FAULTY))
    subprocess.run(["gzip", "-k", "my_file.json"], cwd=tmp_path, check=True)
    url = f"{trax.url}/api/v4/demo/async-job?uploadType=multipart"
    form = ["-F", "entity_type=stores", "-F", "file_format=json"]
    form += ["-F", "file=@my_file.json.gz;type=application/gzip;filename="]
    authorization = ["-H", f"Authorization: Auth-Token {token}"]
    command = ["curl", "-s", "-i", "-X", "POST", url, *authorization, *form]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    head, _, body = done.stdout.replace("\r", "").partition("\n\n")
    job_id = json.loads(body)["id"]
    assert head.startswith("HTTP/1.1 202 Accepted")
    assert f"location: v4/demo/async-job/status/{job_id}" in head.lower().splitlines()
    status_url = f"{trax.url}/api/v4/demo/async-job/status/{job_id}"
    deadline, status = time.monotonic() + 60, {}
    while status.get("status") not in {"done", "failed"} and time.monotonic() < deadline:
        polled = ["curl", "-s", status_url, *authorization]
        status = json.loads(subprocess.run(polled, check=True, capture_output=True).stdout)
    assert (status["status"], status["file_name"]) == ("done", f"{job_id}.json")
    fetched = subprocess.run(
        ["curl", "-s", status["rejection_details_url"]], check=True, capture_output=True
    )
    assert json.loads(fetched.stdout) == SEED_REPORT


def test_the_request_byte_for_byte(trax, token):
    body = (
        b'--[YOUR_CUSTOM_BOUNDARY]\r\nContent-Disposition: form-data; name="entity_type"\r\n\r\n'
        b'stores\r\n--[YOUR_CUSTOM_BOUNDARY]\r\nContent-Disposition: form-data; name="file_format"'
        b"\r\n\r\njson\r\n--[YOUR_CUSTOM_BOUNDARY]\r\nContent-Disposition: form-data; "
        b'name="file"; filename=""\r\nContent-Type: application/gzip\r\n\r\n'
        + gzip.compress(records([GOOD]))
        + b"\r\n--[YOUR_CUSTOM_BOUNDARY]--\r\n"
    )
    answer = httpx.post(
        f"{trax.url}/api/v4/demo/async-job?uploadType=multipart",
        content=body,
        headers={
            "Authorization": f"Auth-Token {token}",
            "Content-Type": "multipart/form-data; boundary=[YOUR_CUSTOM_BOUNDARY]",
        },
    )
    assert answer.status_code == 202, answer.text


def test_the_status_has_every_field_and_the_reports_need_no_token(http):
    answer = send(http, records([*FAULTY, GOOD]))
    status = finished(http, answer)
    assert list(status) == list(FIELDS)
    for name, kind in FIELDS.items():
        assert isinstance(status[name], kind), name
    assert (status["entity_type"], status["project"], status["tries"]) == ("store", "demo", 1)
    counts = ("number_of_job_items", "number_of_effected_items", "number_of_rejected_items")
    assert [status[name] for name in counts] == [3, 1, 2]
    report = httpx.get(status["rejection_details_url"])
    assert report.headers["content-type"] == "application/json; charset=utf-8"
    assert report.json() == SEED_REPORT
    workbook = httpx.get(status["rejection_details_xlsx_url"])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(workbook.content))
    assert sheet.sheet_names == ["errors"]
    rows = sheet.get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows] == ["store_number", 136, 15656]
    assert httpx.get(status["input_file_url"]).content == records([*FAULTY, GOOD])
    resolved = urljoin(str(answer.url), answer.headers["location"])
    for path in (resolved, f"/{answer.headers['location']}"):
        assert http.get(path).json()["status"] == "done"


def test_a_record_keeps_what_it_lacks_and_clears_what_is_empty(http):
    first = {**GOOD, "store_number": "k1", "manager_email": "m@x.example", "branch_name": "B"}
    finished(http, send(http, records([first])))
    second = {**GOOD, "store_number": "k1", "branch_name": None, "is_deleted": True}
    status = finished(http, send(http, records([second, {**GOOD, "branch_name": "Z"}])))
    assert status["number_of_effected_items"] == 2
    page = http.get("/api/v4/demo/entity/store", params={"sort": "store_number"}).json()
    [stored] = [each for each in page["store"] if each["store_number"] == "k1"]
    assert (stored["manager_email"], stored["branch_name"]) == ("m@x.example", None)
    assert stored["is_deleted"] is True


@pytest.mark.parametrize(
    ("file_format", "content"),
    [
        ("json", records({"stores": [{**GOOD, "store_number": 901}]})),
        ("csv", b"Store Number,Store Name,Region,Street,City\n901,N,R,S,C\n"),
        ("csv", b"store_number;store_name;region_name;street;city\n901;N;R;S;C\n"),
        ("xlsx", table([["Store Number", "Store Name", "Region", "Street", "City"],
                        [901, "N", "R", "S", "C"]])),
        (".Excel", table([[*GOOD], [901, "N", "R", "S", "C"]])),
    ],
)  # fmt: skip
def test_one_store_in_every_form(http, file_format, content):
    status = finished(http, send(http, content, "STORE", file_format))
    assert (status["status"], status["number_of_effected_items"]) == ("done", 1), status
    page = http.get("/api/v4/demo/entity/store", params={"per_page": 1000}).json()
    assert "901" in {each["store_number"] for each in page["store"]}


def test_users_of_both_families_and_their_reads(http):
    text = b"Username;First Name;Roles\nu1;Ann;a,b\nu2;Bob;\n"
    assert finished(http, send(http, text, "user", "csv", "v6"))["number_of_effected_items"] == 2
    users = {each["username"]: each for each in http.get("/api/v6/demo/entity/user").json()}
    assert (users["u1"]["status"], users["u2"]["status"]) == ("ACTIVE", "INACTIVE")
    assert users["u1"]["roles"] == ["a", "b"]
    login = records([{"login_name": "l1", "email_address": "x@x.example", "is_deleted": False}])
    assert finished(http, send(http, login, "users"))["number_of_effected_items"] == 1
    page = http.get("/api/v4/demo/entity/user").json()
    assert "l1" in [each["login_name"] for each in page["user"]]


def test_a_user_of_version_six_is_cleared_of_what_the_file_lacks(http):
    whole = {"username": "z1", "roles": ["A"], "first_name": "F", "attribute_1": "one"}
    finished(http, send(http, records([whole]), "user", version="v6"))
    for file_format, content in (
        ("json", records([{"username": "z1", "roles": ["A"]}])),
        ("csv", b"username;roles\nz1;A\n"),
    ):
        finished(http, send(http, records([whole]), "user", version="v6"))
        status = finished(http, send(http, content, "user", file_format, "v6"))
        assert status["number_of_effected_items"] == 1
        users = {each["username"]: each for each in http.get("/api/v6/demo/entity/user").json()}
        assert (users["z1"]["fullName"], users["z1"]["additionalAttribute1"]) == ("", None)
        assert users["z1"]["status"] == "ACTIVE"


def test_texts_that_read_like_json_stay_texts_and_links_stay_out_of_the_log(trax, http):
    odd = {**GOOD, "store_number": "[9]", "store_name": "[1,2]", "street": '{"a":1}'}
    status = finished(http, send(http, records([odd, {**GOOD, "city": None}])))
    page = http.get("/api/v4/demo/entity/store", params={"per_page": 1000}).json()
    [stored] = [each for each in page["store"] if each["store_number"] == "[9]"]
    assert (stored["store_name"], stored["street"]) == ("[1,2]", '{"a":1}')
    link = status["rejection_details_url"].split("/files/trax/")[1].split("/")[0]
    assert httpx.get(status["rejection_details_url"]).status_code == 200
    log = (trax.directory / "serve.log").read_text(encoding="utf-8")
    assert "/files/trax/********/" in log
    assert link not in log


def test_a_route_needs_its_stores_and_keeps_its_lists(http):
    finished(http, send(http, records([{**GOOD, "store_number": n} for n in (100, 200)])))
    route = {"external_route_id": 1, "name": "R1", "stores": [100, 200], "cycles": [{"a": 1}]}
    bad = {"external_route_id": 2, "name": "R2", "entities": {"stores": [100, 999]}}
    status = finished(http, send(http, records([route, bad]), "routes"))
    assert status["number_of_rejected_items"] == 1
    report = httpx.get(status["rejection_details_url"]).json()
    assert report[0]["external_route_id"] == 2
    assert "999" in report[0]["errors"][0]
    assert "does not exist" in report[0]["errors"][0]
    finished(http, send(http, records([{"external_route_id": 1, "name": "R1b"}]), "routes"))
    routes = http.get("/api/v4/demo/entity/route").json()["route"]
    [stored] = [each for each in routes if each["external_route_id"] == "1"]
    assert stored["name"] == "R1b"
    assert [str(each) for each in stored["entities"]["stores"]] == ["100", "200"]


def test_pages_count_as_documented(http):
    many = [{**GOOD, "store_number": f"p{number:03d}"} for number in range(25)]
    finished(http, send(http, records(many)))
    page = http.get("/api/v4/demo/entity/store", params={"per_page": 10, "page": 1}).json()
    metadata = page["metadata"]
    assert (metadata["page"], metadata["per_page"], len(page["store"])) == (2, 10, 10)
    assert metadata["page_count"] == -(-metadata["total_count"] // 10)
    assert "page=0" in metadata["links"]["previous"]
    assert "page=2" in metadata["links"]["next"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        gzip.compress(b"", mtime=0),
        b"[]",
        b" \n",
        b"\xef\xbb\xbf",
        gzip.compress(b"[ ]", mtime=0),
    ],
)
def test_a_file_without_records_is_refused(http, content):
    answer = send(http, content)
    assert (answer.status_code, answer.json()) == (400, {"description": "Received file is empty"})


def test_what_cannot_be_read_fails_and_what_is_missing_everywhere_is_told(http):
    status = finished(http, send(http, b'[{"store_number": 1}', "stores"))
    assert status["status"] == "failed"
    assert status["failure_reason"].startswith("The ")
    status = finished(http, send(http, records([{"store_number": 1}])))
    assert (status["status"], status["number_of_rejected_items"]) == ("done", 1)
    errors = httpx.get(status["rejection_details_url"]).json()[0]["errors"]
    names = ("store_name", "region_name", "street", "city")
    assert errors == [f"missing mandatory field : '{name}'" for name in names]


ERRORS = [
    ("GET", "/api/v4/demo/async-job/status/1", {"Authorization": ""}, 401,
     {"description": "missing Authorization:Auth-Token header value"}),
    ("GET", "/api/v4/demo/async-job/status/1", {"Authorization": "auth-token  nope"}, 401,
     {"description": "the API key is invalid"}),
    ("GET", "/api/v4/demo/async-job/status/1", {"Authorization": "Bearer x"}, 400,
     {"error_description": "invalid token"}),
    ("GET", "/api/v4/other/async-job/status/1", {}, 403,
     {"description": "A forbidden resource has been requested async-job"}),
    ("GET", "/api/v4/other/entity/store", {}, 403,
     {"description": "A forbidden resource has been requested entity"}),
    ("GET", "/api/v4/demo/async-job/status/1", {}, 404,
     {"statusCode": 404, "message": "Not Found"}),
    ("GET", "/api/x4/demo/async-job/status/1", {}, 404,
     {"statusCode": 404, "message": "Not Found"}),
    ("GET", "/api/v4/demo/entity/shop", {}, 404, {"statusCode": 404, "message": "Not Found"}),
    ("DELETE", "/api/v4/demo/async-job", {}, 405, {"description": "Method Not Allowed"}),
    ("GET", "/files/trax/forged/x", {}, 404, {"statusCode": 404, "message": "Not Found"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "headers", "status", "body"), ERRORS)
def test_every_refusal_is_in_the_words_of_trax(http, method, path, headers, status, body):
    answer = http.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["content-type"] == "application/json"


def test_a_row_of_another_length_is_told(http):
    content = b"store_number,store_name,region_name,street,city\n1,N,R,S,C\n2,N,R\n"
    status = finished(http, send(http, content, file_format="csv"))
    [report] = httpx.get(status["rejection_details_url"]).json()
    assert report["errors"] == ["incorrect row : expected 5 fields received 3"]


@pytest.mark.parametrize(
    "form",
    [
        {"data": {"entity_type": "stores"}, "files": {"file": b"[]"}},
        {"data": {"entity_type": "shops", "file_format": "json"}, "files": {"file": b"[]"}},
        {"data": {"entity_type": "stores", "file_format": "pdf"}, "files": {"file": b"[]"}},
        {"data": {"entity_type": "stores", "file_format": "json"}},
        {"content": b"{}", "headers": {"Content-Type": "application/json"}},
    ],
)
def test_what_cannot_be_parsed_says_so(http, form):
    answer = http.post("/api/v4/demo/async-job", **form)
    assert (answer.status_code, answer.json()["description"]) == (400, "Error Parsing Request")
    assert answer.json()["details"]


def test_a_job_of_the_native_api_is_none_of_these(trax, http):
    with trax.client() as native:
        answer = native.post("/v1/jobs", params={"entity": "trax_store"}, content=records([GOOD]),
                             headers={"Content-Type": "application/json"})  # fmt: skip
    job = answer.json()["id"]
    assert http.get(f"/api/v4/demo/async-job/status/{job}").status_code == 404


def test_one_record_by_itself_is_a_file_too(http):
    one = {**GOOD, "store_number": "alone"}
    for content in (json.dumps(one), json.dumps(one, indent=2)):
        status = finished(http, send(http, content.encode()))
        counts = (status["number_of_job_items"], status["number_of_effected_items"])
        assert (status["status"], counts) == ("done", (1, 1)), status
    route = {"stores": [100], "external_route_id": "alone", "name": "R"}
    finished(http, send(http, records([{**GOOD, "store_number": 100}])))
    status = finished(http, send(http, json.dumps(route).encode(), "routes"))
    assert status["number_of_effected_items"] == 1


def test_an_empty_value_clears_whatever_its_type(http):
    first = {**GOOD, "store_number": "e1", "latitude": 1.5, "is_active": True}
    finished(http, send(http, records([first])))
    second = {**GOOD, "store_number": "e1", "latitude": "", "is_active": ""}
    assert finished(http, send(http, records([second])))["number_of_effected_items"] == 1
    page = http.get("/api/v4/demo/entity/store", params={"per_page": 1000}).json()
    [stored] = [each for each in page["store"] if each["store_number"] == "e1"]
    assert (stored["latitude"], stored["is_active"]) == (None, None)


def test_the_roles_of_a_user_may_be_empty_but_not_missing(http):
    missing = [{"username": "q1", "errors": ["missing mandatory field : 'roles'"]}]
    for file_format, content in (
        ("json", records([{"username": "q1"}, {"username": "q2", "roles": []}])),
        ("csv", b"username\nq1\n"),
    ):
        status = finished(http, send(http, content, "user", file_format, "v6"))
        assert httpx.get(status["rejection_details_url"]).json() == missing
    assert status["number_of_effected_items"] == 0
    users = {each["username"]: each for each in http.get("/api/v6/demo/entity/user").json()}
    assert users["q2"]["status"] == "INACTIVE"


def test_a_route_needs_its_logins_of_either_family(http):
    finished(http, send(http, records([{"login_name": "10"}]), "user"))
    finished(http, send(http, records([{"username": "u20", "roles": ["a"]}]), "user", version="v6"))
    route = {"external_route_id": 7, "name": "R", "users": [10, "u20"]}
    bad = {**route, "external_route_id": 8, "users": [10, "nobody"]}
    status = finished(http, send(http, records([route, bad]), "routes"))
    assert status["number_of_effected_items"] == 1
    assert httpx.get(status["rejection_details_url"]).json() == [
        {"external_route_id": 8, "errors": ["incorrect value : 'users' - 'nobody' does not exist"]}
    ]
    text = b'External Route Id,Name,Users\n9,R,"10 , u20"\n'
    assert finished(http, send(http, text, "routes", "csv"))["number_of_effected_items"] == 1


@pytest.mark.parametrize(
    ("entity_type", "version", "header"),
    [
        ("user", "v6", b"username;roles;first_name"),
        ("user", "v6", b"username,roles,first_name"),
        ("stores", "v5", b"store_number;store_name;region_name;street;city"),
        ("stores", "v5", b"store_number\tstore_name\tregion_name\tstreet\tcity"),
        ("stores", "v5", b"store_number,store_name;,region_name;,street;,city"),
    ],
)
def test_what_parts_cells_is_the_default_or_what_the_header_has_instead(
    http, entity_type, version, header
):
    row = header.translate(bytes(byte if byte in b",;\t" else ord("x") for byte in range(256)))
    status = finished(http, send(http, header + b"\n" + row, entity_type, "csv", version))
    expected = b";," not in header
    assert (status["number_of_effected_items"] == 1) is expected, status


def test_users_of_version_six_sort_by_the_names_they_are_shown_under(http):
    users = [
        {"username": f"s{n}", "roles": ["a"], "authentication_login": f"z{9 - n}"} for n in range(3)
    ]
    finished(http, send(http, records(users), "user", version="v6"))
    answer = http.get("/api/v6/demo/entity/user", params={"sort": "email"}).json()
    shown = [each["email"] for each in answer if each["username"] in {"s0", "s1", "s2"}]
    assert shown == ["z7", "z8", "z9"]


def test_what_failed_a_file_is_told_without_options_of_ours(http):
    broken = b"store_number,store_name,store_name\n1,a,b\n"
    status = finished(http, send(http, broken, file_format="csv"))
    assert status["failure_reason"] == (
        "The column 'store_name' stands in the header at columns 2 and 3"
    )


def test_a_project_has_a_hundred_and_fifty_requests_a_second(trax):
    """Sent all at once by two credentials, neither of which reaches its own limit."""
    folder = str(trax.directory)
    trax.run("project", "add", folder, "busy")
    add = ("credential", "add", folder, "--project", "busy", "--dialect", "trax", "--json")
    tokens = [json.loads(trax.run(*add).stdout)["token"] for _ in range(2)]
    request = (
        "GET /api/v4/busy/async-job/status/1 HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Auth-Token {}\r\n\r\n"
    )
    pair = [request.format(token) for token in tokens]
    answers = b""
    with socket.create_connection(("127.0.0.1", trax.port)) as connection:
        connection.settimeout(30)
        connection.sendall("".join(pair * 200).encode())
        while answers.count(b"HTTP/1.1 ") < 400 or not answers.endswith(b"}"):
            answers += connection.recv(65_536)
    refused = answers.count(b"HTTP/1.1 429")
    assert answers.count(b"HTTP/1.1 404") + refused == 400
    assert refused >= 100  # in two windows at the most
    assert answers.count(b'{"description":"Too Many Requests"}') == refused
    assert answers.lower().count(b"retry-after: 1") == refused


def rejected(http, entities, entity_type="stores", version="v4"):
    """The report in JSON, and the rows of the workbook."""
    status = finished(http, send(http, records(entities), entity_type, version=version))
    report = httpx.get(status["rejection_details_url"]).json()
    workbook = httpx.get(status["rejection_details_xlsx_url"])
    assert workbook.status_code == 200, workbook.text
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(workbook.content)).get_sheet_by_index(0)
    return report, sheet.to_python()[1:]


def test_a_workbook_shows_whatever_was_rejected(http):
    odd = ["a\x0bb", "\x01", "\ufffe", "x" * 100, "=A", "+5", "'q", 136]
    stores = [{**GOOD, "store_number": each, "city": ""} for each in odd]
    report, rows = rejected(http, stores)
    assert [each["store_number"] for each in report] == odd
    shown = ["a\\u000bb", "\\u0001", "\\ufffe", "x" * 100, "=A", "+5", "'q", 136]
    assert [row[0] for row in rows] == shown
    report, rows = rejected(http, [{**GOOD, "store_number": "y" * 40_000}])
    assert rows[0][0] == "y" * 32_766 + "…"


def test_links_stay_out_of_the_log_whatever_is_done_with_them(trax, http):
    status = finished(http, send(http, records([{**GOOD, "city": ""}])))
    url = status["rejection_details_url"]
    link = url.split("/")[-2]
    for method, path in (("OPTIONS", url), ("POST", url), ("GET", f"{url}/x/y"),
                         ("GET", url.rsplit("/", 1)[0])):  # fmt: skip
        assert httpx.request(method, path).status_code in (404, 405)
    log = (trax.directory / "serve.log").read_text(encoding="utf-8")
    assert "OPTIONS" in log
    assert link.split(".")[2] not in log


def test_records_of_a_file_may_call_a_field_by_different_names(http):
    one = {"username": "n1", "roles": ["a"], "attribute_1": "x"}
    two = {"username": "n2", "roles": ["a"], "additionalAttribute1": "y"}
    both = {**one, "username": "n3", "additionalAttribute1": "z"}
    report, _ = rejected(http, [one, two, both], "user", "v6")
    assert report == [
        {"username": "n3", "errors": ["incorrect row : a member of the record stands twice"]}
    ]
    users = {each["username"]: each for each in http.get("/api/v6/demo/entity/user").json()}
    assert [users[name]["additionalAttribute1"] for name in ("n1", "n2")] == ["x", "y"]


@pytest.mark.parametrize(
    ("entity_type", "file"),
    [
        ("user", {"login_name": "w1", "stores": ["100"], "routes": ["1"]}),
        ("user", {"stores": [], "login_name": "w2"}),
        ("stores", {"photos": [{"url": "x"}], **GOOD, "store_number": "w3"}),
        ("stores", {"tags": [{"a": 1}], "notes": [{"b": 1}], **GOOD, "store_number": "w4"}),
        ("routes", {"cycles": [{"from": "2020"}], "external_route_id": "w5", "name": "x"}),
        ("stores", {"errors": [], "stores": [{**GOOD, "store_number": "w6"}], "more": [{}]}),
        ("stores", {"total": 1, "store": [{**GOOD, "store_number": "w7"}]}),
    ],
)
def test_a_record_and_a_wrapper_are_told_apart_whatever_comes_first(http, entity_type, file):
    status = finished(http, send(http, json.dumps(file).encode(), entity_type))
    counts = (status["number_of_job_items"], status["number_of_effected_items"])
    assert (status["status"], counts) == ("done", (1, 1)), status


MESSAGES = [
    ("user", {"username": "x1", "roles": ["a", 5]},
     "incorrect value : 'roles' - '[\"a\", 5]' has an item that is no JSON string"),
    ("user", {"username": "x1", "roles": ["a,b"]},
     "incorrect value : 'roles' - '[\"a,b\"]' has an item {*}"),
    ("stores", {**GOOD, "latitude": "59.9"},
     "incorrect value : 'latitude' - expected Number received String"),
    ("stores", {**GOOD, "store_name": "a\u0000b"},
     "incorrect value : 'store_name' - the value holds a NUL character"),
    ("user", {"login_name": "l10", "entities": []},
     "incorrect value : 'entities' - expected Object received Array"),
    ("routes", {"external_route_id": 7, "name": "x", "entities": 5},
     "incorrect value : 'entities' - expected Object received Number"),
]  # fmt: skip


@pytest.mark.parametrize(("entity_type", "record", "message"), MESSAGES)
def test_a_message_names_the_field_and_does_not_contradict_itself(
    http, entity_type, record, message
):
    version = "v6" if "username" in record else "v4"
    [report], _ = rejected(http, [record], entity_type, version)
    identifier, errors = report.items()
    assert identifier[1] == record[identifier[0]]
    begin, _, _ = message.partition("{*}")
    assert len(errors[1]) == 1
    assert errors[1][0].startswith(begin)
    assert errors[1][0] == begin or "{*}" in message


def test_a_number_beyond_all_bounds_is_told_with_the_bound(http):
    text = b'[{"store_number":"b1","store_name":"n","region_name":"r","street":"s","city":"c",'
    status = finished(http, send(http, text + b'"latitude": 1e400}]'))
    [report] = httpx.get(status["rejection_details_url"]).json()
    assert report["errors"] == [
        "incorrect value : 'latitude' - expected at most 90 received '1e400'"
    ]


def test_every_missing_store_of_a_route_is_told(http):
    finished(http, send(http, records([{**GOOD, "store_number": "100"}])))
    route = {"external_route_id": "m", "name": "x", "stores": ["100", "no1", "no2", "no1"]}
    [report], _ = rejected(http, [route], "routes")
    assert report["errors"] == [
        f"incorrect value : 'stores' - '{name}' does not exist" for name in ("no1", "no2")
    ]


def test_a_whole_number_is_one_identifier_however_it_is_written(http):
    text = records([{**GOOD, "store_number": 7136}]).replace(b"7136", b"7136.0")
    finished(http, send(http, text))
    finished(http, send(http, records([{**GOOD, "store_number": "7136", "city": "D"}])))
    page = http.get("/api/v4/demo/entity/store", params={"per_page": 1000}).json()
    stored = [each for each in page["store"] if each["store_number"].startswith("7136")]
    assert [(each["store_number"], each["city"]) for each in stored] == [("7136", "D")]


@pytest.mark.parametrize(
    "broken", [b'[{"store_number": 1},\n{"store_number": }]', b'[{"store_number": 1},\n]',
               b'[{"store_number": 1}\n{"store_number": 2}]']
)  # fmt: skip
def test_broken_json_fails_the_file(http, broken):
    status = finished(http, send(http, broken))
    assert status["status"] == "failed"
    assert status["failure_reason"].startswith("The file is not valid JSON: line ")
    assert status["number_of_effected_items"] == 0


def test_an_input_is_found_under_any_name(http):
    for name in ("../../etc/p w.json", "..", "a\\b.json", "ü?#.json"):
        data = {"entity_type": "stores", "file_format": "json"}
        answer = http.post(
            "/api/v4/demo/async-job", data=data, files={"file": (name, records([GOOD]))}
        )
        status = http.get(f"/api/v4/demo/async-job/status/{answer.json()['id']}").json()
        assert httpx.get(status["input_file_url"]).content == records([GOOD]), name


def test_what_no_record_is_sorted_by_is_ignored(http):
    for sort in ("store_additional_attributes", "-store_number", "nothing"):
        page = http.get("/api/v4/demo/entity/store", params={"sort": sort, "per_page": 1000})
        plain = http.get("/api/v4/demo/entity/store", params={"per_page": 1000})
        assert page.json()["store"] == plain.json()["store"]
