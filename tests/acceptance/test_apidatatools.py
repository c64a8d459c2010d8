"""APIDataTools as its clients speak it: the vendor's samples, and every line of the contract."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from waybill.testing.server import ServerProcess, pause

SAMPLES = {
    "curl": r"""
curl -X GET "https://api.apidatatools.com/status-api/a1b2c3d4-e5f6-7890-abcd-ef1234567890" \
-H "x-api-key: your_api_key"
""",
    "python": r"""
import requests
job_id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
url = f"https://api.apidatatools.com/status-api/{job_id}"
headers = {"x-api-key": "your_api_key"}
response = requests.get(url, headers=headers)
data = response.json()
if data["status"] == "success":
    print("Job complete:", data["result"])
elif data["status"] == "failed":
    print("Error:", data["error"])
else:
    print(data["message"], "- retry after", data.get("retry_after", 5), "seconds")
""",
    "node": r"""
async function checkStatus(jobId) {
  const res = await fetch(`https://api.apidatatools.com/status-api/${jobId}`, {
    method: "GET",
    headers: {
      "x-api-key": "your_api_key"
    }
  });
  const data = await res.json();
  switch (data.status) {
    case "success":
      console.log("Job completed successfully:", data.result);
      break;
    case "failed":
      console.error("Job failed:", data.error);
      break;
    default:
      console.log(data.message);
      setTimeout(() => checkStatus(jobId), data.retry_after * 1000);
  }
}
checkStatus("a1b2c3d4-e5f6-7890-abcd-ef1234567890");
""",
}
SUBMITTING = [
    r"""curl -X POST "https://api.apidatatools.com/json-formatter-api" -H "Content-Type: application/json" -H "x-api-key: your_api_key" -d '{"name":"John","age":30}'""",  # noqa: E501 - the vendor's own
    r"""curl -X POST "https://api.apidatatools.com/json-formatter-api" -H "Content-Type: application/json" -H "x-api-key: your_api_key" -d '{"content":"{\"name\":\"John\",\"age\":30}"}'""",  # noqa: E501 - the vendor's own
    r"""curl -X POST "https://api.apidatatools.com/url-decode-api" -H "x-api-key: your_api_key" -d 'hello%20world%3F'""",  # noqa: E501 - the vendor's own
]
FORMATTED = '{\n "name": "John",\n "age": 30\n}'
POSTING = {
    "python": r"""
import requests
response = requests.post("https://api.apidatatools.com/json-formatter-api",
                         headers={"Content-Type": "application/json", "x-api-key": "your_api_key"},
                         json={"content": "{\"name\":\"John\",\"age\":30}"})
print(response.text)
""",
    "node": r"""
