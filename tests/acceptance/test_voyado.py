"""Voyado as its clients speak it: the vendor's command lines, and every line of the contract."""

from __future__ import annotations

import gzip
import re
import socket
import subprocess
import time

import httpx
import pytest

from waybill.testing.server import ServerProcess, pause

STATUS_LINE = r"""
curl -i \
-X GET \
-H "Api-Key: {PRIVATE-KEY}" \
"https://{cluster-id}.api.esales.apptus.cloud/api/v2/import/status/5300580843122327405"
"""
UPLOAD_LINE = r"""
curl -i \
-T products-full-import-w-variants.xml \
-H "Content-Type: application/xml" \
-H "Api-Key: {PRIVATE-KEY}" \
"https://{cluster-id}.api.esales.apptus.cloud/api/v2/import/products?name=products-2017-09-06"
"""
SEED_ID = "5300580843122327405"
DANGEROUS = (
    "Import failed. The import was rejected for being dangerous: it would remove {gone} of {stored}"
    " products. Use force=true to override."
)


@pytest.fixture(scope="module")
def voyado(tmp_path_factory):
    """A server with the clusters of this module."""
    running = ServerProcess(tmp_path_factory.mktemp("voyado"), workers=2)
    running.init()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def cluster(voyado, request):
    """A client of a cluster of its own."""
    made = new_cluster(voyado, re.sub(r"\W+", "-", request.node.name)[:60].strip("-").lower())
    yield made
    made.close()


class Cluster:
    """What one key may do. ``native``: a token of the native API in the same project."""

    def __init__(self, server, name, key, native):
        self.server, self.name, self.key, self.native = server, name, key, native
        self.http = httpx.Client(base_url=server.url, headers={"Api-Key": key}, timeout=120)
        self.jobs = server.client(native)

    def close(self):
        self.http.close()
        self.jobs.close()

    def load(self, feed, kind="products", **query):
        return self.http.post(
            f"/api/v2/import/{kind}",
            params=query,
            content=feed.encode() if isinstance(feed, str) else feed,
            headers={"Content-Type": "application/xml"},
        )

    def status(self, answer):
        return self.http.get(answer.headers["location"]).json()

    def end_of(self, answer, seconds=60):
        """The last status; every one on the way is in ``seen``."""
        self.seen, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.status(answer)
            if found["status"] not in self.seen[-1:]:
                self.seen.append(found["status"])
            if found["status"] not in {"BLOCKED", "WAITING", "IN_PROGRESS"}:
                return found
            pause()
        raise AssertionError(f"no end: {self.seen}")

    def export(self, kind="products"):
        answer = self.http.get(f"/api/v2/export/{kind}")
        assert answer.status_code == 200
        return answer.text


def new_cluster(server, name):
    server.run("project", "add", str(server.directory), name, check=False)
    made = {}
    for dialect in ("voyado", "waybill"):
        told = server.run(
            "credential", "add", str(server.directory), "--dialect", dialect, "--project", name,
            "--json",
        )  # fmt: skip
        made[dialect] = httpx.Response(200, text=told.stdout).json()
    return Cluster(server, name, made["voyado"]["api_key"], made["waybill"]["token"])


def products(*keys, title="T", clear=False, inside=""):
    records = "".join(
        f"<product><product_key>{key}</product_key><title>{title}</title>{inside}</product>"
        for key in keys
    )
    clears = "<clear><category_tree/><product/></clear>" if clear else ""
    return f"<operations>{clears}<add>{records}</add></operations>"


def run_line(line, cluster, folder=None):
    line = line.replace("{PRIVATE-KEY}", cluster.key)
    line = line.replace("https://{cluster-id}.api.esales.apptus.cloud", cluster.server.url)
    told = subprocess.run(  # noqa: S602 - the vendor's own line
        line, shell=True, check=True, capture_output=True, text=True, cwd=folder, timeout=60
    ).stdout
    head, _, body = told.rpartition("HTTP/1.1 ")[2].partition("\n\n")  # read with plain newlines
    return head, body


