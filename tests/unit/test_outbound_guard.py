"""Which URLs tenants may name. Source: security.md S52, S53."""

from __future__ import annotations

import socket

import pytest

from waybill.outbound.guard import Guard, NotAllowed

OPEN = Guard.of([], [80, 443, 8443])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.json",
        "https://example.com:8443/a?b=c#d",
        "HTTPS://EXAMPLE.com",
        "http://93.184.216.34/",
        "http://[2606:2800:220:1:248:1893:25c8:1946]/",
        "http://xn--bcher-kva.example/",
    ],
)
def test_public_http_urls_pass(url: str) -> None:
    OPEN.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "/a", "file:///etc/passwd", "ftp://example.com/a", "gopher://a/",
        "http://", "http:///a", "http://a b/", "http://example.com\\@10.0.0.1/",
        "http://127.0.0.1/", "http://127.1/", "http://0/", "http://0.0.0.0/", "http://[::1]/",
        "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
        "http://0x7f.1/", "http://0x7f000001/", "http://2130706433/", "http://017700000001/",
        "http://169.254.169.254/latest", "http://100.64.0.1/", "http://10.0.0.1/",
        "http://172.16.0.1/", "http://192.168.1.1/", "http://[fd00::1]/", "http://[fe80::1]/",
        "http://[fe80::1%25eth0]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
        "http://[::127.0.0.1]/", "http://[::ffff:0:127.0.0.1]/", "http://[fec0::1]/",
        "http://[5f00::1]/", "http://[3fff::1]/", "http://[fe00::1]/", "http://[4000::1]/",
        "http://localhost/", "http://LOCALHOST/", "http://a.localhost/", "http://192.88.99.1/",
        "http://224.0.0.1/", "http://255.255.255.255/", "http://192.0.2.1/",
        "http://user@example.com/", "http://user:pass@example.com/", "http://@example.com/",
        "http://example.com:22/", "http://example.com:0/", "http://example.com:99999/",
        "http://example.com:x/", "http://localhost./", "http://a\u3002b/", "http://exa\u00admple.com/",
        "http://ex\nample.com/", f"http://example.com/{'a' * 2048}",
    ],
)  # fmt: skip
def test_every_other_url_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        OPEN.check_url(url)
    assert refused.value.code == "URL_NOT_ALLOWED"


def test_what_the_operator_allows_is_reached_at_any_port() -> None:
    guard = Guard.of(["127.0.0.0/8", "10.1.2.3"], [80])
    guard.check_url("http://127.0.0.1:4711/")
    guard.check_url("http://10.1.2.3:22/")
    guard.check_url("http://localhost:4711/")  # its address tells, once it is known
    assert guard.addresses("127.0.0.1", 4711) == ["127.0.0.1"]
    for url in ("http://10.1.2.4/", "http://93.184.216.34:4711/"):
        with pytest.raises(NotAllowed):
            guard.check_url(url)


@pytest.mark.parametrize(
    ("answers", "is_reached"),
    [
        (["93.184.216.34"], True),
        (["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"], True),
        (["93.184.216.34", "127.0.0.1"], False),
        (["169.254.169.254"], False),
        (["fe80::1%eth0"], False),
        (["::ffff:10.0.0.1"], False),
    ],
)
def test_every_address_of_a_name_has_to_pass(
    monkeypatch: pytest.MonkeyPatch, answers: list[str], *, is_reached: bool
) -> None:
    found = [(0, 0, 0, "", (answer, 80)) for answer in answers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    if is_reached:
        assert OPEN.addresses("example.com", 80) == answers
    else:
        with pytest.raises(NotAllowed):
            OPEN.addresses("example.com", 80)


def test_a_port_is_looked_at_once_the_address_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("93.184.216.34", 22))]
    )
    with pytest.raises(NotAllowed):
        Guard.of(["127.0.0.0/8"], [80]).addresses("example.com", 22)