(async () => {
const res = await fetch("https://api.apidatatools.com/json-formatter-api", {
  method: "POST", headers: {"Content-Type": "application/json", "x-api-key": "your_api_key"},
  body: JSON.stringify({content: "{\"name\":\"John\",\"age\":30}"})
});
console.log(await res.text());
})();
""",
}
TOOLS = [
    ("json-formatter", {}, '{"a":[1.0]}', '{\n "a": [\n  1.0\n ]\n}', ".log", ".json"),
    ("json-validator", {}, '{"a":1}', '{\n "a": 1\n}', ".json", ".json"),
    ("json-minify", {}, '{ "a" : 1e5 }', '{"a":1e5}', ".txt", ".json"),
    ("json-to-csv", {}, '[{"a":1,"b":"x,y"},{"c":null}]', 'a,b,c\n1,"x,y",\n,,\n', ".json", ".csv"),
    ("json-to-tsv", {}, '[{"a":1,"b":"x\\ty"}]', 'a\tb\n1\t"x\ty"\n', ".json", ".tsv"),
    ("json-to-xml", {"root_name": "r"}, '{"a":[1,2]}', "<a>2</a>", ".json", ".xml"),
    ("json-to-yaml", {}, '{"a":["x"]}', "- x", ".json", ".yaml"),
    ("json-to-base64", {}, "{}", "e30=", ".json", ".txt"),
    ("base64-to-json", {}, "eyJhIjoxfQ==", '"a": 1', ".txt", ".json"),
    ("csv-to-json", {"delimiter": "pipe"}, "a|b\n1|\n", '"a": "1"', ".csv", ".json"),
    ("xml-validator", {}, "<a><b/></a>", "\n  <b/>\n", ".xml", ".xml"),
    ("xml-formatter", {"tab_space": "1"}, "<a><b/></a>", "\n <b/>\n", ".xml", ".xml"),
    ("xml-to-yaml", {}, '<a x="1">t</a>', "'#text': t", ".xml", ".yaml"),
    ("yaml-formatter", {}, "a:\n     b: 1\n---\nc", "a:\n  b: 1", ".yml", ".yaml"),
    ("yaml-to-xml", {}, "a: 1", "  <a>1</a>", ".yaml", ".xml"),
    ("css-formatter", {}, "a{b:c}", "a {\n  b: c;\n}", ".css", ".css"),
    ("html-formatter", {}, "<div><p>x</p></div>", "  <p>x</p>", ".html", ".html"),
    ("html-minify", {}, "<p>x  y</p> <!-- z -->", "<p>x y</p>", ".html", ".html"),
    ("html-decoder", {}, "&lt;&eacute;&#x20ac;", "<é€", ".html", ".html"),
    ("javascript-formatter", {}, "if(a){b()}", "if (a) {\n  b()\n}", ".js", ".js"),
    ("javascript-minify", {}, "a = 1 // b", "a=1", ".js", ".js"),
    ("text-minify", {}, "a   b\n\n\n\nc", "a b\n", ".txt", ".txt"),
    ("url-encode", {"url_safe": "0"}, "a b/é", "a%20b/%C3%A9", ".txt", ".txt"),
    ("url-decode", {}, "hello%20world%3F", "hello world?", ".txt", ".txt"),
    ("base16-encoder", {}, "Hello World", "48656C6C6F20576F726C64", ".log", ".txt"),
    ("base16-decoder", {}, "48656c6C", "Hell", ".log", ".txt"),
    ("base32-encoder", {}, "hello", "NBSWY3DP", ".log", ".txt"),
    ("base32-decoder", {}, "NBSWY3DP", "hello", ".log", ".txt"),
    ("base64-encoder", {}, "hello", "aGVsbG8=", ".log", ".txt"),
    ("base64-decoder", {}, "aGVs bG8=", "hello", ".log", ".txt"),
]
"""Tool, options, content, what stands in the result, suffix of a file, suffix of the result."""
UNKNOWN = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WAITING = {"message": "Your job is being processed.", "retry_after": 2}
INTERPRETERS = {"python": [sys.executable, "-c"], "node": ["node", "-e"]}


class Source(BaseHTTPRequestHandler):
    """What a URL may lead to."""

    def do_GET(self):
        if self.path.startswith("/slow"):
            while not self.server.is_closing:
                pause()
            return
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://10.255.0.1/data.json")
            self.end_headers()
            return
        self.send_response(200 if self.path.startswith("/data") else 404)
        self.end_headers()
        self.wfile.write(b'{"from": "afar"}')

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def source():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    made.is_closing = False
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.is_closing = True
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """A server that may fetch from loopback."""
    running = ServerProcess(tmp_path_factory.mktemp("apidatatools"), workers=2)
    running.init()
    config = running.directory / "waybill.toml"
    text = config.read_text().replace(
        "#allowed_networks = []", 'allowed_networks = ["127.0.0.0/8"]'
    )
    config.write_text(text)
    running.start()
    yield running
    running.stop()


class User:
    """One key, and a token of the native API in its project."""

    def __init__(self, server, name):
        self.server = server
        server.run("project", "add", str(server.directory), name, check=False)
        made = {}
        for dialect in ("apidatatools", "waybill"):
            told = server.run(
                "credential", "add", str(server.directory), "--dialect", dialect, "--project",
                name, "--json",
            )  # fmt: skip
            made[dialect] = json.loads(told.stdout)
        self.key = made["apidatatools"]["api_key"]
        self.http = httpx.Client(base_url=server.url, headers={"x-api-key": self.key}, timeout=60)
        self.jobs = server.client(made["waybill"]["token"])

    def call(self, tool, content, **headers):
        given = {
            name.replace("_", "-")
            if name.startswith("content")
            else f"x-{name.replace('_', '-')}": value
            for name, value in headers.items()
        }
        body = content.encode() if isinstance(content, str) else content
        return self.http.post(f"/{tool}-api", content=body, headers=given)

    def upload(self, name, content):
        """The form, and the key of the file once it is there."""
        form = self.http.post("/upload-api", json={"filename": name}).json()["upload"]
        answer = httpx.post(form["url"], data=form["fields"], files={"file": (name, content)})
        assert answer.status_code == 204, answer.text
        return form["fields"]["key"]

    def run_file(self, tool, path):
        return self.call(tool, json.dumps({"file": path}), source_type="file")

    def end_of(self, accepted, seconds=60):
        """The last status; every one on the way is checked."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.http.get(accepted["status_url"]).json()
            if found["status"] not in {"queued", "processing"}:
                return found
            assert {name: found[name] for name in WAITING} == WAITING
            assert found.keys() == {"job_id", "status", "created_at", "updated_at", *WAITING}
            pause()
        raise AssertionError(found)