def test_the_status_line_of_the_seed(cluster):
    head, body = run_line(STATUS_LINE, cluster)
    assert head.startswith("200")
    assert "content-type: application/json" in head.lower()
    assert body == f'{{"id":"{SEED_ID}","status":"NOT_FOUND"}}'


@pytest.mark.parametrize("change", [None, "-X POST -T", "--data-binary @", "gzip", "bare gzip"])
def test_the_upload_line_of_the_vendor(cluster, tmp_path, change):
    file = tmp_path / "products-full-import-w-variants.xml"
    variant = "<variant><variant_key>V1</variant_key><size>L</size></variant>"
    text = products("P1", "P2", clear=True, inside=variant).encode()
    file.write_bytes(gzip.compress(text) if change in ("gzip", "bare gzip") else text)
    line = UPLOAD_LINE
    if change == "gzip":
        line = line.replace('-H "Content', '-H "Content-Encoding: gzip" -H "Content', 1)
    elif change == "-X POST -T":
        line = line.replace("-T ", "-X POST -T ")
    elif change == "--data-binary @":
        line = line.replace("-T ", f"{change}")
    head, body = run_line(line, cluster, tmp_path)
    assert head.startswith("204")
    assert body == ""
    assert "P2" in cluster.export()
    where = re.search(r"location: (\S+)", head)[1]
    assert cluster.http.get(where).json()["status"] == "SUCCESS"
    jobs = cluster.jobs.get("/v1/jobs").json()["jobs"]
    assert jobs[0]["client_ref"] == "products-2017-09-06"


def test_an_answer_at_once_is_the_import_information(cluster):
    answer = cluster.load(products("P1"), blockingTimeout="PT0S")
    assert answer.status_code == 202
    told = answer.json()
    assert set(told) == {"id", "status", "type"}
    assert re.fullmatch("[0-9]{19}", told["id"])
    assert int(told["id"]) < 2**63
    assert told["type"] == "PRODUCTS"
    assert told["status"] in {"WAITING", "IN_PROGRESS", "SUCCESS"}
    assert answer.headers["location"] == f"/api/v2/import/status/{told['id']}"
    end = cluster.end_of(answer)
    assert end == {"id": told["id"], "status": "SUCCESS", "type": "PRODUCTS"}
    admin = cluster.http.get("/api/admin/v3/import/status", params={"id": told["id"]}).json()
    assert admin == {"id": told["id"], "reason": None, "status": "SUCCESS"}


def test_imports_of_one_type_wait_for_each_other_and_others_do_not(cluster):
    keys = [f"P{number}" for number in range(60_000)]
    feeds = [products(*keys, title=title) for title in "ABC"]
    first, second, third = (cluster.load(feed, blockingTimeout="PT0S") for feed in feeds)
    assert [cluster.status(each)["status"] for each in (second, third)] == ["BLOCKED"] * 2
    ad = "<operations><add><ad><ad_key>A</ad_key></ad></add></operations>"
    assert cluster.load(ad, "ads").status_code == 204
    assert cluster.status(third)["status"] == "BLOCKED"
    assert cluster.end_of(third)["status"] == "SUCCESS"
    assert cluster.seen[0] == "BLOCKED"
    assert [cluster.status(each)["status"] for each in (first, second)] == ["SUCCESS"] * 2
    assert "IN_PROGRESS" in cluster.seen


