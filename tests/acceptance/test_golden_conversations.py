"""Every route and every refusal of a dialect as a conversation kept in ``tests/golden``."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from conversations import hold, read_conversation

GOLDEN = Path(__file__).parent.parent / "golden"
FILES = sorted(GOLDEN.rglob("*.http"))


@pytest.fixture(scope="module")
def known(vendors):
    """What conversations may use from the start."""
    secrets = {
        f"{dialect}.{name}": value
        for dialect, credential in vendors.credentials.items()
        for name, value in credential.items()
    }
    fields = {"grant_type": "client_credentials", **vendors.credentials["tao"]}
    token = httpx.post(f"{vendors.url}/v1/oauth2/tokens", data=fields).json()["access_token"]
    return {"url": vendors.url, "tao.token": token, **secrets}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_conversation_goes_as_it_is_written(vendors, known, path):
    with httpx.Client(base_url=vendors.url, timeout=60) as client:
        for name in ("user-agent", "accept", "accept-encoding"):
            del client.headers[name]
        hold(read_conversation(path), client, dict(known))
