"""What operators do without a server: make a directory, manage credentials, back up."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from waybill.bootstrap.embedded import PEPPER, SIGNING, make_key, open_embedded
from waybill.dispatch.embedded import Role
from waybill.errors import RequestInvalid, SettingsInvalid, StateConflict
from waybill.model.administration import InitResult, NewCredential
from waybill.model.credential_forms import CREDENTIAL_FORMS
from waybill.model.ids import CredentialId, ProjectName
from waybill.model.principal import ALL_SCOPES, Credential, Project
from waybill.presets import NAMES, schemas
from waybill.settings import DataDirectory, default_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from waybill.bootstrap.embedded import Embedded
    from waybill.model.principal import Scope

DEMO_PROJECT: Final = ProjectName("demo")
PROJECT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
EXAMPLE_ENTITY: Final = {
    "title": "Contacts",
    "description": "An example to change or to delete.",
    "fields": [
        {"name": "email", "type": "string", "format": "email"},
        {"name": "name", "type": "string", "constraints": {"required": True, "maxLength": 100}},
        {"name": "born_on", "type": "date"},
    ],
    "primaryKey": ["email"],
}


def init_directory(root: Path, presets: Sequence[str]) -> InitResult:
    """Make a directory ready to serve: settings, an example entity, a project, credentials.

    ``presets``: names of ready entity schemas; none named means all there are.

    Raises:
        StateConflict: the folder is a Waybill directory already.
        SettingsInvalid: no such preset.
    """
    directory = DataDirectory(root)
    if directory.config.exists():
        raise StateConflict(
            f"{root} is a Waybill directory already; serve it: waybill serve {root}"
        )
    unknown = [name for name in presets if name not in NAMES]
    if unknown:
        known = ", ".join(NAMES)
        raise SettingsInvalid(f"there is no preset {unknown[0]!r}; there are: {known}")
    directory.make_folders()
    make_key(directory, PEPPER)
    make_key(directory, SIGNING)
    entities = (*write_example(directory), *write_presets(directory, presets or NAMES))
    directory.config.touch(mode=0o600)  # it may come to hold a token
    directory.config.write_text(default_toml(), encoding="utf-8")
    with open_admin(root) as admin:
        admin.add_project(DEMO_PROJECT)
        made = [admin.add_credential(name, DEMO_PROJECT, ALL_SCOPES) for name in CREDENTIAL_FORMS]
    return InitResult(
        directory=root,
        project=DEMO_PROJECT,
        credentials={one.dialect: one.secrets for one in made},
        entities=entities,
    )


def write_example(directory: DataDirectory) -> tuple[str, ...]:
    """An entity to begin with; gives the names written."""
    path = directory.entities / "contacts.json"
    path.write_text(json.dumps(EXAMPLE_ENTITY, indent=2) + "\n", encoding="utf-8")
    return ("contacts",)


def write_presets(directory: DataDirectory, presets: Sequence[str]) -> tuple[str, ...]:
    """The schemas of these vendors, to be read and changed; gives the entities written."""
    for folder in (directory.entities, directory.bundles):
        for schema in (each for name in presets for each in schemas(name, folder.name)):
            text = schema.read_text(encoding="utf-8")
            (folder / schema.name).write_text(text, encoding="utf-8")
    return tuple(
        schema.name.removesuffix(".json")
        for name in presets
        for schema in schemas(name, "entities")
    )


@contextmanager
def open_admin(root: Path) -> Iterator[Admin]:
    """The operator's view of a directory, beside a running server or without one."""
    with open_embedded(root, Role.NONE) as parts:
        yield Admin(parts)


@dataclass(frozen=True, slots=True)
class Admin:
    """Projects and credentials; changes take effect on a running server at once."""

    parts: Embedded

    def add_project(self, name: str) -> Project:
        """A new project.

        Raises:
            RequestInvalid: not a name.
            StateConflict: the name is taken.
        """
        if not PROJECT_NAME.fullmatch(name):
            raise RequestInvalid("a project's name is 1 to 63 letters, digits, - and _")
        project = Project(name=ProjectName(name), created_at=self.parts.clock.now())
        if not self.parts.store.add_project(project):
            raise StateConflict(f"there is a project {name!r} already")
        return project

    def list_projects(self) -> Sequence[Project]:
        """All projects by name."""
        return self.parts.store.projects()

    def add_credential(self, dialect: str, project: str, scopes: frozenset[Scope]) -> NewCredential:
        """A new credential; its secret is shown this once and stored only as a hash.

        Raises:
            RequestInvalid: no such dialect.
            NotFound: no such project.
        """
        form = CREDENTIAL_FORMS.get(dialect)
        if form is None:
            near = difflib.get_close_matches(dialect, CREDENTIAL_FORMS, n=1) or CREDENTIAL_FORMS
            raise RequestInvalid(f"there is no dialect {dialect!r}; take one of {', '.join(near)}")
        secret = self.parts.ids.token()
        login = self.parts.ids.name("c") if form.login else ""
        credential = Credential(
            id=CredentialId(self.parts.ids.name("cred_")),
            project=ProjectName(project),
            dialect=dialect,
            login=login,
            scopes=scopes,
            created_at=self.parts.clock.now(),
        )
        self.parts.store.add_credential(credential, hashlib.sha256(secret.encode()).digest())
        named = {form.login: login} if form.login else {}
        return NewCredential(
            id=credential.id,
            dialect=dialect,
            project=credential.project,
            secrets={**named, form.hidden: secret, **form.constants},
        )

    def list_credentials(self, project: str | None) -> Sequence[Credential]:
        """The credentials of a project, or of all; the revoked ones included."""
        return self.parts.store.credentials(ProjectName(project) if project else None)

    def revoke(self, credential: str) -> bool:
        """Revoke at once; ``False`` where there is no such credential."""
        return self.parts.store.revoke(CredentialId(credential), self.parts.clock.now())