@pytest.fixture
def user(tools, request):
    made = User(tools, re.sub(r"\W+", "-", request.node.name)[:60].strip("-").lower())
    yield made
    made.http.close()
    made.jobs.close()


def own(sample, user, job_id=UNKNOWN):
    """A sample of the vendor's with host, key and id of ours."""
    replaced = sample.replace("https://api.apidatatools.com", user.server.url)
    return replaced.replace("your_api_key", user.key).replace(UNKNOWN, job_id)


def run(sample, language, user, job_id=UNKNOWN):
    text = own(sample, user, job_id)
    command = ["sh", "-c", text] if language == "curl" else [*INTERPRETERS[language], text]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)


def refused(code, message, **details):
    return {"status": "error", "error": code, "details": {"message": message, **details}}


@pytest.mark.parametrize(
    ("line", "preview"),
    [*zip(SUBMITTING, [FORMATTED, FORMATTED, "hello world?"], strict=True)],
)
def test_the_submitting_lines_of_the_vendor(user, line, preview):
    answer = json.loads(run(line, "curl", user).stdout)
    assert (answer["status"], answer["preview"]) == ("success", preview)
    assert UUID.fullmatch(answer["request_id"])
    assert re.search(r"/apidatatools_convert_\w+\.(json|txt)$", answer["file"])


@pytest.mark.parametrize("language", sorted(POSTING))
def test_the_submitting_samples_of_the_vendor(user, language):
    answer = json.loads(run(POSTING[language], language, user).stdout)
    assert answer["preview"] == FORMATTED


def test_the_status_samples_of_the_vendor_through_all_states(user):
    key = user.upload("data.json", b'{"name":"John","age":30}')
    accepted = user.run_file("json-formatter", key).json()
    told = run(SAMPLES["node"], "node", user, accepted["job_id"]).stdout
    assert told.rpartition("Job completed successfully: ")[2].startswith("{")
    assert json.loads(run(SAMPLES["curl"], "curl", user, accepted["job_id"]).stdout)["result"]
    done = run(SAMPLES["python"], "python", user, accepted["job_id"]).stdout
    assert done.startswith("Job complete: {'status': 'success'")
    broken = user.run_file("json-formatter", user.upload("bad.json", b'{\n"a" 1}')).json()
    user.end_of(broken)
    failed = run(SAMPLES["node"], "node", user, broken["job_id"])
    assert "Job failed:" in failed.stderr
    assert "INVALID_JSON" in failed.stderr
    assert run(SAMPLES["python"], "python", user, broken["job_id"]).stdout.startswith("Error: {")


def test_a_waiting_job_has_a_message_and_a_hint_for_the_samples(tmp_path):
    server = ServerProcess(tmp_path / "server", workers=0)
    server.init()
    server.start()
    try:
        waiting = User(server, "waiting")
        accepted = waiting.run_file("base64-encoder", waiting.upload("a.txt", b"x")).json()
        told = waiting.http.get(f"/jobs/{accepted['job_id']}").json()
        assert told["status"] == "queued"
        assert {name: told[name] for name in WAITING} == WAITING
        said = run(SAMPLES["python"], "python", waiting, accepted["job_id"]).stdout
        assert said == "Your job is being processed. - retry after 2 seconds\n"
        waiting.jobs.delete(f"/v1/jobs/{_native_id(waiting)}")
        told = waiting.http.get(f"/jobs/{accepted['job_id']}").json()
        assert (told["status"], told["error"]) == (
            "failed",
            {"code": "JOB_CANCELED", "message": "The job was canceled.", "details": {}},
        )
        waiting.http.close()
        waiting.jobs.close()
    finally:
        server.stop()


