"""TAO as its clients speak it, by the vendor's own command lines and by hand, on a real server."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from waybill.bootstrap.embedded import read_signing_key
from waybill.settings import DataDirectory
from waybill.signing import JwtSigner
from waybill.system import SystemClock
from waybill.testing.server import pause

NOT_FOUND = {"message": "Reference ID not found. File not found in pending bucket."}
RULE = (
    "password must have at least 8 characters, an upper-case letter, a lower-case letter and a "
    "special character"
)
TOKENS = ("/api/v1/upload/v1/oauth2/tokens", "/api/v1/oauth2/tokens", "/v1/oauth2/tokens")
UPLOADS = ("/api/v1/upload/api/v1/upload", "/api/v1/upload")
STATUSES = ("/api/v1/upload/api/v1/status", "/api/v1/uploadpi/v1/status", "/api/v1/status")
DOWNLOADS = ("/api/v1/upload/api/v1/download", "/api/v1/download")
USERS = (
    "user_username,user_name,user_password,user_email,user_language,user_active,user_role,"
    "user_organizationId,user_externalId,user_metadata_<KEY>\n"
)
USER = (
    "user1,User Name,Password1!,test@email.com,en-US,TRUE,CONTENT_CREATOR|GROUP_CREATOR,root,"
    '{"google": "user-id"},{metadata_value}\n'
)
GROUPS = (
    "group_name,group_description,group_active,group_organizationId,group_metadata_<KEY>\n"
    "Group A,Group A description,TRUE,root,metadata_<KEY>\n"
)
ORGANIZATIONS = (
    "hierarchy_organizationId,hierarchy_organizationName,hierarchy_organizationDescription,"
    "hierarchy_parentOrganizationId\n"
)
NEW_LINKS = (
    "user_username,user_name,user_password,user_email,user_language,user_active,group_role,"
    "group_name,user_organizationId\n"
)
LISTS = (
    '"requireFullscreen,preventRightClickAndKeyboardShortcuts,preventScreenshot","enableTTReview",'
    '"contrast,contrastToolOptions,customPointer,customPointerOptions,font,fontToolOptions,zoom",'
    '"studentReport","print",content-based'
)
DATES = "2023-01-01T12:00:00Z,2023-12-31T12:00:00Z,2024-1-31T12:00:00Z,2022-12-1T12:00:00Z"
IN_NEW_GROUP = (
    "session_deliveryId,group_name,group_description,group_active,session_name,session_timezone,"
    "session_startDate,session_endDate,session_submissionDate,session_waitingPageDate,"
    "session_securitySettings,session_reviewSettings,session_testRunnerAccessibilityPlugins,"
    "session_testRunnerSessionPlugins,session_reportSettings,session_readAloud,"
    f"group_organizationId\nMyDeliveryID,Group B,Grade 10 Math,TRUE,Session 3,Europe/Warsaw,{DATES}"
    f",{LISTS},root\n"
)
IN_GROUP = (
    "session_deliveryId,group_name,session_name,session_timezone,session_startDate,session_endDate,"
    "session_submissionDate,session_waitingPageDate,session_securitySettings,"
    "session_reviewSettings,session_waitingPageDate,session_testRunnerAccessibilityPlugins,"
    "session_testRunnerSessionPlugins,session_reportSettings,session_readAloud\n"
    f"MyDeliveryID,Group B,Session 3,Europe/Warsaw,{DATES},{LISTS}\n"
)

OAUTH_LINES = r"""
curl --location 'https://{TAO_ADVANCE_URL}/api/v1/upload/v1/oauth2/tokens' \
     --form 'grant_type="client_credentials"' \
     --form 'client_id="{{CLIENT_ID}}"' \
     --form 'client_secret="{{CLIENT_SECRET}}"'
"""
UPLOAD_LINES = r"""
curl --location 'https://{TAO_ADVANCE_URL}/api/v1/upload/api/v1/upload' \
     --header 'Authorization: Bearer <your_access_token>' \
     --header 'Content-Type: multipart/form-data' \
     --form 'file=@"/path/to/files/users.csv"'
"""
STATUS_LINES = r"""
curl --location 'https://{TAO_ADVANCE_URL}/api/v1/upload/api/v1/status/{{referenceId}}' \
     --header 'Authorization: Bearer <your_access_token>'
"""
DOWNLOAD_LINES = r"""
curl --location 'https://{TAO_ADVANCE_URL}/api/v1/upload/api/v1/download/{{referenceId}}' \
     --header 'Authorization: Bearer <your_access_token>'
