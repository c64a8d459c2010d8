"""What every store of credentials must do, as tests to inherit.

A subclass gives a fixture ``store``: a fresh, empty store. Its class name begins with ``Test``.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from waybill.errors import NotFound, StateConflict
from waybill.model.ids import CredentialId, ProjectName
from waybill.model.principal import ALL_SCOPES, Credential, Principal, Project, Scope
from waybill.testing.sample_jobs import OTHER_PROJECT, PROJECT, START, at

if TYPE_CHECKING:
    from waybill.ports.credential_store import CredentialStore

SECRET = sha256(b"secret").digest()
OTHER_SECRET = sha256(b"other").digest()


class CredentialStoreContract:
    """The promises of ``CredentialStore``."""

    def test_a_project_is_found_in_any_case(self, store: CredentialStore) -> None:
        for name in ("Acme", "ACME"):
            assert store.add_project(Project(name=ProjectName(name), created_at=START))
        assert [store.find_project(name) for name in ("ACME", "Acme")] == ["ACME", "Acme"]
        assert store.find_project("acme") in {"Acme", "ACME"}
        assert store.find_project("acm") is None

    def test_an_added_project_is_there(self, store: CredentialStore) -> None:
        project = Project(name=PROJECT, created_at=START)
        assert store.add_project(project)
        assert list(store.projects()) == [project]

    def test_a_name_of_a_project_is_taken_once(self, store: CredentialStore) -> None:
        store.add_project(Project(name=PROJECT, created_at=START))
        assert not store.add_project(Project(name=PROJECT, created_at=at(9)))
        assert [project.created_at for project in store.projects()] == [START]

    def test_projects_come_by_name(self, store: CredentialStore) -> None:
        for name in ("b", "c", "a"):
            store.add_project(Project(name=ProjectName(name), created_at=START))
        assert [project.name for project in store.projects()] == ["a", "b", "c"]

    def test_a_credential_needs_its_project(self, store: CredentialStore) -> None:
        with pytest.raises(NotFound):
            store.add_credential(_credential(), SECRET)

    def test_a_secret_leads_to_its_principal(self, store: CredentialStore) -> None:
        _add(store, _credential(scopes=frozenset({Scope.READ, Scope.SUBMIT})))
        assert store.find_principal("waybill", SECRET) == Principal(
            project=PROJECT,
            credential=CredentialId("cred-1"),
            scopes=frozenset({Scope.READ, Scope.SUBMIT}),
            dialect="waybill",
        )

    def test_an_id_leads_to_the_same_principal(self, store: CredentialStore) -> None:
        _add(store, _credential(dialect="tao", login="c1"))
        found = store.find_by_id("tao", CredentialId("cred-1"))
        assert found is not None
        assert found == store.find_principal("tao", SECRET)
        assert found.login == "c1"
        assert store.find_by_id("waybill", CredentialId("cred-1")) is None
        assert store.find_by_id("tao", CredentialId("cred-2")) is None

    def test_a_revoked_id_leads_nowhere_at_once(self, store: CredentialStore) -> None:
        _add(store, _credential())
        assert store.find_by_id("waybill", CredentialId("cred-1")) is not None
        assert store.revoke(CredentialId("cred-1"), at(9))
        assert store.find_by_id("waybill", CredentialId("cred-1")) is None

    def test_a_credential_without_scopes_has_none(self, store: CredentialStore) -> None:
        _add(store, _credential(scopes=frozenset()))
        found = store.find_principal("waybill", SECRET)
        assert found is not None
        assert found.scopes == frozenset()

    def test_an_unknown_secret_leads_nowhere(self, store: CredentialStore) -> None:
        _add(store, _credential())
        assert store.find_principal("waybill", OTHER_SECRET) is None

    def test_a_secret_of_another_dialect_leads_nowhere(self, store: CredentialStore) -> None:
        _add(store, _credential())
        assert store.find_principal("trax", SECRET) is None

    def test_a_revoked_secret_leads_nowhere_at_once(self, store: CredentialStore) -> None:
        _add(store, _credential())
        assert store.find_principal("waybill", SECRET) is not None
        assert store.revoke(CredentialId("cred-1"), at(9))
        assert store.find_principal("waybill", SECRET) is None

    def test_a_revoked_credential_is_listed_with_its_first_time(
        self, store: CredentialStore
    ) -> None:
        _add(store, _credential())
        for seconds in (9, 99):
            assert store.revoke(CredentialId("cred-1"), at(seconds))
        (listed,) = store.credentials(PROJECT)
        assert listed.revoked_at == at(9)

    def test_an_unknown_credential_is_not_revoked(self, store: CredentialStore) -> None:
        assert not store.revoke(CredentialId("no-such"), at(9))

    def test_credentials_are_listed_oldest_first_as_they_were_added(
        self, store: CredentialStore
    ) -> None:
        first = _credential(login="anna")
        second = _credential(id=CredentialId("cred-0"), dialect="tao")
        _add(store, first)
        _add(store, second, OTHER_SECRET)
        assert list(store.credentials(PROJECT)) == [first, second]

    def test_credentials_are_listed_by_project_or_all(self, store: CredentialStore) -> None:
        _add(store, _credential())
        other = _credential(id=CredentialId("cred-2"), project=OTHER_PROJECT)
        _add(store, other, OTHER_SECRET)
        assert list(store.credentials(OTHER_PROJECT)) == [other]
        assert len(store.credentials(None)) == 2

    @pytest.mark.parametrize(
        ("changes", "secret"), [({}, OTHER_SECRET), ({"id": CredentialId("new")}, SECRET)]
    )
    def test_an_id_and_a_secret_are_taken_once(
        self, store: CredentialStore, changes: dict[str, Any], secret: bytes
    ) -> None:
        _add(store, _credential())
        with pytest.raises(StateConflict):
            store.add_credential(_credential(**changes), secret)


def _credential(**changes: Any) -> Credential:  # noqa: ANN401 - any field of Credential
    values: dict[str, Any] = {
        "id": CredentialId("cred-1"),
        "project": PROJECT,
        "dialect": "waybill",
        "login": "",
        "scopes": ALL_SCOPES,
        "created_at": START,
    }
    return Credential(**values | changes)


def _add(store: CredentialStore, credential: Credential, secret: bytes = SECRET) -> None:
    store.add_project(Project(name=credential.project, created_at=START))
    store.add_credential(credential, secret)