def test_an_aborted_import_leaves_the_old_catalogue_and_frees_its_lane(cluster):
    cluster.load(products("OLD"))
    before = cluster.export()
    large = products(*(f"P{number}" for number in range(150_000)))
    running = cluster.load(large, blockingTimeout="PT0S")
    blocked = cluster.load(products("NEXT"), blockingTimeout="PT0S")
    never = cluster.load(products("NEVER"), blockingTimeout="PT0S")
    native = cluster.jobs
    while cluster.status(running)["status"] != "IN_PROGRESS":
        pause()
    assert native.delete(f"/v1/jobs/{never.json()['id']}").status_code == 200
    assert cluster.status(never)["status"] == "ABORTED"
    assert cluster.export() == before
    assert native.delete(f"/v1/jobs/{running.json()['id']}").status_code in {200, 202}
    assert cluster.end_of(running)["status"] == "ABORTED"
    assert cluster.end_of(blocked)["status"] == "SUCCESS"
    assert "NEXT" in cluster.export()
    assert "P1<" not in cluster.export()
    assert "NEVER" not in cluster.export()


def test_readers_see_the_old_catalogue_or_the_new_one(cluster):
    keys = [f"P{number:05}" for number in range(20_000)]
    cluster.load(products(*keys, title="old"))
    answer = cluster.load(products(*keys, title="new"), blockingTimeout="PT0S")
    words = set()
    while cluster.status(answer)["status"] != "SUCCESS":
        found = set(re.findall("<title>(old|new)</title>", cluster.export()))
        assert len(found) == 1
        words |= found
    assert "old" in words
    assert set(re.findall("<title>(old|new)</title>", cluster.export())) == {"new"}


def test_one_wrong_entity_fails_the_whole_import(cluster):
    cluster.load(products("P1"))
    before = cluster.export()
    wrong = (
        "<operations>\n<add>\n<product><product_key>P2</product_key></product>\n"
        "<product><title>x</title></product>\n</add>\n"
        "<update><product><product_key>NO</product_key><a>1</a></product></update></operations>"
    )
    answer = cluster.load(wrong)
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert message.startswith("Import failed. product in line 4: product_key of product is missing")
    late = cluster.load(wrong, blockingTimeout="PT0S")
    end = cluster.end_of(late)
    assert (end["status"], end["message"]) == ("FAILURE", message)
    assert cluster.export() == before


def test_broken_xml_changes_nothing(cluster):
    cluster.load(products("P1"))
    before = cluster.export()
    broken = products(*(f"Q{number}" for number in range(100)))[:-20]
    answer = cluster.load(broken)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Import failed. ")
    late = cluster.end_of(cluster.load(broken, blockingTimeout="PT0S"))
    assert late["status"] == "FAILURE"
    assert cluster.export() == before


def test_a_failed_import_frees_its_lane_at_once(cluster):
    broken = products(*(f"Q{number}" for number in range(60_000)))[:-20]
    failing = cluster.load(broken, blockingTimeout="PT0S")
    assert cluster.load(products("NEXT"), blockingTimeout="PT1M").status_code == 204
    assert cluster.status(failing)["status"] == "FAILURE"
    assert cluster.export().count("<product>") == 1


def test_what_is_xml_and_no_feed_is_no_success(cluster):
    for text in ("<html><body/></html>", "<product/>", "<operations><add>text</add></operations>"):
        answer = cluster.load(text)
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("Import failed. ")


def test_an_unknown_key_is_an_error_in_update_and_none_in_remove(cluster):
    cluster.load(products("P1"))
    remove = "<remove><product><product_key>{}</product_key></product></remove>"
    assert cluster.load(f"<operations>{remove.format('NO')}</operations>").status_code == 204
    update = "<update><product><product_key>NO</product_key><a>1</a></product></update>"
    answer = cluster.load(f"<operations>{update}</operations>")
    assert answer.status_code == 400
    assert "product 'NO' in line 1" in answer.json()["message"]