"""


@pytest.fixture(scope="module")
def tao(vendors):
    return vendors


@pytest.fixture(scope="module")
def client(tao):
    """The fields of a request for a token."""
    return {"grant_type": "client_credentials", **tao.credentials["tao"]}


@pytest.fixture(scope="module")
def token(tao, client):
    return httpx.post(f"{tao.url}{TOKENS[0]}", data=client).json()["access_token"]


@pytest.fixture
def http(tao, token):
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=tao.url, headers=headers, timeout=60) as made:
        yield made


def send(http, text):
    content = text.encode() if isinstance(text, str) else text
    answer = http.post(UPLOADS[0], files={"file": ("users.csv", content)})
    assert answer.status_code == 202, answer.text
    assert list(answer.json()) == ["referenceId"]
    return answer.json()["referenceId"]


def ended(http, reference):
    deadline, line = time.monotonic() + 60, 0
    while time.monotonic() < deadline:
        result = http.get(f"{STATUSES[0]}/{reference}").json()["result"]
        assert list(result) == ["status", "fileLine", "messages"]
        assert result["fileLine"] >= line
        if result["status"] != "pending":
            return result
        assert result["messages"] == []
        line = result["fileLine"]
        pause()
    raise AssertionError(result)


def report_of(http, reference):
    url = http.get(f"{DOWNLOADS[0]}/{reference}").json()["result"]["url"]
    answer = httpx.get(url)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return list(csv.reader(io.StringIO(answer.text)))


def load(http, text):
    """Import; gives the status, and of the report's records what became of them and why."""
    reference = send(http, text)
    result = ended(http, reference)
    return result, [tuple(row[-3:]) for row in report_of(http, reference)[1:]]


def good(http, text):
    result, outcomes = load(http, text)
    lines = len(outcomes)
    assert result == {"status": "processed", "fileLine": lines, "messages": []}, outcomes
    return [outcome for _, outcome, _ in outcomes]


def stored(tao, entity, key):
    with tao.client() as native:
        records = native.get(f"/v1/entities/{entity}/records", params={"limit": 1000}).json()
    return {record[key]: record for record in records["records"]}


def run_curl(lines, tmp_path, **replaced):
    """The vendor's command line with its placeholders replaced, run by the real shell and curl."""
    for name, value in replaced.items():
        lines = lines.replace(name, value)
    done = subprocess.run(["bash", "-c", lines], cwd=tmp_path, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_the_lines_of_the_pages_by_curl(tao, client, tmp_path):
    (tmp_path / "users.csv").write_text(USERS + USER + USER.replace("user1", "user2"))
    names = {
        "https://{TAO_ADVANCE_URL}": tao.url,
        "{{CLIENT_ID}}": client["client_id"],
        "{{CLIENT_SECRET}}": client["client_secret"],
        "/path/to/files/users.csv": str(tmp_path / "users.csv"),
    }
    issued = run_curl(
        OAUTH_LINES,
        tmp_path,
        **names,
    )
    assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 3600)
    names["<your_access_token>"] = issued["access_token"]
    uploaded = run_curl(
        UPLOAD_LINES,
        tmp_path,
        **names,
    )
    names["{{referenceId}}"] = uploaded["referenceId"]
    status = {"result": {"status": "pending"}}
    deadline = time.monotonic() + 60
    while status["result"]["status"] == "pending" and time.monotonic() < deadline:
        status = run_curl(
            STATUS_LINES,
            tmp_path,
            **names,
        )
    assert status == {"result": {"status": "processed", "fileLine": 2, "messages": []}}
    for lines in (DOWNLOAD_LINES, DOWNLOAD_LINES.replace("/{{referenceId}}", "")):
        found = run_curl(lines, tmp_path, **names)
        assert httpx.get(found["result"]["url"]).text.startswith("user_username,user_name,")


