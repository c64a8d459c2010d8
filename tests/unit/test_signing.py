"""Signed texts are read by whoever signed them, for their purpose and their time only."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from waybill.signing import JwtSigner
from waybill.testing.edge import StillClock

KEY = bytes(range(32))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


def test_claims_come_back(clock: StillClock) -> None:
    signer = JwtSigner(KEY, clock)
    text = signer.sign("link", {"sub": "job-1"}, clock.now() + timedelta(seconds=60))
    assert signer.read("link", text) == {"sub": "job-1"}
    assert JwtSigner(KEY, clock).read("link", text) == {"sub": "job-1"}


def test_another_purpose_key_or_time_gives_nothing(clock: StillClock) -> None:
    signer = JwtSigner(KEY, clock)
    text = signer.sign("link", {}, clock.now() + timedelta(seconds=60))
    assert signer.read("access", text) is None
    assert JwtSigner(KEY[::-1], clock).read("link", text) is None
    clock.sleep(61)
    assert signer.read("link", text) is None


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS512"}, {"alg": "RS256"}, {}, 5])
def test_what_is_forged_gives_nothing(clock: StillClock, header: object) -> None:
    signer = JwtSigner(KEY, clock)
    claims = {"aud": "link", "exp": 10**12, "sub": "job-1"}
    assert signer.read("link", f"{_part(header)}.{_part(claims)}.") is None


def test_every_changed_character_is_seen(clock: StillClock) -> None:
    signer = JwtSigner(KEY, clock)
    text = signer.sign("link", {"sub": "job-1"}, clock.now() + timedelta(seconds=60))
    for at, character in enumerate(text[:-1]):  # the last one has bits that say nothing
        changed = "A" if character != "A" else "B"
        assert signer.read("link", text[:at] + changed + text[at + 1 :]) is None


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "\x00", "é", "a" * 100_000])
def test_anything_else_gives_nothing(clock: StillClock, text: str) -> None:
    assert JwtSigner(KEY, clock).read("link", text) is None