def _native_id(user):
    [job] = user.jobs.get("/v1/jobs").json()["jobs"]
    return job["id"]


def test_an_accepted_job_is_what_the_synchronous_call_would_have_given(user):
    content = '{"b":[1.50,"é"],"a":{}}'
    at_once = user.call("json-formatter", content).json()
    answer = user.run_file("json-formatter", user.upload("data.json", content.encode()))
    assert answer.status_code == 202
    accepted = answer.json()
    assert accepted.keys() == {"status", "job_id", "status_url", "request_id"}
    assert accepted["status"] == "accepted"
    assert accepted["status_url"].endswith(f"/jobs/{accepted['job_id']}")
    end = user.end_of(accepted)
    assert end.keys() == {"job_id", "status", "created_at", "updated_at", "result"}
    assert isinstance(end["created_at"], int)
    assert end["created_at"] <= end["updated_at"] <= time.time()
    assert end["result"]["request_id"] == accepted["request_id"]
    assert end["result"].keys() == at_once.keys()
    assert end["result"]["preview"] == at_once["preview"]
    files = [httpx.get(each["file"]) for each in (at_once, end["result"])]
    assert user.jobs.get(f"/v1/jobs/{_native_id(user)}/result").content == files[0].content
    assert files[0].content == files[1].content == at_once["preview"].encode()
    for file in files:
        assert file.headers["x-content-type-options"] == "nosniff"
        assert re.fullmatch(
            r'attachment; filename="apidatatools_convert_\w+\.json"',
            file.headers["content-disposition"],
        )


def test_every_tool_at_once_and_as_a_job(user):
    accepted = {}
    for tool, options, content, part, suffix, output in TOOLS:
        answer = user.call(tool, content, **options).json()
        assert part in answer["preview"], (tool, answer)
        assert answer["file"].endswith(output)
        assert httpx.get(answer["file"]).text == answer["preview"]
        file = json.dumps({"file": user.upload(f"content{suffix}", content.encode())})
        job = user.call(tool, file, source_type="file", **options).json()
        accepted[tool] = (job, answer["preview"])
    for tool, (job, preview) in accepted.items():
        assert user.end_of(job)["result"]["preview"] == preview, tool


def test_a_tool_takes_files_of_its_suffixes_alone(user):
    for tool, _, _, _, suffix, _ in TOOLS:
        answer = user.call(tool, '{"url": "https://example.com/x.sql"}', source_type="url")
        assert (answer.status_code, answer.json()["error"]) == (400, "UNSUPPORTED_FILE_TYPE")
        assert suffix in answer.json()["details"]["message"], tool


def test_a_fault_in_a_file_is_told_to_the_character(user):
    end = user.end_of(user.run_file("json-formatter", user.upload("a.json", b'{\n"a" 1}')).json())
    assert (end["status"], end["error"]) == (
        "failed",
        {
            "code": "INVALID_JSON",
            "message": "JSON validation failed.",
            "details": {"line": 2, "column": 5},
        },
    )
    answer = user.call("json-formatter", '{\n"a" 1}')
    assert (answer.status_code, answer.json()) == (
        400,
        refused("INVALID_JSON", "JSON validation failed.", line=2, column=5),
    )


def test_a_fault_far_into_a_file_is_told_to_the_character(user):
    lines = [json.dumps({"name": "Zoë", "n": n}, ensure_ascii=False) for n in range(200_000)]
    lines[150_000] = '{"name": "Zoë" "n": 1}'
    text = "[\n" + ",\n".join(lines) + "\n]"
    key = user.upload("large.json", text.encode())
    end = user.end_of(user.run_file("json-validator", key).json())
    assert end["error"]["details"] == {"line": 150_002, "column": 16}