@pytest.mark.parametrize("path", [*TOKENS, *(f"{path}/" for path in TOKENS)])
@pytest.mark.parametrize("form", ["multipart", "urlencoded", "quoted", "json", "basic"])
def test_a_token_at_every_path_in_every_form(tao, client, path, form):
    sent = {
        "multipart": {"files": {name: (None, text) for name, text in client.items()}},
        "urlencoded": {"data": client},
        "quoted": {"data": {name: f'"{text}"' for name, text in client.items()}},
        "json": {"json": {**client, "scope": "rostering"}},
        "basic": {
            "data": {"grant_type": "client_credentials"},
            "auth": (client["client_id"], client["client_secret"]),
        },
    }[form]
    answer = httpx.post(f"{tao.url}{path}", **sent)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    issued = answer.json()
    assert list(issued) == ["access_token", "token_type", "expires_in", "scope"]
    assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 3600)
    assert issued["scope"] == "rostering"
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    assert httpx.get(f"{tao.url}{STATUSES[0]}/1", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"scope": "rostering admin"}, 400, "invalid_scope"),
    ],
)
def test_a_token_is_refused_in_the_form_of_oauth(tao, client, changed, status, error):
    fields = {name: text for name, text in {**client, **changed}.items() if text is not None}
    answer = httpx.post(f"{tao.url}{TOKENS[0]}", data=fields)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "sent",
    [
        {"content": b"x", "headers": {"Content-Type": "text/plain"}},
        {"content": b"[1]", "headers": {"Content-Type": "application/json"}},
        {"content": b"grant_type=a&grant_type=b",
         "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": "Basic ?"}},
        {"content": b"--b\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
    ],
)  # fmt: skip
def test_a_malformed_request_for_a_token_is_an_invalid_one(tao, sent):
    answer = httpx.post(f"{tao.url}{TOKENS[0]}", **sent)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_every_path_of_upload_status_and_download(http):
    for upload in (*UPLOADS, *(f"{path}/" for path in UPLOADS)):
        answer = http.post(upload, files={"file": ("g", gzip.compress(GROUPS.encode()), "x/y")})
        assert answer.status_code == 202, answer.text
        reference = answer.json()["referenceId"]
        assert ended(http, reference)["status"] == "processed"
        for path in (f"{base}/{reference}" for base in STATUSES):
            result = http.get(path).json()["result"]
            assert result == {"status": "processed", "fileLine": 1, "messages": []}
            assert http.get(f"{path}/").json()["result"] == result
        for path in (f"{base}{rest}" for base in DOWNLOADS for rest in (f"/{reference}", "", "/")):
            assert httpx.get(http.get(path).json()["result"]["url"]).status_code == 200


def test_each_template_with_its_sample(tao, http):
    assert good(http, ORGANIZATIONS + "Own,My Organization, My description,root\n")
    assert good(http, USERS + USER + USER.replace("user1", "admin").replace(",root,", ",Own,"))
    assert good(http, GROUPS + "Group B,,FALSE,root,\nGroupB,,,Own,\n")
    new = "user9,UserName,Passw0rd!,user@email,EN-US,TRUE,TEST_TAKER,Group A,root\n"
    assert good(http, NEW_LINKS + new) == ["created"]
    assert good(http, "user_username,group_name,group_role\nuser1,GroupB,GRADER\n") == ["created"]
    assert good(http, IN_NEW_GROUP) == ["created"]
    assert good(http, IN_GROUP) == ["unchanged"]
    battery = IN_GROUP.replace("session_deliveryId", "session_batteryId").replace("Session 3", "B")
    assert good(http, battery.replace("MyDeliveryID", "MyBatteryID")) == ["created"]
    sessions = stored(tao, "tao_session", "session_name")
    assert sessions["B"]["session_batteryId"] == "MyBatteryID"
    assert sessions["Session 3"]["session_deliveryId"] == "MyDeliveryID"
    assert sessions["B"]["session_waitingPageDate"].startswith("2022-12-01T12:00:00")
    user = stored(tao, "tao_user", "user_username")["user1"]
    assert json.loads(user["user_metadata"]) == {"<KEY>": "{metadata_value}"}
    assert (user["user_externalId"], user["user_password"]) == ('{"google": "user-id"}', "********")
    groups = stored(tao, "tao_group", "group_name")
    assert [groups[name]["group_active"] for name in ("Group A", "Group B")] == [True, True]
    links = stored(tao, "tao_membership", "user_username")
    assert (links["user9"]["group_role"], links["user1"]["group_role"]) == ("TEST_TAKER", "GRADER")


def test_the_placeholders_of_a_sample_are_no_values(http):
    good(http, GROUPS)
    sample = "user1,UserName,password,userEmail,EN-US,TRUE,TEST_TAKER,Group A,root\n"
    result, outcomes = load(http, NEW_LINKS + sample)
    assert result == {
        "status": "failed",
        "fileLine": 1,
        "messages": [
            f"Line 2, column user_password: {RULE}",
            "Line 2, column user_email: 'userEmail' is not a mail address",
        ],
    }
    assert outcomes == [
        (
            "2",
            "rejected",
            f"user_password: {RULE}; user_email: 'userEmail' is not a mail address",
        )
    ]