def test_a_harmful_import_is_refused_unless_it_is_forced(cluster):
    many = [f"P{number:03}" for number in range(100)]
    assert cluster.load(products(*many)).status_code == 204
    harmful = products("P001", "P002", "N1", clear=True)
    answer = cluster.load(harmful)
    assert answer.status_code == 400
    assert answer.json() == {"message": DANGEROUS.format(gone=98, stored=100)}
    late = cluster.end_of(cluster.load(harmful, blockingTimeout="PT0S"))
    assert (late["status"], late["message"]) == ("FAILURE", answer.json()["message"])
    assert cluster.export().count("<product>") == 100
    assert cluster.load(harmful, force="true").status_code == 204
    assert cluster.export().count("<product>") == 3
    assert cluster.load(products("ONE", clear=True)).status_code == 204  # fewer than ten


def test_the_operations_are_carried_out_in_their_order_wherever_they_stand(cluster):
    feed = (
        "<operations>"
        "<update><product><product_key>A</product_key><color>red</color><size/></product></update>"
        "<add><product><product_key>A</product_key><size>L</size><title>first</title></product>"
        "<product><product_key>A</product_key><size>M</size><title>second</title></product></add>"
        "<remove><product><product_key>A</product_key></product></remove>"
        "<clear><product/></clear><add/></operations>"
    )
    assert cluster.load(feed).status_code == 204
    inside = "<product_key>A</product_key><title>second</title><color>red</color>"
    assert f"<product>{inside}</product>" in cluster.export()


def test_variants_stay_with_their_product_until_it_is_removed(cluster):
    variant = "<variants><variant><variant_key>V1</variant_key><size>L</size></variant></variants>"
    cluster.load(products("P", "Q", inside=variant))
    alone = (
        "<operations><add><variant><product_key>P</product_key><variant_key>V2</variant_key>"
        "</variant></add></operations>"
    )
    assert cluster.load(alone).status_code == 204
    assert cluster.load(products("P", title="again")).status_code == 204
    kept = cluster.export()
    assert kept.count("<product_key>P</product_key>") == 1
    assert "again</title><variants><variant><variant_key>V1" in kept
    assert "<variant_key>V2</variant_key>" in kept
    remove = "<remove><product><product_key>P</product_key></product></remove>"
    add = "<add><product><product_key>P</product_key></product></add>"
    assert cluster.load(f"<operations>{add}{remove}</operations>").status_code == 204
    left = cluster.export()
    assert "<product><product_key>P</product_key></product>" in left
    assert left.count("<variant_key>") == 1


