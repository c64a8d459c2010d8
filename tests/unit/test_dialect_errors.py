"""Every error that a dialect may meet, in its own form: those too that no request can provoke."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from waybill import errors
from waybill.dialect import Request
from waybill.dialects import apidatatools, tao, trax, voyado

if TYPE_CHECKING:
    from waybill.dialect import Dialect

TRAX = "/api/v4/demo/async-job"
TAO = "/api/v1/upload"
VOYADO = "/api/v2/import/products"
JOBS = "/status-api/job-12345"
TOOL = "/json-formatter-api"
TOKENS = "/api/v1/upload/v1/oauth2/tokens"
SLOW = errors.RateExceeded("secret detail", retry_after_seconds=3)
LARGE = errors.LimitExceeded("too large", limit="request_body_bytes", allowed=99)
FULL = errors.StorageFull("no space at /secret/path")
AWAY = errors.StoreUnavailable("secret detail")
BUG = errors.WaybillError("secret detail")
GONE = errors.Gone("the retention of this file has ended")
RUNNING = errors.StateConflict("the job is running")
NO_UPLOAD = {"message": "Reference ID not found. File not found in pending bucket."}
LOG = "r-1"


def told(code: str, message: str) -> dict[str, object]:
    return {"status": "error", "error": code, "details": {"message": message}}


@pytest.mark.parametrize(
    ("dialect", "path", "error", "status", "body"),
    [
        (trax, TRAX, SLOW, 429, {"description": "Too Many Requests"}),
        (trax, TRAX, LARGE, 413, {"description": "File is larger than 99 bytes"}),
        (trax, TRAX, FULL, 507, {"description": "Internal error", "reference": LOG}),
        (trax, TRAX, AWAY, 503, {"description": "Internal error", "reference": LOG}),
        (trax, TRAX, BUG, 500, {"description": "Internal error", "reference": LOG}),
        (trax, TRAX, GONE, 404, {"statusCode": 404, "message": "Not Found"}),
        (trax, TRAX, RUNNING, 404, {"statusCode": 404, "message": "Not Found"}),
        (tao, TAO, SLOW, 429, {"message": "Too Many Requests"}),
        (tao, TAO, LARGE, 413, {"message": "File is larger than 99 bytes"}),
        (tao, TAO, FULL, 507, {"message": "Insufficient storage"}),
        (tao, TAO, AWAY, 503, {"message": "The service is not available; try again"}),
        (tao, TAO, BUG, 500,
         {"message": f"The server met a fault; its log has the cause under {LOG}"}),
        (tao, TAO, GONE, 404, NO_UPLOAD),
        (tao, TAO, RUNNING, 404, {"message": "The result is not available yet."}),
        (tao, TOKENS, SLOW, 429, {"message": "Too Many Requests"}),
        (tao, TOKENS, LARGE, 413, {"error": "invalid_request", "error_description": "too large"}),
        (tao, TOKENS, AWAY, 503, {"message": "The service is not available; try again"}),
        (tao, TOKENS, BUG, 500,
         {"message": f"The server met a fault; its log has the cause under {LOG}"}),
        (apidatatools, JOBS, SLOW, 429,
         told("RATE_LIMITED", "Too many status requests. Please slow down.")),
        (apidatatools, JOBS, BUG, 500, told("INTERNAL_ERROR", "Failed to process job")),
        (apidatatools, TOOL, SLOW, 429,
         told("RATE_LIMITED", "Too many requests. Please slow down.")),
        (apidatatools, TOOL, LARGE, 413, told("PAYLOAD_TOO_LARGE", "too large")),
        (apidatatools, TOOL, FULL, 507,
         told("INSUFFICIENT_STORAGE", "There is no space left; try again later.")),
        (apidatatools, TOOL, AWAY, 503, told("INTERNAL_ERROR", "Failed to process request")),
        (apidatatools, TOOL, BUG, 500, told("INTERNAL_ERROR", "Failed to process request")),
        (apidatatools, TOOL, GONE, 410, told("FILE_NOT_FOUND", "File not found")),
        (voyado, VOYADO, SLOW, 429, {"message": "Too many requests."}),
        (voyado, VOYADO, LARGE, 413, {"message": "too large"}),
        (voyado, VOYADO, FULL, 503, {"message": "The disk is full; try again later."}),
        (voyado, VOYADO, AWAY, 503, {"message": "The service is not available; try again."}),
        (voyado, VOYADO, BUG, 500, {"message": f"Internal error. Reference {LOG}"}),
        (voyado, VOYADO, GONE, 404, {"message": "Not found."}),
        (voyado, VOYADO, RUNNING, 400, {"message": "the job is running"}),
    ],
)  # fmt: skip
def test_an_error_is_told_without_its_inner_details(
    dialect: Dialect,
    path: str,
    error: errors.WaybillError,
    status: int,
    body: dict[str, object],
) -> None:
    request = Request(method="POST", path=path, base_url="http://h", request_id=LOG)
    answer = dialect.render_error(error, request)
    assert isinstance(answer.body, bytes)
    assert (answer.status, json.loads(answer.body)) == (status, body)
    assert answer.headers["content-type"] == "application/json"
    retry_after = {429: "3", 503: "5" if dialect in {apidatatools, voyado} else None}
    assert answer.headers.get("retry-after") == retry_after.get(status)
    assert b"secret" not in answer.body