HEADER = (
    "user_username,user_name,user_password,user_email,user_active,user_role,user_organizationId"
)
FAULTS = [
    ("f1,,Passw0rd,,,,root", "user_password", RULE),
    ("f1,,PASSW0RD!,,,,root", "user_password", RULE),
    ("f1,,passw0rd!,,,,root", "user_password", RULE),
    ("f1,,Pass0!,,,,root", "user_password", RULE),
    ("f1,,,,,,root", "user_password", "mandatory value is missing"),
    (",,Passw0rd!,,,,root", "user_username", "mandatory value is missing"),
    ("f1,,Passw0rd!,,,,", "user_organizationId", "mandatory value is missing"),
    ("f1,,Passw0rd!,,,,Nowhere", "user_organizationId", "organization 'Nowhere' does not exist"),
    ("f1,,Passw0rd!,a b@c,,,root", "user_email", "'a b@c' is not a mail address"),
    ("f1,,Passw0rd!,,maybe,,root", "user_active", "'maybe' is not TRUE or FALSE"),
    ("f1,,Passw0rd!,,,ADMIN|BOSS,root", "user_role",
     "'BOSS' is not a role (known: CONTENT_CREATOR, GROUP_CREATOR, ADMIN)"),
    ("f1,,Passw0rd!,,,ADMIN | BOSS,root", "user_role",
     "'BOSS' is not a role (known: CONTENT_CREATOR, GROUP_CREATOR, ADMIN)"),
    ("f1,,Passw0rd!,,,root", None, "6 cells where the header has 7"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "column", "reason"), FAULTS)
def test_a_faulty_user_is_told_by_line_column_and_reason(http, line, column, reason):
    result, _ = load(http, f"{HEADER}\nok{column},x,Passw0rd!,,,,root\n{line}\n")
    place = f"Line 3, column {column}: " if column else "Line 3: "
    assert result == {"status": "failed", "fileLine": 2, "messages": [place + reason]}


def test_faults_of_links_and_sessions(http):
    good(http, GROUPS + "Group D,,,root,\n")
    good(http, USERS + USER)
    result, _ = load(
        http,
        "user_username,group_name,group_role\nnobody,Group A,GRADER\nuser1,Nowhere,GRADER\n"
        "user1,Group A,BOSS\nuser1,Group A,\n",
    )
    assert result["messages"] == [
        "Line 2, column user_username: user 'nobody' does not exist",
        "Line 3, column group_name: group 'Nowhere' does not exist",
        "Line 4, column group_role: 'BOSS' is not a role (known: TEST_TAKER, GRADER)",
        "Line 5, column group_role: mandatory value is missing",
    ]
    head = "session_deliveryId,session_name,group_name,session_startDate,session_endDate\n"
    good(http, f"{head}D,F 1,Group A,,\n")
    late = "'2026-1-31T00:00:00Z'"
    result, _ = load(
        http,
        f"{head}D,F 1,Group D,,\nD,F 2,Nowhere,,\nD,F 3,,,\nD,F 4,Group D,2026-2-1,\n"
        "D,F 5,Group D,2026-2-1T00:00:00Z,2026-1-31T00:00:00Z\n",
    )
    assert result["messages"] == [
        "Line 2, column group_name: the group of a session cannot be changed",
        "Line 3, column group_name: group 'Nowhere' does not exist",
        "Line 4, column group_name: mandatory value is missing",
        "Line 5, column session_startDate: '2026-2-1' is not a date such as 2023-01-01T12:00:00Z",
        f"Line 6, column session_endDate: {late} lies before the value of session_startDate",
    ]


def test_a_hierarchy_ends_at_its_fifteenth_level(http):
    chain = [f"L{n},Level {n},,{f'L{n - 1}' if n > 1 else 'root'}\n" for n in range(1, 17)]
    circle = "C1,,,C2\nC2,Two,,C1\nC3,Three,,Nowhere\nC4,Four,,\n".replace("C1,,", "C1,One,")
    result, outcomes = load(http, ORGANIZATIONS + "".join(reversed(chain)) + circle)
    assert result["messages"] == [
        f"Line {line}, column hierarchy_parentOrganizationId: {reason}"
        for line, reason in (
            (2, "organization depth is above 15"),
            (18, "the parents of the organization go in a circle"),
            (19, "the parents of the organization go in a circle"),
            (20, "organization 'Nowhere' does not exist"),
            (21, "mandatory value is missing"),
        )
    ]
    assert [outcome for _, outcome, _ in outcomes].count("created") == 15


