"""Write the hash-locked requirement files from pyproject.toml; run by ``make lock``.

``requirements/run.txt``: what the server needs. ``requirements/dev.txt``: that, the build backend
and the group ``dev``. Both name no package index: pip's own configuration decides where to look.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
HEADER = "# Made by `make lock` from pyproject.toml; do not edit.\n"
OPTIONS = (
    "--generate-hashes",
    "--strip-extras",
    "--allow-unsafe",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-emit-options",
    "--quiet",
)


def main(arguments: Sequence[str]) -> None:
    """Compile both files; further arguments such as ``--upgrade`` go to pip-compile."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run = list(project["project"]["dependencies"])
    build = [*project["build-system"]["requires"], "editables"]
    compile_lock(FOLDER / "run.txt", run, arguments)
    development = [*run, *build, *project["dependency-groups"]["dev"]]
    compile_lock(FOLDER / "dev.txt", [*development, f"-c {FOLDER / 'run.txt'}"], arguments)


def compile_lock(target: Path, requirements: Sequence[str], arguments: Sequence[str]) -> None:
    """Resolve ``requirements`` into ``target``, keeping the versions it already pins."""
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *arguments]
    text = "\n".join(requirements)
    command += ["--output-file", str(target), "-"]
    subprocess.run(command, input=text, text=True, check=True, cwd=ROOT)
    target.write_text(HEADER + target.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
