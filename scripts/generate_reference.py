"""Write ``docs/reference/`` from the code; ``--check`` only tells which pages are stale."""

from __future__ import annotations

import inspect
import sys
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from typer.main import get_command

from waybill import errors
from waybill.cli.exits import ExitCode
from waybill.cli.main import app
from waybill.error_codes import TITLES
from waybill.model.limits import GIBIBYTE, MEBIBYTE, Limits
from waybill.registry import DIALECTS
from waybill.settings import settings_reference
from waybill.telemetry import EVENTS
from waybill.transforms.tools import TOOLS
from waybill.validation.codes import CATALOGUE, Reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from waybill.dialect import Route

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTICE = "<!-- Made by `make docs`; do not edit. -->"
REACHES: Final[Mapping[Reach, str]] = {
    Reach.FILE: "The file as a whole",
    Reach.RECORD: "One record",
    Reach.FIELD: "One field",
}

FINDINGS_INTRODUCTION: Final = (
    "What is wrong with a record, a field or a file. Codes are stable, messages may change."
    " An *error* about a field or a record rejects that record, an error about the file stops"
    " the job, a *warning* stops nothing. Words in braces are filled in."
)
ERRORS_INTRODUCTION: Final = (
    "Why a request is refused or a job fails. Answers of the native API carry the code in"
    " `code`; a class may be raised with a more exact one, such as a code of the"
    " [findings](findings.md) for a file that cannot be read."
)
EVENTS_INTRODUCTION: Final = (
    "Logs are JSON, one object a line: `time`, `level`, `event`, and the fields below."
    " No row content and no secret is ever logged."
)
SETTINGS_INTRODUCTION: Final = (
    "Tables and keys of `DIR/waybill.toml`, read at start. A variable `WAYBILL_<SECTION>_<KEY>`"
    " beats the file, an option of the command line beats both. An unknown key is an error that"
    " names the nearest known one."
)
CLI_INTRODUCTION: Final = (
    "Commands that take `DIR` work on the directory of a server; the others speak to a server by"
    " its address, or to nobody (`check`). With `--json` each prints one JSON document."
)
EXITS: Final[Mapping[ExitCode, str]] = {
    ExitCode.DONE: "done; of a job: every record was accepted",
    ExitCode.FAILED: "failed, for the reason in one line on standard error",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.REJECTIONS: "done, with rejected records",
    ExitCode.BUG: "a bug of ours; the line names the report",
    ExitCode.INTERRUPTED: "interrupted",
}
HTTP_INTRODUCTION: Final = (
    "The same as OpenAPI 3.1 is at `/openapi.json` of a running server, and to read at `/docs`."
    " Besides, without a token: `/healthz/live`, `/healthz/ready` and, unless a token is set,"
    " `/metrics`."
)
TOOLS_INTRODUCTION: Final = (
    "The tools of [APIDataTools](../dialects/apidatatools.md), each at `/{tool}-api`. Files are"
    " those that it takes by URL or as an upload."
)
LIMITS_INTRODUCTION: Final = (
    "Every limit is enforced while the bytes arrive, shown at `/v1/limits`, and set in the"
    " table `[limits]` of `waybill.toml`."
)


def findings_page() -> str:
    """Every code of the catalogue, by what it speaks of."""
    parts = [
        "# Findings",
        FINDINGS_INTRODUCTION,
    ]
    for reach, title in REACHES.items():
        rows = [
            (f"`{name}`", code.title, code.level.value, _prose(code.template), _prose(code.hint))
            for name, code in CATALOGUE.items()
            if code.reach is reach
        ]
        header = ("Code", "Title", "Level", "Message", "Hint")
        parts += [f"## {title}", _table(header, rows)]
    return _page(parts)


def errors_page() -> str:
    """Every error class with its code."""
    kinds = [getattr(errors, name) for name in errors.__all__]
    rows = [
        (f"`{kind.default_code}`", kind.__name__, _first_line(kind), _bases(kind))
        for kind in sorted(kinds, key=lambda kind: kind.default_code)
    ]
    return _page(
        [
            "# Errors",
            ERRORS_INTRODUCTION,
            _table(("Code", "Class", "Meaning", "A kind of"), rows),
            "## Every code",
            _table(("Code", "Meaning"), [(f"`{c}`", t) for c, t in sorted(TITLES.items())]),
        ]
    )


def events_page() -> str:
    """Every log event with its fields."""
    rows = [
        (f"`{name}`", meaning, ", ".join(f"`{field}`" for field in names))
        for name, (meaning, names) in EVENTS.items()
    ]
    return _page(
        [
            "# Log events",
            EVENTS_INTRODUCTION,
            _table(("Event", "Meaning", "Fields"), rows),
        ]
    )