def test_an_organization_without_id_gets_one_that_the_report_shows(tao, http):
    reference = send(http, "hierarchy_organizationName,hierarchy_parentOrganizationId\nMade,root\n")
    assert ended(http, reference)["status"] == "processed"
    header, row = report_of(http, reference)
    made = dict(zip(header, row, strict=True))["hierarchy_organizationId"]
    known = stored(tao, "tao_organization", "hierarchy_organizationId")
    assert known[made]["hierarchy_organizationName"] == "Made"


def test_a_blank_cell_clears_and_a_column_left_out_keeps(tao, http):
    def user():
        return stored(tao, "tao_user", "user_username")["keeper"]

    good(http, f"{HEADER},user_metadata_a,user_metadata_b\n"
               "keeper,Name,Passw0rd!,a@b,FALSE,ADMIN,root,1,2\n")  # fmt: skip
    first = user()
    good(http, "user_username,user_metadata_b\nkeeper,3\n")
    assert {**user(), "user_metadata": ""} == {**first, "user_metadata": ""}
    assert json.loads(user()["user_metadata"]) == {"a": "1", "b": "3"}
    good(http, "user_username,user_name,user_role,user_metadata_a\nkeeper,,,\n")
    assert (user()["user_name"], user()["user_role"], user()["user_active"]) == (None, None, False)
    assert json.loads(user()["user_metadata"]) == {"b": "3"}
    result, _ = load(http, "user_username\nkeeper\nstranger\n")
    assert result["messages"] == [
        "Line 3, column user_password: mandatory value is missing",
        "Line 3, column user_organizationId: mandatory value is missing",
    ]
    good(http, "user_username,user_password,user_organizationId\nplain,Passw0rd!,root\n")
    assert stored(tao, "tao_user", "user_username")["plain"]["user_active"] is True


UNKNOWN = "The header is not one of the templates: unknown column"
PARTED = "the columns seem to be parted by ';', not commas"
BROKEN_FILES = [
    ("", "The file is empty."),
    (gzip.compress(b"", mtime=0), "The file is empty."),
    ("user_usernam\nx\n", f"{UNKNOWN} 'user_usernam'; did you mean 'user_username'?"),
    ("user_username,user_nmae\nx,y\n", f"{UNKNOWN} 'user_nmae'; did you mean 'user_name'?"),
    ("session_deliveryId,group_active,session_name\n,,\n", "The header lacks 'group_name'"),
    (
        "group_name;group_active\n;\n",
        f"{UNKNOWN} 'group_name;group_active'; {PARTED}",
    ),
    (
        "group_name,group_active,group_active\nA,TRUE,TRUE\n",
        "The column 'group_active' stands in the header at columns 2 and 3.",
    ),
]


@pytest.mark.parametrize(("content", "message"), BROKEN_FILES)
def test_what_is_wrong_with_a_file_is_told_by_its_status(http, content, message):
    reference = send(http, content)
    result = ended(http, reference)
    assert result == {"status": "failed", "fileLine": 0, "messages": [message]}
    assert report_of(http, reference)[-1][-2:] == ["failed", message]


def test_the_report_has_every_line_and_no_password(tao, http):
    secret = "Zebra-Quagga-17"  # noqa: S105 - to be sought everywhere
    text = (
        f"{HEADER}\nr1,One,{secret},,1,,root\nr2,=Two,{secret},,yes,,root\n"
        f'r3,"Three\nlines",{secret},,,,root\n{secret},r4\n'
    )
    reference = send(http, text)
    result = ended(http, reference)
    header, *rows = report_of(http, reference)
    assert header == [*HEADER.split(","), "_line", "_status", "_message"]
    assert [(row[0], row[-3], row[-2]) for row in rows] == [
        ("r1", "2", "created"), ("r2", "3", "rejected"), ("r3", "4", "created"),
        ("", "6", "rejected"),
    ]  # fmt: skip
    assert rows[0][-1] == "user_active: 1 is read as TRUE"
    assert rows[1][1] == "'=Two"
    assert {row[2] for row in rows} == {""}
    with tao.client() as native:
        [job] = [
            each for each in native.get("/v1/jobs").json()["jobs"] if each["id"]
        ][:1]  # fmt: skip
        seen = [json.dumps(result), json.dumps(rows), json.dumps(job)]
        forms = ("rejections.json", "rejections.csv", "accepted.csv", "accepted.json", "input")
        seen += [native.get(f"/v1/jobs/{job['id']}/{form}").text for form in forms]
        seen.append(json.dumps(stored(tao, "tao_user", "user_username")))
    seen.append((tao.directory / "serve.log").read_text(encoding="utf-8"))
    assert [text for text in seen if secret in text] == []
    assert secret.encode() not in b"".join(
        path.read_bytes() for path in (tao.directory / "state").rglob("*.db*") if path.is_file()
    )