def test_an_export_imports_again_to_the_same_state(cluster):
    feed = (
        "<operations><add><category_tree><category><category_key>C1</category_key>"
        "<display_name>Böcker &amp; film</display_name><category><category_key>C2</category_key>"
        "</category></category></category_tree>"
        '<product><product_key>P|1</product_key><locale>en-GB</locale><title locale="sv-SE">Hej'
        '</title><title xml:lang="en">Hi</title><tag>a</tag><tag>b</tag><price unit="SEK">1'
        "<b>2</b></price><empty/><text> two\n lines\t&lt;&quot;\\ </text><category>C2</category>"
        "<variants><variant><variant_key>V</variant_key></variant></variants></product>"
        "<product><product_key>P</product_key></product></add></operations>"
    )
    assert cluster.load(feed).status_code == 204
    before = cluster.export()
    assert before.index("<product_key>P</product_key>") < before.index("P|1")
    zipped = cluster.http.get("/api/v2/export/products", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.text == before
    answer = cluster.load(before)
    assert answer.status_code == 204
    assert cluster.export() == before
    native = cluster.jobs
    job = native.get("/v1/jobs", params={"limit": 1}).json()["jobs"][0]
    assert job["counts"]["unchanged"] == job["counts"]["read"] == 5
    cluster.load(
        "<operations><add><product><product_key>X</product_key></product></add></operations>"
    )
    assert cluster.load(before).status_code == 204
    assert cluster.export() == before


@pytest.mark.parametrize("kind", ["ads", "synonyms", "configuration", "panels"])
def test_other_types_are_kept_and_given_back(cluster, kind):
    records = {
        "ads": "<ad><ad_key>A</ad_key><image>x</image></ad><ad><ad_key>B</ad_key></ad>",
        "synonyms": "<synonym><key>k</key><word>a</word><word>b</word></synonym><plain>tv</plain>",
        "configuration": "<rule><rule_key>r</rule_key><deep><er>1</er></deep></rule>",
        "panels": "<panel><id>1</id></panel><panel><id>2</id></panel>",
    }[kind]
    assert cluster.load(f"<operations><add>{records}</add></operations>", kind).status_code == 204
    before = cluster.export(kind)
    assert cluster.load(before, kind.upper()).status_code == 204
    assert cluster.export(kind) == before
    assert cluster.export("products").count("<product>") == 0
    for element in re.findall("<([a-z]+)>", records)[:1]:
        assert f"<{element}>" in before


def test_refusals_are_told_in_the_vendors_words(cluster, voyado):
    def told(answer):
        return answer.status_code, answer.json()["message"]

    path = f"/api/v2/import/status/{SEED_ID}"
    url = voyado.url
    wrong_key = (403, "Api-Key could not be validated.")
    assert told(httpx.get(url + path)) == wrong_key
    assert told(httpx.get(url + path, headers={"Api-Key": "nonsense"})) == wrong_key
    hosts = {
        "unknown.api.esales.apptus.cloud": (404, "Cluster not found."),
        "unknown.elevate-api.cloud:8443": (404, "Cluster not found."),
        "demo.elevate-api.cloud": wrong_key,
    }
    for host, wanted in hosts.items():
        assert told(cluster.http.get(path, headers={"Host": host})) == wanted
    own = f"{cluster.name.upper()}.api.esales.apptus.cloud"
    assert cluster.http.get(path, headers={"Host": own}).json()["status"] == "NOT_FOUND"
    post = cluster.http.post
    assert told(post("/api/v2/import/prices", content=b"<a/>")) == (
        404, "Import type 'prices' not found.",
    )  # fmt: skip
    assert told(httpx.post(f"{url}/api/v2/import/prices", content=b"<a/>")) == wrong_key
    assert told(cluster.http.get("/api/v2/import/nothing/here")) == (404, "Not found.")
    wrong_method = cluster.http.delete("/api/v2/import/products")
    assert told(wrong_method) == (405, "Method not allowed.")
    assert wrong_method.headers["allow"] == "POST, PUT"
    feed = products("P1").encode()
    for query in ({"blockingTimeout": "1M"}, {"force": "perhaps"}, {"name": "x" * 201}):
        assert post("/api/v2/import/products", params=query, content=feed).status_code == 400
    for body in (b"", b"not xml", gzip.compress(b"")):
        assert post("/api/v2/import/products", content=body).status_code == 400
    for headers in ({"Content-Encoding": "br"}, {"Content-Type": "text/csv"}):
        assert post("/api/v2/import/products", content=feed, headers=headers).status_code == 415
    assert cluster.export().count("<product>") == 0


def test_a_status_is_known_to_its_own_cluster_alone(cluster, voyado):
    answer = cluster.load(products("P1"))
    other = new_cluster(voyado, "somebody-else")
    assert other.http.get(answer.headers["location"]).json()["status"] == "NOT_FOUND"
    other.close()
    for asked in ("abc", "1", "9" * 30):
        told = cluster.http.get(f"/api/v2/import/status/{asked}").json()
        assert told == {"id": asked, "status": "NOT_FOUND"}


def test_the_first_generation_has_no_waiting_list(cluster):
    auth = (cluster.name, cluster.key)
    url = cluster.server.url + "/api/v1/import/products"
    feed = products("P1").encode()
    assert httpx.post(url, content=feed, auth=auth, timeout=60).status_code == 204
    large = products(*(f"P{number}" for number in range(60_000)))
    running = cluster.load(large, blockingTimeout="PT0S")
    refused = httpx.post(url, content=feed, auth=auth)
    assert (refused.status_code, refused.json()) == (
        409, {"message": "An import of the same type is currently in progress."},
    )  # fmt: skip
    assert cluster.end_of(running)["status"] == "SUCCESS"


def test_a_client_that_hangs_up_does_not_cancel(cluster):
    large = products(*(f"P{number}" for number in range(40_000))).encode()
    head = (
        f"POST /api/v2/import/products HTTP/1.1\r\nHost: localhost\r\nApi-Key: {cluster.key}\r\n"
        f"Content-Length: {len(large)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", cluster.server.port)) as connection:
        connection.sendall(head.encode() + large)
        while not (found := cluster.jobs.get("/v1/jobs").json()["jobs"]):
            pause()
    [job] = found
    end = cluster.jobs.get(f"/v1/jobs/{job['id']}", params={"wait": 60}).json()
    assert end["state"] == "succeeded"