def test_the_error_table_of_the_status_page(tools, user):
    stranger = User(tools, "stranger")
    theirs = stranger.run_file("base64-encoder", stranger.upload("a.txt", b"x")).json()["job_id"]
    missing = refused("INVALID_JOB_ID", "job_id is required")
    for path in ("/jobs", "/jobs/"), ("/status-api", "/status-api/"):
        for each in path:
            answer = user.http.get(each)
            assert (answer.status_code, answer.json()) == (400, missing), each
        answer = user.http.get(f"{path[0]}/a b")
        assert (answer.status_code, answer.json()) == (400, missing)
        answer = httpx.get(f"{tools.url}{path[0]}/{UNKNOWN}")
        told = refused("UNAUTHORIZED", "Missing authorizer context")
        assert (answer.status_code, answer.json()) == (401, told)
        answer = httpx.get(f"{tools.url}{path[0]}/x", headers={"x-api-key": "no key"})
        assert (answer.status_code, answer.json()) == (401, told)
        answer = user.http.get(f"{path[0]}/{theirs}")
        assert (answer.status_code, answer.json()) == (403, refused("FORBIDDEN", "Access denied"))
        for unknown in (UNKNOWN, "job-12345", "job-12345-abcde"):
            answer = user.http.get(f"{path[0]}/{unknown}")
            told = refused("JOB_NOT_FOUND", "Job not found")
            assert (answer.status_code, answer.json()) == (404, told)
    stranger.http.close()
    stranger.jobs.close()


def test_too_many_status_calls_are_told_and_cost_nothing_else(user):
    answers = [user.http.get(f"/jobs/{UNKNOWN}") for _ in range(125)]
    codes = [answer.status_code for answer in answers]
    assert codes == [404] * 120 + [429] * 5
    told = refused("RATE_LIMITED", "Too many status requests. Please slow down.")
    assert answers[-1].json() == told
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    for path in (f"/status-api/{UNKNOWN}", "/status-api/", "/jobs"):
        assert user.http.get(path).status_code == 429
    assert user.call("base64-encoder", "x").status_code == 200


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"source_type": "web"}, "x", 400, "INVALID_SOURCE_TYPE"),
        ({"source_type": "url"}, "{}", 400, "INVALID_REQUEST"),
        ({"source_type": "file"}, "no json", 400, "INVALID_REQUEST"),
        ({"source_type": "file"}, '{"file": "x/none.json"}', 404, "FILE_NOT_FOUND"),
        ({"source_type": "url"}, '{"url": "http://10.0.0.1/a.json"}', 400, "INVALID_URL"),
        ({"source_type": "url"}, '{"url": "file:///etc/passwd"}', 400, "INVALID_URL"),
        ({"source_type": "url"}, '{"url": "https://example.com/a.exe"}', 400,
         "UNSUPPORTED_FILE_TYPE"),
        ({"tab_space": "9"}, "{}", 400, "INVALID_OPTION"),
        ({"tab_space": "two"}, "{}", 400, "INVALID_OPTION"),
        ({"tab_space": "0002000000000"}, "[1]", 400, "INVALID_OPTION"),
        ({"tab_space": "0" * 5000}, "[1]", 400, "INVALID_OPTION"),
        ({"content_encoding": "gzip"}, "[1]", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({}, "", 400, "EMPTY_INPUT"),
        ({}, b'{"a": "\xff"}', 400, "INVALID_ENCODING"),
    ],
)  # fmt: skip
def test_what_a_tool_does_not_take_is_refused_with_its_code(user, headers, content, status, code):
    answer = user.call("json-formatter", content, **headers)
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text
    assert answer.json()["details"]["message"]


def test_other_refusals_have_the_same_form(user):
    answers = {
        415: user.http.post("/json-formatter-api", files={"file": ("a.json", b"{}")}),
        405: user.http.get("/json-formatter-api"),
        404: user.call("json-unknown", "{}"),
        413: user.call("json-formatter", b" " * (10 * 1024 * 1024 + 1)),
        401: httpx.post(f"{user.server.url}/json-formatter-api", content=b"{}"),
    }
    codes = {
        415: "UNSUPPORTED_MEDIA_TYPE", 405: "METHOD_NOT_ALLOWED", 404: "NOT_FOUND",
        413: "PAYLOAD_TOO_LARGE", 401: "UNAUTHORIZED",
    }  # fmt: skip
    for status, answer in answers.items():
        assert (answer.status_code, answer.json()["error"]) == (status, codes[status])
        assert answer.json()["status"] == "error"
    assert answers[405].headers["allow"] == "POST"