def test_a_thousand_messages_then_how_many_are_left(http):
    lines = [f"m{number},,x,x,,,root\n" for number in range(700)]
    result, outcomes = load(http, f"{HEADER}\n{''.join(lines)}")
    assert (result["fileLine"], len(result["messages"]), len(outcomes)) == (700, 1001, 700)
    assert result["messages"][1000] == "200 more lines are rejected; the report has every message."
    assert result["messages"][999].startswith("Line 501, column user_email")


ACCESS_DENIED = (401, "text/plain; charset=utf-8", "Access Denied")


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer x", "Basic dTpw", "Bearer a b", "nonsense"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{STATUSES[0]}/12345"), ("POST", UPLOADS[0]), ("GET", DOWNLOADS[1]),
     ("GET", STATUSES[2])],
)  # fmt: skip
def test_without_a_token_access_is_denied(tao, method, path, value):
    headers = {} if value is None else {"Authorization": value}
    answer = httpx.request(method, f"{tao.url}{path}", headers=headers)
    got = (answer.status_code, answer.headers["content-type"], answer.text)
    if answer.status_code != 429:  # so many guesses from one address are slowed down
        assert got == ACCESS_DENIED
        assert answer.headers["www-authenticate"] == "Bearer"
    else:
        assert answer.json() == {"message": "Too Many Requests"}


