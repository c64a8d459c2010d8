"""``waybill check``: the reader and the checker of the server, without a server."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from waybill.blobs.local import LocalBlobs
from waybill.bootstrap.inputs import make_opener
from waybill.engine.checks import FileCheck
from waybill.engine.inputs.completing import completed
from waybill.engine.runs.duplicates import KeyLedgers
from waybill.engine.runs.opening import read_options
from waybill.engine.runs.spool import Spool
from waybill.errors import ColumnsGrew, FileRefused
from waybill.model.administration import CheckReport
from waybill.model.limits import Limits
from waybill.model.settings import WorkerSettings
from waybill.validation.checker import Checker
from waybill.validation.compiled import CheckOptions
from waybill.validation.entity_files import load_entity
from waybill.validation.sandbox import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from waybill.model.entity import Entity
    from waybill.model.options import ImportOptions
    from waybill.ports.reader import Reader
    from waybill.validation.sandbox import Sandbox

NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


@contextmanager
def check_file(
    path: Path,
    schema: Path,
    options: ImportOptions,
    *,
    on_progress: Callable[[float, int, int], None],
) -> Iterator[CheckReport]:
    """What is wrong with a file under a schema; the report's rejections live inside the block.

    ``on_progress`` is told the share done (0..1), records read and rejected so far.

    Raises:
        SchemaInvalid: the schema is refused; names the place.
    """
    entity = load_entity(schema, name=NOT_IN_NAMES.sub("_", schema.stem)).entity
    with tempfile.TemporaryDirectory(prefix="waybill-check-") as folder:
        sandbox = open_sandbox(
            memory_bytes=WorkerSettings().check_memory_bytes,
            threads=1,
            temp_directory=Path(folder) / "spill",
        )
        with closing(sandbox), ExitStack() as opened:
            yield _Offline(
                path, entity, options, Path(folder), on_progress, sandbox, opened
            ).report()


@dataclass(frozen=True, slots=True)
class _Offline:
    path: Path
    entity: Entity
    options: ImportOptions
    folder: Path
    on_progress: Callable[[float, int, int], None]
    sandbox: Sandbox
    opened: ExitStack

    def report(self) -> CheckReport:
        began = time.monotonic()
        try:
            reader = make_opener(Limits(), WorkerSettings().threads, self.folder)(
                str(self.path), read_options(self.options, self.entity, self.path.name)
            )
            try:
                check = self._check(reader)
            except ColumnsGrew:
                reader = reader.widened()
                check = self._check(reader)
        except FileRefused as refusal:
            return CheckReport(
                records=0,
                rejected=0,
                columns=(),
                rejections=iter(()),
                warnings=(),
                seconds=time.monotonic() - began,
                refused=refusal,
            )
        return CheckReport(
            records=check.records,
            rejected=check.rejected,
            columns=reader.header.own_names,
            rejections=check.rejections(),
            warnings=check.warnings,
            seconds=time.monotonic() - began,
            refused=check.refused,
        )

    def _check(self, reader: Reader) -> FileCheck:
        reader = completed(reader, self.entity, self.options, seed="check")
        check = FileCheck(
            reader,
            self._checker(reader),
            Spool(blobs=LocalBlobs(self.folder / "blobs"), prefix="check"),
            KeyLedgers.in_folder(self.entity, self.folder / "keys"),
            self.options.on_duplicate,
            self.on_progress,
        )
        check.run()
        return check

    def _checker(self, reader: Reader) -> Checker:
        checker = Checker(
            self.entity,
            reader.header,
            CheckOptions(
                operation=self.options.operation,
                unknown_columns=self.options.unknown_columns,
                missing_columns=self.options.missing_columns,
                needs_rows=False,
            ),
            limits=Limits(),
            sandbox=self.sandbox,
            pepper="",
        )
        return self.opened.enter_context(closing(checker))