def test_a_wrapper_is_unwrapped_and_content_is_not(user):
    def preview(tool, content):
        return user.call(tool, content).json()["preview"]

    assert preview("base64-encoder", '{"content": "hello"}') == "aGVsbG8="
    assert preview("json-minify", '{"content": " [1] "}') == "[1]"
    assert preview("json-minify", '{"content": "hello"}') == '{"content":"hello"}'
    assert preview("json-minify", '{"content": 1}') == '{"content":1}'
    assert preview("json-minify", '{"content": "[1]", "x": 2}') == '{"content":"[1]","x":2}'


def test_an_upload_takes_its_file_once_and_only_with_its_form(user):
    answer = user.http.post("/upload-api", json={"filename": "project_data.json"})
    assert answer.status_code == 200
    told = answer.json()
    assert re.fullmatch(r"upl_[0-9a-f]{32}", told["upload_id"])
    form = told["upload"]
    assert set(form["fields"]) == {
        "key", "x-amz-meta-user-id", "x-amz-meta-upload-id", "x-amz-meta-original-filename",
        "policy", "x-amz-signature",
    }  # fmt: skip
    assert form["fields"]["policy"].startswith("ey")
    for field in form["fields"]:
        for altered in ({**form["fields"], field: "x"}, _without(form["fields"], field)):
            answer = httpx.post(form["url"], data=altered, files={"file": b"{}"})
            assert (answer.status_code, answer.json()["error"]) == (403, "UPLOAD_DENIED"), field
    wrong = form["url"].replace("/ey", "/fy")
    assert httpx.post(wrong, data=form["fields"], files={"file": b"{}"}).status_code == 403
    parts = [f"-F{name}={value}" for name, value in form["fields"].items()]
    sent = subprocess.run(
        ["curl", "-s", "-w", "%{http_code}", *parts, "-Ffile=@-;filename=project_data.json",
         form["url"]],
        input=b'{"a":1}', capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    assert sent.stdout == b"204"
    answer = httpx.post(form["url"], data=form["fields"], files={"file": b"{}"})
    assert (answer.status_code, answer.json()["error"]) == (409, "UPLOAD_ALREADY_DONE")
    assert user.http.post("/upload-api", json={"filename": "x.json"}).status_code == 200
    upload, name = told["upload_id"], "project_data.json"
    for path in (
        f"user/uploads/{upload}/{name}", f"user_uploads/{name}", f"user_uploads/abcd1234/{name}",
        f"user_uploads/{upload}/{name}", f"user123/uploads/{name}",
        f"user123/uploads/{upload}/{name}", f"uploads/user123/{name}", f"user/uploads/{name}",
        form["fields"]["key"], name,
    ):  # fmt: skip
        accepted = user.run_file("json-minify", path)
        assert accepted.status_code == 202, path
        assert user.end_of(accepted.json())["result"]["preview"] == '{"a":1}'
    for path in (f"{upload}/other.json", f"upl_{'0' * 32}/{name}", "../../etc/passwd"):
        assert user.run_file("json-minify", path).status_code == 404


def test_no_more_is_promised_than_the_plan_has(user):
    def ask(_):
        return user.http.post("/upload-api", json={"filename": "a.json"})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(103)))
    assert sorted(answer.status_code for answer in answers) == [200] * 100 + [403] * 3
    assert {answer.json().get("error") for answer in answers} == {None, "QUOTA_EXCEEDED"}


def test_what_follows_the_file_of_a_form_is_ignored(user):
    form = user.http.post("/upload-api", json={"filename": "a.json"}).json()["upload"]
    fields = [(name, (None, value)) for name, value in form["fields"].items()]
    file = ("file", ("a.json", b"[1]"))
    answer = httpx.post(form["url"], files=[file, *fields])
    assert (answer.status_code, answer.json()["error"]) == (403, "UPLOAD_DENIED")
    more = [("key", (None, "another")), ("file", ("b.json", b"[2]")), ("x", (None, "y"))]
    assert httpx.post(form["url"], files=[*fields, file, *more]).status_code == 204
    accepted = user.run_file("json-minify", form["fields"]["key"]).json()
    assert user.end_of(accepted)["result"]["preview"] == "[1]"