ERRORS = [
    ("GET", f"{STATUSES[0]}/12345", {}, 404, NOT_FOUND),
    ("GET", f"{STATUSES[1]}/00000000-0000-4000-8000-000000000000", {}, 404, NOT_FOUND),
    ("GET", STATUSES[0], {}, 404, NOT_FOUND),
    ("GET", f"{STATUSES[2]}/", {}, 404, NOT_FOUND),
    ("GET", f"{DOWNLOADS[0]}/12345", {}, 404, NOT_FOUND),
    ("GET", "/api/v1/upload/nowhere", {}, 404, NOT_FOUND),
    ("GET", "/files/tao/forged/x.csv", {}, 404, NOT_FOUND),
    ("GET", UPLOADS[0], {}, 405, {"message": "Method Not Allowed"}),
    ("DELETE", f"{STATUSES[0]}/1", {}, 405, {"message": "Method Not Allowed"}),
    ("GET", TOKENS[0], {}, 405, {"message": "Method Not Allowed"}),
    ("POST", UPLOADS[0], {"data": {"file": "a,b"}}, 400,
     {"message": "The body's Content-Type is application/x-www-form-urlencoded; this takes"
      " multipart/form-data."}),
    ("POST", UPLOADS[0], {"files": {"other": b"x"}}, 400,
     {"message": "the part 'file' is missing"}),
    ("POST", UPLOADS[0], {"files": [("file", b"x"), ("file", b"y")]}, 400,
     {"message": "The part 'file' came twice."}),
    ("POST", UPLOADS[0], {"content": b"--b\r\n",
                          "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400,
     None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "sent", "status", "body"), ERRORS)
def test_every_refusal_is_in_the_words_of_tao(http, method, path, sent, status, body):
    answer = http.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["message"]
    assert body is None or answer.json() == body
    assert status != 405 or answer.headers["allow"]


def new_token(tao, *options):
    made = json.loads(tao.run(
        "credential", "add", str(tao.directory), "--dialect", "tao", "--json", *options
    ).stdout)  # fmt: skip
    fields = {name: made[name] for name in ("client_id", "client_secret")}
    issued = httpx.post(
        f"{tao.url}{TOKENS[0]}", data={"grant_type": "client_credentials", **fields}
    ).json()
    return {"Authorization": f"Bearer {issued['access_token']}"}, issued, made


def test_a_client_without_the_scope_gets_a_token_of_no_use(tao, http):
    reference = send(http, GROUPS)
    headers, issued, _ = new_token(tao, "--project", "demo", "--scopes", "export")
    assert issued["scope"] == ""
    reads = (f"{STATUSES[0]}/{reference}", f"{DOWNLOADS[0]}/{reference}", DOWNLOADS[0])
    for method, path in (("POST", UPLOADS[0]), *(("GET", path) for path in reads)):
        answer = httpx.request(method, f"{tao.url}{path}", headers=headers)
        assert (answer.status_code, answer.json()) == (403, {"message": "Insufficient scope"})
        assert answer.headers["content-type"] == "application/json"


def test_uploads_belong_to_the_project(tao, http):
    reference = send(http, GROUPS)
    ended(http, reference)
    tao.run("project", "add", str(tao.directory), "other")
    foreign, _, made = new_token(tao, "--project", "other")
    for path in (f"{STATUSES[0]}/{reference}", f"{DOWNLOADS[0]}/{reference}", DOWNLOADS[0]):
        answer = httpx.get(f"{tao.url}{path}", headers=foreign)
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    colleague, _, _ = new_token(tao, "--project", "demo")
    assert httpx.get(f"{tao.url}{STATUSES[0]}/{reference}", headers=colleague).status_code == 200
    assert httpx.get(f"{tao.url}{DOWNLOADS[0]}", headers=colleague).status_code == 404
    with tao.client() as native:
        job = native.post("/v1/jobs", params={"entity": "tao_group"}, content=GROUPS.encode(),
                          headers={"Content-Type": "text/csv"}).json()  # fmt: skip
    answer = http.get(f"{STATUSES[0]}/{job['id']}")
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    tao.run("credential", "revoke", str(tao.directory), made["id"])
    answer = httpx.get(f"{tao.url}{DOWNLOADS[0]}", headers=foreign)
    assert (answer.status_code, answer.text) == (401, "Access Denied")


def test_a_token_and_a_link_end(tao, http):
    """Both as the server signs them, but past their time."""
    reference = send(http, GROUPS)
    ended(http, reference)
    signer = JwtSigner(read_signing_key(DataDirectory(tao.directory)), SystemClock())
    url = http.get(f"{DOWNLOADS[0]}/{reference}").json()["result"]["url"]
    token, link = http.headers["authorization"].split()[1], url.split("/")[-2]
    for purpose, text in (("access", token), ("link", link)):
        claims = signer.read(purpose, text)
        for minutes, is_good in ((1, True), (-1, False)):
            moment = datetime.now(UTC) + timedelta(minutes=minutes)
            made = signer.sign(purpose, claims, moment)
            if purpose == "access":
                headers = {"Authorization": f"Bearer {made}"}
                answer = httpx.get(f"{tao.url}{STATUSES[0]}/{reference}", headers=headers)
                assert answer.text == "Access Denied" if not is_good else answer.is_success
            else:
                answer = httpx.get(url.replace(link, made))
                assert answer.status_code == (200 if is_good else 404)


def test_a_python_client_as_from_the_page(tao, client, tmp_path):
    (tmp_path / "users.csv").write_text(USERS + USER)
    code = f"""
import sys, time
import httpx as requests
base = {tao.url!r}
token = requests.post(f"{{base}}/api/v1/upload/v1/oauth2/tokens", data={{
    "grant_type": "client_credentials", "client_id": {client["client_id"]!r},
    "client_secret": {client["client_secret"]!r}}}).json()["access_token"]
h = {{"Authorization": f"Bearer {{token}}"}}
ref = requests.post(f"{{base}}/api/v1/upload/api/v1/upload", headers=h,
    files={{"file": open(sys.argv[1], "rb")}}).json()["referenceId"]
while (r := requests.get(f"{{base}}/api/v1/upload/api/v1/status/{{ref}}", headers=h)
       .json()["result"])["status"] == "pending":
    time.sleep(0.1)
print(r["status"], r["fileLine"])
"""
    command = [sys.executable, "-c", code, str(tmp_path / "users.csv")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "processed 1\n"


def test_basic_credentials_may_be_encoded(tao, client):
    pair = f"{client['client_id']}:{client['client_secret']}"
    headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    answer = httpx.post(
        f"{tao.url}{TOKENS[2]}", data={"grant_type": "client_credentials"}, headers=headers
    )
    assert answer.status_code == 200
    headers = {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}
    answer = httpx.post(
        f"{tao.url}{TOKENS[2]}", data={"grant_type": "client_credentials"}, headers=headers
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_file_without_header_shows_no_password(tao, http):
    secrets = ("S3cretPa$$w0rd!x", "N0ther-Secret")
    for text in (
        f"{secrets[0]},user1,root\nx,y,z\n",
        f"sec8,{secrets[0]},root\nsec9,{secrets[1]},root\n",
        f"{secrets[0]},{secrets[0]}\n",
    ):
        reference = send(http, text)
        result = ended(http, reference)
        seen = [json.dumps(result), json.dumps(report_of(http, reference))]
        assert result["messages"] == [
            "The header is not one of the templates: its first line names no known column"
        ]
        with tao.client() as native:
            job = native.get(f"/v1/jobs/{reference}").json()
            seen.append(json.dumps(job))
            forms = ("rejections", "rejections.csv", "accepted.csv", "accepted", "accepted.json")
            seen += [native.get(f"/v1/jobs/{job['id']}/{form}").text for form in forms]
        assert [each for each in seen if any(secret in each for secret in secrets)] == []
    log = (tao.directory / "serve.log").read_text(encoding="utf-8")
    assert secrets[0] not in log
    state = b"".join(path.read_bytes() for path in tao.directory.rglob("*.sqlite*"))
    assert state
    assert secrets[0].encode() not in state
    with tao.client() as native:
        answer = native.post("/v1/jobs", params={"entity": "tao_user"}, content=text.encode(),
                             headers={"Content-Type": "text/csv", "Prefer": "wait=30"})  # fmt: skip
    assert answer.json()["state"] == "failed"
    assert secrets[0] not in answer.text


def test_an_organization_takes_along_what_lies_below_it(http):
    chain = "".join(f"D{n},d,,{f'D{n - 1}' if n > 1 else 'root'}\n" for n in range(1, 15))
    good(http, f"{ORGANIZATIONS}T1,t,,root\nT2,t,,T1\nT3,t,,T2\n{chain}")
    deep = "Line 2, column hierarchy_parentOrganizationId: organization depth is above 15"
    for parent, messages in (("D14", [deep]), ("D13", [deep]), ("D12", [])):
        result, _ = load(http, f"{ORGANIZATIONS}T1,t,,{parent}\n")
        assert result["messages"] == messages
    result, _ = load(http, f"{ORGANIZATIONS}root,r,,\nroot,r,,root\n")
    place = (
        "column hierarchy_organizationId: root stands above all organizations and is none itself"
    )
    assert result["messages"][1:] == [f"Line 3, {place}"]


def test_a_mandatory_column_cannot_be_left_out(http):
    good(http, GROUPS)
    good(http, USERS + USER)
    for header, name in (
        ("user_username,group_name", "group_role"),
        ("hierarchy_organizationId,hierarchy_organizationDescription",
         "hierarchy_organizationName', 'hierarchy_parentOrganizationId"),
    ):  # fmt: skip
        result, _ = load(http, f"{header}\nuser1,Group A\n")
        assert result["messages"] == [f"The header lacks '{name}'"]


def test_a_rejected_organization_has_no_id(http):
    reference = send(http, f"{ORGANIZATIONS},Lost,,Nowhere\n,Found,,root\n")
    assert ended(http, reference)["status"] == "failed"
    lost, found = report_of(http, reference)[1:]
    assert (lost[0], lost[-2]) == ("", "rejected")
    assert (len(found[0]), found[-2]) == (36, "created")


def test_every_link_is_another_one(http):
    reference = send(http, GROUPS)
    ended(http, reference)
    links = {
        http.get(f"{DOWNLOADS[0]}/{reference}").json()["result"]["url"] for _ in range(5)
    }  # fmt: skip
    assert len(links) == 5


def test_callers_are_judged_before_methods_and_ids(tao, http):
    assert httpx.delete(f"{tao.url}{STATUSES[0]}/1").text == "Access Denied"
    assert http.delete(f"{STATUSES[0]}/1").status_code == 405
    for odd in ("%00", "..%2f", "%FF%FE"):
        answer = http.get(f"{STATUSES[0]}/{odd}")
        assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_more_metadata_than_can_be_checked_is_refused_at_once(http):
    for count, status in ((900, "processed"), (1_001, "failed")):
        keys = ",".join(f"group_metadata_{number}" for number in range(count))
        values = ",".join("v" * count)
        result, _ = load(http, f"group_name,group_organizationId,{keys}\nwide,root,{values}\n")
        assert result["status"] == status, result
    assert result["messages"] == ["More than 1000 columns begin with group_metadata_."]


def test_the_end_of_a_session_stays_behind_its_stored_start(http):
    good(http, GROUPS)
    head = "session_deliveryId,session_name,group_name,session_startDate,session_endDate\n"
    good(http, f"{head}D,Kept,Group A,2023-01-01T12:00:00Z,2023-02-01T12:00:00Z\n")
    for column, date, side in (
        ("session_endDate", "2022-01-01T12:00:00Z", "before the value of session_startDate"),
        ("session_startDate", "2024-01-01T12:00:00Z", "after the stored value of session_endDate"),
    ):
        result, _ = load(http, f"session_deliveryId,session_name,{column}\nD,Kept,{date}\n")
        assert result["messages"] == [f"Line 2, column {column}: '{date[:-1]}' lies {side}"]
    good(http, "session_deliveryId,session_name,session_endDate\nD,Kept,2025-01-01T12:00:00Z\n")
