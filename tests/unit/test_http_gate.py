"""Credentials, scopes, rates."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from waybill.dialect import Access, Admission, BodyKind, Core, Request, Response, Route
from waybill.dialects import native
from waybill.errors import NotAuthenticated
from waybill.model.principal import Scope
from waybill.testing.edge import OTHER_TOKEN, TOKEN, EdgeBench, example_job, make_bench


@pytest.fixture
def bench() -> EdgeBench:
    bench = make_bench({"waybill": native}, rate_per_second=3)
    bench.core.jobs_by_id["job-1"] = example_job()
    return bench


def test_no_credential_is_refused_with_a_challenge(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/v1/jobs/job-1", token=None)
    assert (answer.status, answer.json()["code"]) == (401, "NOT_AUTHENTICATED")
    assert answer.headers["www-authenticate"] == 'Bearer realm="waybill"'


@pytest.mark.parametrize("value", ["Basic dTpw", "Bearer", "Bearer ", "token", ""])
def test_what_is_no_bearer_token_is_no_credential(bench: EdgeBench, value: str) -> None:
    answer = bench.call("GET", "/v1/jobs/job-1", token=None, headers={"authorization": value})
    assert answer.json()["code"] == "NOT_AUTHENTICATED"


def test_the_scheme_is_compared_without_case(bench: EdgeBench) -> None:
    headers = {"authorization": f"bEaReR {TOKEN}"}
    assert bench.call("GET", "/v1/jobs/job-1", token=None, headers=headers).status == 200


def test_an_unknown_token_is_refused(bench: EdgeBench) -> None:
    answer = bench.call("GET", "/v1/jobs/job-1", token="nonsense")  # noqa: S106 - a test
    assert (answer.status, answer.json()["code"]) == (401, "CREDENTIAL_INVALID")


def test_a_token_in_the_query_counts_for_nothing(bench: EdgeBench) -> None:
    answer = bench.call("GET", f"/v1/jobs/job-1?access_token={TOKEN}", token=None)
    assert answer.status == 401


def test_a_revoked_credential_is_refused_at_once(bench: EdgeBench) -> None:
    bench.credentials.principals.clear()
    assert bench.call("GET", "/v1/jobs/job-1").status == 401


def test_a_credential_without_a_project_is_refused(bench: EdgeBench) -> None:
    bench.credentials.admit("homeless", project="")
    assert bench.call("GET", "/v1/jobs/job-1", token="homeless").status == 401  # noqa: S106 - a test


def test_a_missing_scope_is_named(bench: EdgeBench) -> None:
    bench.credentials.admit("reader", scopes=[Scope.READ])
    answer = bench.call("DELETE", "/v1/jobs/job-1", token="reader")  # noqa: S106 - a test
    assert (answer.status, answer.json()["scope"]) == (403, "cancel")
    assert 'scope="cancel"' in answer.headers["www-authenticate"]


def test_a_job_of_another_project_answers_exactly_as_a_missing_one(bench: EdgeBench) -> None:
    foreign = bench.call("GET", "/v1/jobs/job-1", token=OTHER_TOKEN)
    missing = bench.call("GET", "/v1/jobs/job-9", token=OTHER_TOKEN)
    assert foreign.status == missing.status == 404
    ids = {"request_id"}
    assert {k: v for k, v in foreign.json().items() if k not in ids} == {
        k: v for k, v in missing.json().items() if k not in ids
    }


def test_rates_are_told_and_then_enforced(bench: EdgeBench) -> None:
    answers = [bench.call("GET", "/v1/jobs/job-1") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"credential";q=3;w=1'
    assert answers[0].headers["ratelimit"] == '"credential";r=2;t=1'
    assert answers[3].headers["ratelimit"] == '"credential";r=0;t=1'
    assert answers[3].headers["retry-after"] == "1"
    assert answers[3].json()["code"] == "RATE_LIMITED"
    assert bench.call("GET", "/v1/jobs/job-1", token=OTHER_TOKEN).status == 404
    bench.clock.seconds += 1
    assert bench.call("GET", "/v1/jobs/job-1").status == 200


def test_no_rate_is_no_limit() -> None:
    bench = make_bench({"waybill": native}, rate_per_second=0)
    answers = [bench.call("GET", "/v1/jobs") for _ in range(10)]
    assert {answer.status for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


def test_guessing_tokens_is_slowed_down_per_address(bench: EdgeBench) -> None:
    statuses = [bench.call("GET", "/v1/jobs", token=f"guess-{n}").status for n in range(31)]
    assert statuses == [401] * 30 + [429]
    assert bench.call("GET", "/v1/jobs").status == 200


def test_the_path_is_judged_before_the_credential(bench: EdgeBench) -> None:
    assert bench.call("GET", "/v1/nothing", token=None).status == 404
    refused = bench.call("PUT", "/v1/jobs", token=None)
    assert (refused.status, refused.json()["status"]) == (405, 405)
    assert refused.headers["allow"] == "GET, HEAD, POST"


def _status(core: Core, request: Request) -> Response:
    del core
    assert request.principal is not None
    return Response(status=200, body=request.principal.project.encode())


def _dialect(**changes: object) -> SimpleNamespace:
    route = Route(
        method="GET", path="/t/{project}/x", handler=_status, scope=Scope.READ, project="project"
    )
    known = {**vars(native), "ROUTES": (route,), "SPACES": ("/t",), **changes}
    names = ("NAME", "ROUTES", "SPACES", "ADMISSION", "authenticate", "render_error")
    return SimpleNamespace(**{name: known[name] for name in names})


def test_a_path_that_names_another_project_is_refused() -> None:
    bench = make_bench({"waybill": _dialect()})
    assert bench.call("GET", "/t/one/x").body == b"one"
    foreign = bench.call("GET", "/t/two/x")
    missing = bench.call("GET", "/t/three/x")
    assert (foreign.status, foreign.json()["code"]) == (403, "PROJECT_FOREIGN")
    assert missing.status == 403


def test_a_project_shares_the_rate_of_its_dialect() -> None:
    bench = make_bench({"waybill": _dialect(ADMISSION=Admission(project_rate_per_second=3))})
    bench.credentials.admit("another of one")
    tokens = [TOKEN, "another of one", TOKEN, TOKEN]
    statuses = [bench.call("GET", "/t/one/x", token=token).status for token in tokens]
    assert statuses == [200, 200, 200, 429]
    assert bench.call("GET", "/t/two/x", token=OTHER_TOKEN).status == 200


def test_no_limit_at_all_leaves_dialects_without_one() -> None:
    dialect = _dialect(ADMISSION=Admission(project_rate_per_second=1))
    bench = make_bench({"waybill": dialect}, rate_per_second=0)
    assert [bench.call("GET", "/t/one/x").status for _ in range(3)] == [200, 200, 200]


def test_a_dialect_may_take_tokens_that_were_issued() -> None:
    bench = make_bench({"waybill": _dialect(ADMISSION=Admission(access=Access.ISSUED))})
    bench.credentials.admit("s3", login="c1")
    token = bench.tokens.issue("waybill", "c1", "s3").text
    assert bench.call("GET", "/t/one/x", token=token).status == 200
    assert bench.call("GET", "/t/one/x", token="s3").json()["code"] == "CREDENTIAL_INVALID"  # noqa: S106 - a test


def test_guessing_at_a_route_that_takes_credentials_itself_is_slowed_down_too() -> None:
    def refuse(core: Core, request: Request) -> Response:
        del core, request
        raise NotAuthenticated("the client authentication failed", code="CREDENTIAL_INVALID")

    route = Route(method="POST", path="/token", handler=refuse, scope=None, body=BodyKind.SMALL)
    bench = make_bench({"waybill": SimpleNamespace(**{**vars(native), "ROUTES": (route,)})})
    statuses = [bench.call("POST", "/token", token=None, body=b"x").status for _ in range(31)]
    assert statuses == [401] * 30 + [429]