def test_too_many_queued_imports_are_told_to_come_again(tmp_path):
    server = ServerProcess(tmp_path / "busy", workers=0)
    server.init()
    config = server.directory / "waybill.toml"
    config.write_text("[voyado]\nqueued_imports = 2\nblocking_timeout_default = 'PT0S'\n")
    server.start()
    try:
        key = server.credentials["voyado"]["api_key"]
        with httpx.Client(base_url=server.url, headers={"Api-Key": key}) as client:
            feed = products("P").encode()
            sent = [client.post("/api/v2/import/products", content=feed) for _ in range(3)]
        assert [each.status_code for each in sent] == [202, 202, 503]
        assert [each.json().get("status") for each in sent[:2]] == ["WAITING", "BLOCKED"]
        assert int(sent[2].headers["retry-after"]) > 0
    finally:
        server.stop()


def test_what_has_xml_attributes_or_mixed_text_comes_back_as_it_was_sent(cluster):
    records = [
        '<synonym lang="sv">tv, television</synonym>',
        '<synonym lang="sv">car, auto</synonym>',
        "<synonym>hi <b>x</b> there</synonym>",
        "<synonym>plain</synonym>",
    ]
    feed = f"<operations><clear><synonym/></clear><add>{''.join(records)}</add></operations>"
    assert cluster.load(feed, "synonyms").status_code == 204
    told = cluster.export("synonyms")
    assert all(record in told for record in records), told
    assert cluster.load(told, "synonyms").status_code == 204
    assert cluster.export("synonyms") == told


def test_a_tree_that_grew_level_by_level_comes_back_and_is_imported_again(cluster):
    inner = ""
    for number in range(40):
        inner = f"<category><category_key>c{number:02}</category_key>{inner}</category>"
        feed = f"<operations><add><category_tree>{inner}</category_tree></add></operations>"
        inner = f"<category><category_key>c{number:02}</category_key></category>"
        assert cluster.load(feed).status_code == 204, number
    told = cluster.export()
    assert told.count("<category>") == 40
    assert cluster.load(told).status_code == 204
    assert cluster.export() == told


@pytest.mark.parametrize("body", [b" \n\t ", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_blanks_alone_are_no_feed(cluster, body):
    answer = cluster.load(body)
    assert (answer.status_code, answer.json()) == (400, {"message": "The body is not XML."})


def test_the_entities_of_feeds_take_nothing_else(cluster):
    answer = cluster.jobs.post(
        "/v1/jobs",
        params={"entity": "voyado_products"},
        content=b'{"owner":"P","kind":"product","key":"P","attributes":{"a b":"1"}}\n',
        headers={"Content-Type": "application/x-ndjson"},
    )
    job = cluster.jobs.get(f"/v1/jobs/{answer.json()['id']}", params={"wait": 20}).json()
    assert (job["state"], job["error"]["code"]) == ("failed", "FEED_INVALID")
    assert "<product>" not in cluster.export()
