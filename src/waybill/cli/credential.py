"""``waybill credential``: who may call."""

from typing import TYPE_CHECKING, Annotated

import typer

from waybill.cli.connection import AsJson
from waybill.cli.output import print_json
from waybill.cli.serving import Directory
from waybill.errors import NotFound

if TYPE_CHECKING:
    from waybill.model.principal import Credential, Scope

app = typer.Typer(help="Add, list and revoke credentials.", no_args_is_help=True)

Dialect = Annotated[str, typer.Option("--dialect", help="API that the credential is for.")]
Scopes = Annotated[
    list[str] | None,
    typer.Option("--scopes", metavar="LIST", help="Comma-separated; default: all scopes."),
]


@app.command(epilog="Example: waybill credential add ./data --project acme --scopes submit,read")
def add(
    directory: Directory,
    *,
    project: Annotated[str, typer.Option("--project", help="Project it belongs to.")],
    dialect: Dialect = "waybill",
    scopes: Scopes = None,
    as_json: AsJson = False,
) -> None:
    """Add a credential and print its secret, this once; a running server knows it at once."""
    from waybill.bootstrap.administration import open_admin

    with open_admin(directory) as admin:
        made = admin.add_credential(dialect, project, parse_scopes(scopes))
    if as_json:
        document = {"id": made.id, "dialect": made.dialect, "project": made.project}
        print_json({**document, **made.secrets})
        return
    typer.echo(f"credential {made.id} for {made.dialect} in project {made.project}")
    for name, secret in made.secrets.items():
        typer.echo(f"  {name}  {secret}")


@app.command(name="list", epilog="Example: waybill credential list ./data --project acme")
def list_credentials(
    directory: Directory,
    *,
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List credentials, oldest first, the revoked ones included; secrets are never shown."""
    from waybill.bootstrap.administration import open_admin

    with open_admin(directory) as admin:
        if project is not None and project not in {each.name for each in admin.list_projects()}:
            raise NotFound(f"there is no project {project!r}")
        credentials = admin.list_credentials(project)
    if as_json:
        print_json({"credentials": [credential_document(each) for each in credentials]})
        return
    for credential in credentials:
        typer.echo(credential_text(credential))


@app.command(epilog="Example: waybill credential revoke ./data cred_k3q9")
def revoke(
    directory: Directory,
    credential: Annotated[str, typer.Argument(metavar="ID", help="Id of the credential.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Revoke a credential; a running server refuses it from its next request on."""
    from waybill.bootstrap.administration import open_admin

    with open_admin(directory) as admin:
        known = admin.revoke(credential)
    if not known:
        raise NotFound(f"there is no credential {credential!r}")
    if as_json:
        print_json({"revoked": credential})
    else:
        typer.echo(f"credential {credential} revoked")


def parse_scopes(texts: list[str] | None) -> "frozenset[Scope]":
    """The scopes named in comma-separated lists; none named means all."""
    from waybill.model.principal import ALL_SCOPES, Scope

    if not texts:
        return ALL_SCOPES
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    try:
        return frozenset(Scope(name) for name in names)
    except ValueError as error:
        known = ", ".join(Scope)
        raise typer.BadParameter(f"{error}; known: {known}", param_hint="--scopes") from error


def credential_text(credential: "Credential") -> str:
    """A credential as people see it: one line."""
    scopes = ",".join(sorted(credential.scopes))
    ended = f"  revoked {credential.revoked_at:%Y-%m-%d}" if credential.revoked_at else ""
    return f"{credential.id}  {credential.project}  {credential.dialect}  {scopes}{ended}"


def credential_document(credential: "Credential") -> dict[str, object]:
    """A credential as JSON shows it."""
    return {
        "id": credential.id,
        "project": credential.project,
        "dialect": credential.dialect,
        "login": credential.login,
        "scopes": sorted(credential.scopes),
        "created_at": credential.created_at,
        "revoked_at": credential.revoked_at,
    }