def _without(fields, name):
    return {each: value for each, value in fields.items() if each != name}


def test_an_upload_is_nobody_elses(tools, user):
    key = user.upload("mine.json", b"{}")
    stranger = User(tools, "another-stranger")
    answer = stranger.run_file("json-minify", key)
    assert (answer.status_code, answer.json()["error"]) == (404, "FILE_NOT_FOUND")
    stranger.http.close()
    stranger.jobs.close()


@pytest.mark.parametrize(
    "name", ["", "a", "a.exe", "a.b.json", "a/b.json", "../a.json", "a b.json", f"{'a' * 96}.json"]
)
def test_a_name_that_is_none_is_refused(user, name):
    answer = user.http.post("/upload-api", json={"filename": name})
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_FILENAME")


def test_a_url_is_fetched_under_the_guard(user, source):
    def fetch(path):
        body = json.dumps({"url": f"{source}{path}"})
        return user.end_of(user.call("json-minify", body, source_type="URL").json())

    assert fetch("/data.json")["result"]["preview"] == '{"from":"afar"}'
    assert fetch("/none.json")["error"]["code"] == "URL_FETCH_FAILED"
    away = fetch("/away.json")["error"]
    assert away["code"] == "INVALID_URL"
    assert "10.255" not in json.dumps(away)


def test_slow_sources_hold_one_worker_of_a_user(tools, user, source):
    waiting = [
        user.call("json-minify", json.dumps({"url": f"{source}/slow.json?{n}"}), source_type="url")
        for n in range(3)
    ]
    stranger = User(tools, "in-no-hurry")
    path = stranger.upload("a.json", b"[ 1 ]")
    assert stranger.end_of(stranger.run_file("json-minify", path).json(), 20)["status"] == "success"
    states = [user.http.get(answer.json()["status_url"]).json()["status"] for answer in waiting]
    assert sorted(states) == ["processing", "queued", "queued"]
    for job in user.jobs.get("/v1/jobs").json()["jobs"]:
        user.jobs.delete(f"/v1/jobs/{job['id']}")
    stranger.http.close()
    stranger.jobs.close()


def test_a_preview_is_the_beginning_and_never_more(user):
    content = "é" * 5_000
    answer = user.call("text-minify", content).json()
    assert answer["preview"] == "é" * 1_000
    assert httpx.get(answer["file"]).text.rstrip("\n") == content


def test_what_is_no_text_has_an_empty_preview_and_another_suffix(user):
    answer = user.call("base64-decoder", "/9j/4AAQ").json()
    assert answer["preview"] == ""
    assert answer["file"].endswith(".bin")
    assert httpx.get(answer["file"]).content == b"\xff\xd8\xff\xe0\x00\x10"


def test_a_download_can_be_resumed(user):
    answer = user.call("base64-encoder", "x" * 300_000).json()
    whole = httpx.get(answer["file"])
    half = httpx.get(answer["file"], headers={"Range": "bytes=0-199999"})
    rest = httpx.get(
        answer["file"], headers={"Range": "bytes=200000-", "If-Range": half.headers["etag"]}
    )
    assert (half.status_code, rest.status_code) == (206, 206)
    assert half.content + rest.content == whole.content
    forged = answer["file"].replace("/ey", "/fy")
    assert httpx.get(forged).status_code == 404


def test_a_job_survives_the_death_of_all_processes(tmp_path):
    server = ServerProcess(tmp_path / "server", workers=1)
    server.init()
    server.start()
    try:
        user = User(server, "survivor")
        text = "[" + ",".join(f'{{"n":{n}}}' for n in range(400_000)) + "]"
        accepted = user.run_file("json-formatter", user.upload("large.json", text.encode())).json()
        server.kill()
        server.start()
        again = httpx.Client(base_url=server.url, headers={"x-api-key": user.key}, timeout=60)
        accepted["status_url"] = f"/jobs/{accepted['job_id']}"
        user.http.close()
        user.http = again
        end = user.end_of(accepted)
        file = httpx.get(end["result"]["file"].replace("https", "http"))
        assert json.loads(file.text) == json.loads(text)
        again.close()
        user.jobs.close()
    finally:
        server.kill()