def limits_page() -> str:
    """Every published limit with its default."""
    defaults = Limits()
    rows = [
        (f"`{entry.name}`", _quantity(entry.name, getattr(defaults, entry.name)))
        for entry in fields(Limits)
    ]
    return _page(
        [
            "# Limits",
            LIMITS_INTRODUCTION,
            _table(("Limit", "Default"), rows),
        ]
    )


def settings_page() -> str:
    """Every setting by section, with its default and meaning."""
    parts = ["# Settings", SETTINGS_INTRODUCTION]
    for section, entries in groupby(settings_reference(), key=lambda entry: entry[0]):
        rows = [(f"`{key}`", f"`{default}`", meaning) for _, key, default, meaning in entries]
        if section != "limits":
            parts += [f"## {section}", _table(("Key", "Default", "Meaning"), rows)]
    return _page([*parts, "## limits", "See [limits](limits.md)."])


def cli_page() -> str:
    """Every command with its help, and the exit codes."""
    codes = [(f"`{code.value}`", EXITS[code]) for code in ExitCode]
    parts = ["# Command line", CLI_INTRODUCTION, "## Exit codes", _table(("Code", "Means"), codes)]
    for name, command in sorted(_commands("waybill", get_command(app))):
        context = command.context_class(command, info_name=name, terminal_width=88)
        parts += [f"## {name}", f"```text\n{command.get_help(context).rstrip()}\n```"]
    return _page(parts)


def http_page() -> str:
    """Every route of every dialect: scope, parameters, answers."""
    parts = ["# HTTP API", HTTP_INTRODUCTION]
    for name, dialect in DIALECTS.items():
        parts.append(f"## Dialect {name}")
        for route in dialect.ROUTES:
            parts += _route(route)
    return _page(parts)


def tools_page() -> str:
    """Every file tool: what it does, takes and makes."""
    rows = [
        (
            f"`{name}`",
            _first_line(tool.action),
            "<br>".join(
                f"`x-{key.replace('_', '-')}` {_option(tool.takes[key])}" for key in tool.takes
            ),
            " ".join(tool.suffixes),
            tool.output,
        )
        for name, tool in sorted(TOOLS.items())
    ]
    header = ("Tool", "What it does", "Options, and their defaults", "Files", "Makes")
    return _page(["# File tools", TOOLS_INTRODUCTION, _table(header, rows)])


def _option(default: object) -> str:
    return "(found by itself)" if default == "" else str(default).lower()


def _route(route: Route) -> Iterator[str]:
    yield f"### {route.method} {route.path}"
    scope = f"Scope `{route.scope}`." if route.scope else "No credential needed."
    key = " Takes an `Idempotency-Key`." if route.idempotent_by_key else ""
    yield f"{route.summary.rstrip('.')}. {scope}{key}"
    if route.description:
        yield route.description
    if route.query:
        rows = [(f"`{entry.name}`", entry.description) for entry in route.query]
        yield _table(("Parameter", "Meaning"), rows)
    answers = [
        (str(status), answer.description, ", ".join(f"`{kind}`" for kind in answer.media_types))
        for status, answer in sorted(route.answers.items())
    ]
    if answers:
        yield _table(("Answer", "Meaning", "Media types"), answers)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer ships no public type for it
    """Every command that does something, by its full name."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for word, child in below.items():
        yield from _commands(f"{name} {word}", child)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "cli.md": cli_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "findings.md": findings_page,
    "http.md": http_page,
    "limits.md": limits_page,
    "settings.md": settings_page,
    "tools.md": tools_page,
}


def main(arguments: Sequence[str]) -> int:
    """Write the pages that changed; with ``--check``, name them and give 1."""
    fresh = {FOLDER / name: make() for name, make in PAGES.items()}
    stale = [path for path, text in fresh.items() if _text_of(path) != text]
    for path in stale:
        print(path.relative_to(FOLDER.parent.parent))
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fresh[path], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _page(parts: Iterable[str]) -> str:
    title, *rest = parts
    return "\n\n".join([title, NOTICE, *rest]) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _prose(template: str) -> str:
    """A template as people read it: ``{value!r}`` is ``{value}``."""
    return template.replace("!r}", "}").strip()


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("``", "`")


def _bases(kind: type) -> str:
    return ", ".join(base.__name__ for base in kind.__bases__ if base is not Exception)


def _quantity(name: str, value: int) -> str:
    if not name.endswith("_bytes"):
        return f"{value:,}"
    for size, unit in ((GIBIBYTE, "GiB"), (MEBIBYTE, "MiB"), (1024, "KiB")):
        if value % size == 0:
            return f"{value // size:,} {unit}"
    return f"{value:,} bytes"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
