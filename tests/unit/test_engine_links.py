"""Links lead to one file of one job, for a time; tokens to their client, until it is revoked."""

from __future__ import annotations

from hashlib import sha256

import pytest

from waybill.engine.access_tokens import AccessTokens
from waybill.engine.links import Links
from waybill.errors import NotAuthenticated, NotFound
from waybill.model.ids import CredentialId, ProjectName
from waybill.model.principal import Scope
from waybill.testing.edge import (
    CountingIds,
    MemoryCredentials,
    MemorySigner,
    StillClock,
    example_job,
)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def links(clock: StillClock) -> Links:
    return Links(signer=MemorySigner(clock), clock=clock, ids=CountingIds(), lifetime_seconds=60)


def test_a_link_leads_to_its_file(links: Links) -> None:
    opened = links.open("waybill", links.make(example_job(), "input"))
    assert (opened.subject, opened.file, opened.principal.project) == ("job-1", "input", "one")
    assert opened.principal.scopes == {Scope.READ}


def test_a_link_ends(links: Links, clock: StillClock) -> None:
    text = links.make(example_job(), "input")
    clock.sleep(60)
    with pytest.raises(NotFound):
        links.open("waybill", text)


def test_a_link_may_have_a_time_of_its_own(links: Links, clock: StillClock) -> None:
    text = links.make_for(ProjectName("one"), "waybill", "upload-1", "a/b.json", 90)
    clock.sleep(89)
    assert links.open("waybill", text).subject == "upload-1"
    clock.sleep(1)
    with pytest.raises(NotFound):
        links.open("waybill", text)


def test_a_link_of_another_dialect_leads_nowhere(links: Links) -> None:
    with pytest.raises(NotFound):
        links.open("tao", links.make(example_job(), "input"))


@pytest.fixture
def credentials() -> MemoryCredentials:
    return MemoryCredentials()


@pytest.fixture
def tokens(credentials: MemoryCredentials, clock: StillClock) -> AccessTokens:
    signer = MemorySigner(clock)
    return AccessTokens(credentials=credentials, signer=signer, clock=clock, lifetime_seconds=60)


def test_a_token_leads_to_its_client(tokens: AccessTokens, credentials: MemoryCredentials) -> None:
    known = credentials.admit("s3", dialect="tao", login="c1")
    token = tokens.issue("tao", "c1", "s3")
    assert (token.lifetime_seconds, token.principal) == (60, known)
    assert tokens.read("tao", token.text) == known


@pytest.mark.parametrize(
    ("dialect", "login", "secret"),
    [("tao", "c2", "s3"), ("tao", "", "s3"), ("tao", "c1", "s4"), ("uniware", "c1", "s3")],
)
def test_only_the_whole_pair_gets_a_token(
    tokens: AccessTokens, credentials: MemoryCredentials, dialect: str, login: str, secret: str
) -> None:
    credentials.admit("s3", dialect="tao", login="c1")
    with pytest.raises(NotAuthenticated):
        tokens.issue(dialect, login, secret)


def test_a_token_ends_with_its_time_or_its_client(
    tokens: AccessTokens, credentials: MemoryCredentials, clock: StillClock
) -> None:
    known = credentials.admit("s3", dialect="tao", login="c1")
    first, second = (tokens.issue("tao", "c1", "s3").text for _ in range(2))
    assert tokens.read("uniware", first) is None
    credentials.revoke(CredentialId(known.credential), clock.now())
    assert tokens.read("tao", first) is None
    credentials.principals["tao", sha256(b"s3").digest()] = known
    assert tokens.read("tao", second) == known
    clock.sleep(60)
    assert tokens.read("tao", second) is None


def test_every_link_is_another_one(links: Links) -> None:
    assert links.make(example_job(), "input") != links.make(example_job(), "input")
